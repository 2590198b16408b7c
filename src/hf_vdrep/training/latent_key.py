# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What kept latents depend on: another tokenizer, another file or another setting gives another cache."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..features.shard_file import canonical_json
from .data_probeworld import ProbeWorldSource
from .data_sources import OpenedData
from .pool import source_key

if TYPE_CHECKING:
    from ..models import AutoencoderWalt

_FORMAT = 1


def cache_key(vae: "AutoencoderWalt", data: OpenedData, kind: str, *, seed: int, dtype: str) -> dict[str, Any]:
    """JSON-able; equal keys mean equal latents up to rounding.

    Args:
        vae: tokenizer; its weights and config count, and with them the latents' statistics.
        data: files (names and sizes), resolution, frames and crops count.
        kind: "clips" or "pictures".
        seed: of the frames that are encoded alone.
        dtype: on disk.
    """
    return {
        "format": _FORMAT,
        "kind": kind,
        "tokenizer": tokenizer_hash(vae),
        "data": data_fingerprint(data),
        "reading": dataclasses.asdict(data.options),
        "seed": seed,
        "dtype": dtype,
    }


def digest_of(key: dict[str, Any]) -> str:
    """Sixteen hex digits of a key."""
    return hashlib.blake2b(canonical_json(key).encode(), digest_size=8).hexdigest()


def tokenizer_hash(vae: Any) -> str:
    """Hex digits of a tokenizer's weights and config."""
    digest = hashlib.blake2b(digest_size=16)
    for name, value in sorted(vae.state_dict().items()):
        digest.update(name.encode() + value.detach().cpu().float().contiguous().numpy().tobytes())
    config = {name: value for name, value in dict(vae.config).items() if not name.startswith("_")}
    digest.update(repr(sorted(config.items())).encode())
    return digest.hexdigest()


def data_fingerprint(data: OpenedData) -> str:
    """Hex digits of a data set: the records, and names and sizes of its files.

    A file that is changed without changing its size is not noticed; the address of a Hub file holds its revision.
    """
    digest = hashlib.blake2b(data.spec.name.encode(), digest_size=16)
    source: Any = data.source
    if isinstance(source, ProbeWorldSource):
        digest.update(source_key(source.world).encode())
    elif hasattr(source, "index"):
        for row in source.index:
            size = _size(Path(source.root) / row["path"]) if row.get("path") else 0
            digest.update(canonical_json([row, size]).encode())
    else:
        for name in source.files if hasattr(source, "files") else _files(source.stream._ex_iterable):
            # Moving a local copy does not change it.
            local = Path(name).exists()
            digest.update(canonical_json([Path(name).name if local else name, _size(Path(name))]).encode())
        digest.update(canonical_json(source.columns).encode())
    return digest.hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _files(examples: Any) -> Iterator[str]:
    while not hasattr(examples, "kwargs"):
        examples = examples.ex_iterable
    for value in examples.kwargs.values():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(item, str):
                yield item
