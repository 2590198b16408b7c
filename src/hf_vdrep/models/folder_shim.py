# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Files of a model folder that only name this package's classes.

Neither library imports a package because a folder names it. With `trust_remote_code=True` both run a file of the folder
instead; ours re-export, so that no code is copied and a folder never falls behind the package. Without the flag, after
`import hf_vdrep`, the files are not run.
"""

import json
from pathlib import Path
from typing import Any

SHIM = "hf_vdrep_shim"
# diffusers looks for a component's code in a file of its library's name.
PACKAGE = "hf_vdrep"

_HEADS = {
    "AutoBackbone": "WaltBackbone",
    "AutoModelForDepthEstimation": "WaltForDepthEstimation",
    "AutoModelForImageClassification": "WaltForImageClassification",
    "AutoModelForVideoClassification": "WaltForVideoClassification",
}
_MODELS = {"AutoConfig": "WaltConfig", "AutoModel": "WaltModel"}
_PROCESSORS = {"AutoImageProcessor": "WaltImageProcessor", "AutoVideoProcessor": "WaltVideoProcessor"}
_TEXT = '''# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Names of the package hf_vdrep, which must be installed, for `trust_remote_code=True`."""

{imports}
__all__ = [
{names}]
'''


def auto_map(kind: str) -> dict[str, str]:
    """What a JSON file tells transformers: auto class -> `file.Class`.

    Args:
        kind: "model", "image" or "video", the file's content.
    """
    classes = {
        "model": _MODELS | _HEADS,
        "image": {"AutoImageProcessor": _PROCESSORS["AutoImageProcessor"]},
        "video": {"AutoVideoProcessor": _PROCESSORS["AutoVideoProcessor"]},
    }[kind]
    return {auto: f"{SHIM}.{name}" for auto, name in classes.items()}


def write_shims(folder: Path, index: dict[str, Any]) -> None:
    """Write the files for both libraries and name them in `model_index.json`.

    Args:
        folder: a model folder.
        index: the content of its `model_index.json`.
    """
    pipeline = index["_class_name"]
    pipeline = pipeline if isinstance(pipeline, str) else pipeline[1]
    components = {name: value[1] for name, value in index.items() if isinstance(value, list) and value[0] == PACKAGE}
    models = {pipeline, *components.values(), *_MODELS.values(), *_PROCESSORS.values()}
    (folder / f"{SHIM}.py").write_text(_source({"models": models, "heads": set(_HEADS.values())}), encoding="utf-8")
    # One text for all: diffusers copies them to one place.
    for name in components:
        (folder / name / f"{PACKAGE}.py").write_text(_source({"models": set(components.values())}), encoding="utf-8")
    named = index | {"_class_name": [SHIM, pipeline]}
    (folder / "model_index.json").write_text(json.dumps(named, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _source(rooms: dict[str, set[str]]) -> str:
    imports = "".join(_import(room, sorted(names)) for room, names in sorted(rooms.items()))
    names = "".join(f'    "{name}",\n' for name in sorted(set().union(*rooms.values())))
    return _TEXT.format(imports=imports, names=names)


def _import(room: str, names: list[str]) -> str:
    return f"from {PACKAGE}.{room} import (\n" + "".join(f"    {name},\n" for name in names) + ")\n"
