# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The first samples of a stream, decoded once and kept on disk, to be read by row."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from tqdm.auto import tqdm

from ..media_write import umask
from .options import ReadOptions
from .registry import get_spec
from .stream import SampleStream, open_stream

_INDEX = "samples.json"


@dataclass(frozen=True)
class StoredClips:
    """Samples of one split, mapped into memory.

    Attributes:
        sample_ids: N names.
        fingerprint: changes with the pixels and the names.
        classes: label key -> class names in label order.
        arrays: sample key -> N rows; pictures stand under `video`, as clips of one frame.
    """

    sample_ids: tuple[str, ...]
    fingerprint: str
    classes: Mapping[str, tuple[str, ...]]
    arrays: Mapping[str, np.ndarray]

    @property
    def num_frames(self) -> int:
        """T of the clips."""
        return int(self.arrays["video"].shape[1])

    def videos(self, positions: Sequence[int]) -> torch.Tensor:
        """uint8 (b, T, H, W, 3) of some rows."""
        return torch.from_numpy(self.arrays["video"][np.asarray(positions, dtype=np.int64)])

    def label(self, name: str) -> torch.Tensor:
        """N rows of a label, read into memory."""
        return torch.from_numpy(np.array(self.arrays[name]))


def default_split(name: str) -> str:
    """The split that a set is judged on: validation, or test where no other is published."""
    splits = get_spec(name).splits
    return "validation" if "validation" in splits else "test"


def store_clips(
    name: str, root: str | Path | None, *, split: str, size: int, folder: Path, seed: int = 0, **options: Any
) -> StoredClips:
    """Decode samples of a published set, or find them decoded.

    They are drawn in an order that `seed` decides, since the files of many sets are sorted by class. What is corrupt
    is left out, as the stream says. Another root, split, size, seed or option is stored apart; files that change under
    an old root are not seen, so delete `folder` then.

    Args:
        name: of `hf-vdrep data list`.
        root: where it lies, as for `open_stream`.
        split: likewise.
        size: records; each gives `segments` x `views` samples. A smaller set is taken whole.
        folder: of what is stored.
        seed: of order, jitter and random crops.
        **options: of `open_stream`: `resolution`, `num_frames`, `stride`, `segments`, `views`, `columns`, ...

    Returns:
        The samples.

    Raises:
        ValueError: as `open_stream` does, or the split gives no sample, or samples of several shapes.
    """
    read = {key: value for key, value in options.items() if key != "columns"}
    chosen = ReadOptions.of(get_spec(name), **read)
    place = str(Path(root).expanduser().resolve()) if root is not None and Path(root).expanduser().exists() else root
    columns = dict(options.get("columns") or {})
    words = [name, str(place), split, size, seed, dataclasses.asdict(chosen), sorted(columns.items())]
    key = hashlib.blake2b(json.dumps(words).encode(), digest_size=8).hexdigest()
    kept = folder / f"{name}-{split.replace('/', '-')}-{size}-{key}"
    if not (kept / _INDEX).exists():
        stream = open_stream(name, root, split=split, shuffle=True, seed=seed, **options)
        _write(stream, kept, size * chosen.segments * chosen.views)
    return _load(kept)


def _write(stream: SampleStream, kept: Path, count: int) -> None:
    """Decode into a folder aside, which takes its name when it is whole."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{kept.name}-", dir=kept.parent))
    try:
        about = _decode(stream, aside, count)
        (aside / _INDEX).write_text(json.dumps(about) + "\n", encoding="utf-8")
        aside.chmod(0o777 & ~umask())  # mkdtemp makes it private
        try:
            os.replace(aside, kept)
        except OSError:
            if not (kept / _INDEX).exists():  # else another process was faster
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _decode(stream: SampleStream, folder: Path, count: int) -> dict[str, Any]:
    from huggingface_hub.utils import are_progress_bars_disabled

    identifiers: list[str] = []
    shapes: dict[str, list[Any]] = {}
    digest = hashlib.blake2b(digest_size=16)
    looks = stream.options.segments * stream.options.views
    total = min(count, len(stream.source) * looks) if hasattr(stream.source, "__len__") else count
    bar = tqdm(total=total, desc=f"decode {stream.spec.name}", unit="clip", disable=are_progress_bars_disabled())
    with contextlib.ExitStack() as stack, bar:
        files: dict[str, BinaryIO] = {}
        for sample in itertools.islice(stream, count):
            rows = _rows(sample)
            found = {key: [row.dtype.name, list(row.shape)] for key, row in rows.items()}
            if not files:
                files = {key: stack.enter_context((folder / f"{key}.bin").open("wb")) for key in rows}
                shapes = found
            if found != shapes:
                raise ValueError(f"samples must have one shape, got {shapes} and {found} for {sample['id']}")
            for key, row in rows.items():
                files[key].write(np.ascontiguousarray(row).tobytes())
            identifiers.append(str(sample["id"]))
            digest.update(f"{sample['id']}\n".encode())
            digest.update(rows["video"].tobytes())
            bar.update()
    if not identifiers:
        raise ValueError(f"data must give at least one sample, got none of {stream.spec.name}: {stream.report}")
    classes = {key: list(names) for key, names in stream.classes.items()}
    return {"ids": identifiers, "fingerprint": digest.hexdigest(), "classes": classes, "arrays": shapes}


def _rows(sample: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Tensors and classes of a sample; a picture becomes a clip of one frame, words are left out."""
    rows = {}
    for key, value in sample.items():
        if isinstance(value, torch.Tensor):
            rows["video" if key == "image" else key] = value.numpy() if key != "image" else value.numpy()[None]
        elif isinstance(value, int):
            rows[key] = np.asarray(value, dtype=np.int64)
    return rows


def _load(kept: Path) -> StoredClips:
    about = json.loads((kept / _INDEX).read_text(encoding="utf-8"))
    count = len(about["ids"])
    arrays = {
        key: np.memmap(kept / f"{key}.bin", dtype, "c", shape=(count, *shape))
        for key, (dtype, shape) in about["arrays"].items()
    }
    classes = {key: tuple(names) for key, names in about["classes"].items()}
    return StoredClips(tuple(about["ids"]), about["fingerprint"], classes, arrays)
