# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Whether the Hub answers: asked once and shortly, where the libraries would try for a minute before they give up."""

# Of httpx, by name: huggingface_hub has used more than one package of that kind.
_SILENCE = ("ConnectError", "ConnectTimeout", "ProxyError")
_MARKS = ("model_index.json", "config.json")
_SECONDS = 5.0


def reach_hub(name: str, revision: str | None = None, cache_dir: str | None = None) -> bool:
    """Whether a model of the Hub can be asked for there; a copy that was downloaded before does without.

    Args:
        name: Hub id, "user/name".
        revision: branch, tag or commit; "main" by default.
        cache_dir: where downloads lie; the Hub's own folder by default.

    Returns:
        True where the Hub answers, whatever it says; False where it does not, and the cache holds the model.

    Raises:
        ConnectionError: it does not answer, and the cache does not hold the model.
    """
    from huggingface_hub import constants, try_to_load_from_cache
    from huggingface_hub.utils import get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=_SECONDS)
        return True
    except Exception as error:
        if not isinstance(error, ConnectionError) and type(error).__name__ not in _SILENCE:
            return True  # something answered; what it says is for the library to tell
    cached = (try_to_load_from_cache(name, mark, cache_dir=cache_dir, revision=revision) for mark in _MARKS)
    if any(isinstance(path, str) for path in cached):
        return False
    why = "HF_HUB_OFFLINE is set" if constants.is_offline_mode() else f"no answer from {constants.ENDPOINT}"
    raise ConnectionError(
        f"the Hub cannot be reached ({why}) and {name} was not downloaded before; a local folder works without it"
    )
