# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Reading an exported ProbeWorld back: the same samples, by index, without rendering."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from ..sample import Sample
from .config import ProbeWorldConfig
from .export import MANIFEST, ROW_GROUP, shard_path
from .export_codec import decode_clip
from .selection import TASKS
from .vocabulary import TASK_NAMES


def sample_of_row(row: Mapping[str, Any], num_frames: int | None = None) -> Sample:
    """A row of an export, as `datasets` gives it, as a sample.

    Args:
        row: columns by name; `video` is {"bytes": mp4, ...}, `in_fine` is left out.
        num_frames: how many frames the clip must have; None takes the number of its poses.

    Raises:
        ValueError: a class label lies outside its vocabulary, or the video is damaged, shorter or longer.
    """
    sample: dict[str, Any] = {}
    for name, value in row.items():
        if name in TASK_NAMES:
            classes = len(TASK_NAMES[name])
            if not 0 <= int(value) < classes:
                raise ValueError(f"{name} must lie in [0, {classes - 1}], got {value} ({row.get('id')})")
            sample[name] = int(value)
        elif name == "video":
            wanted = len(row["pose"]) if num_frames is None else num_frames
            try:
                sample[name] = torch.from_numpy(decode_clip(value["bytes"], wanted))
            except ValueError as error:
                raise ValueError(f"{error} ({row.get('id')})") from error
        elif name == "id":
            sample[name] = value
        elif name != "in_fine":
            sample[name] = torch.from_numpy(np.array(value, dtype=_DTYPES.get(name, np.float32)))
    return sample  # type: ignore[return-value]


_DTYPES = {"visible": np.bool_, "present": np.bool_, "instance": np.uint8}


def _array(column: pa.ChunkedArray, shape: Sequence[int]) -> np.ndarray:
    """Nested lists as one array (rows, ...), without a Python object per number."""
    flat = column.combine_chunks()
    rows = len(flat)
    flat = flat.storage if isinstance(flat, pa.ExtensionArray) else flat
    while pa.types.is_list(flat.type):
        flat = flat.flatten()
    return flat.to_numpy(zero_copy_only=False).reshape(rows, *shape)


class ExportedProbeWorld(torch.utils.data.Dataset):
    """The clips of an export, with the face of `ProbeWorld`: same indices, same samples.

    Args:
        folder: what `export_world` wrote, whole or not: a missing shard is named when it is read.
        split: one of the export's splits.

    Raises:
        FileNotFoundError: no export there.
        ValueError: the export has no such split.
    """

    def __init__(self, folder: str | Path, split: str) -> None:
        self.folder = Path(folder)
        path = self.folder / MANIFEST
        if not path.is_file():
            raise FileNotFoundError(f"folder must hold an exported ProbeWorld with its {MANIFEST}, got {folder}")
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if split not in manifest["splits"]:
            raise ValueError(f"split must be one of {tuple(manifest['splits'])}, got {split!r}")
        self.split, self.size = split, int(manifest["splits"][split])
        self.config = ProbeWorldConfig(**manifest["config"])
        self.shard_size = int(manifest["shard_size"])

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Sample]:
        return self.samples(range(self.size))

    def __getitem__(self, index: int) -> Sample:
        return self.batch([index])[0]

    def batch(self, indices: Sequence[int]) -> list[Sample]:
        """Samples with all labels."""
        rows = self._rows(indices, None)
        return [sample_of_row(rows[int(index)], self.config.num_frames) for index in indices]

    def render_batch(self, indices: Sequence[int]) -> Tensor:
        """Pixels alone: uint8 (B, T, H, W, 3)."""
        rows = self._rows(indices, ["video"])
        clips = [decode_clip(rows[int(index)]["video"]["bytes"], self.config.num_frames) for index in indices]
        return torch.from_numpy(np.stack(clips))

    def samples(self, indices: Sequence[int], group: int = ROW_GROUP) -> Iterator[Sample]:
        """Samples one by one, read `group` at a time."""
        for start in range(0, len(indices), group):
            yield from self.batch(indices[start : start + group])

    def task_indices(self, task: str, size: int | None = None) -> list[int]:
        """The clips of this export that belong to a task, as `ProbeWorld.task_indices`.

        Raises:
            ValueError: unknown task, or fewer than `size` clips belong to it.
        """
        if task not in TASKS:
            raise ValueError(f"task must be one of {TASKS}, got {task!r}")
        found = list(range(self.size))
        if task == "fine":
            rows = self._rows(found, ["in_fine"])
            found = [index for index in found if rows[index]["in_fine"]]
        if size is not None and not 1 <= size <= len(found):
            raise ValueError(f"size must lie in [1, {len(found)}], the clips for {task!r} here, got {size}")
        return found[:size]

    def _rows(self, indices: Sequence[int], columns: list[str] | None) -> dict[int, dict[str, Any]]:
        groups: dict[tuple[int, int], list[int]] = {}
        for index in {int(index) for index in indices}:
            if not 0 <= index < self.size:
                raise IndexError(f"index must lie in [0, {self.size - 1}], got {index}")
            shard, row = divmod(index, self.shard_size)
            groups.setdefault((shard, row // ROW_GROUP), []).append(index)
        rows: dict[int, dict[str, Any]] = {}
        shards = -(-self.size // self.shard_size)
        for (shard, group), wanted in groups.items():
            path = shard_path(self.folder, self.split, shard, shards)
            if not path.is_file():
                raise FileNotFoundError(f"{path} is missing: the export was stopped; run it again to finish it")
            with pq.ParquetFile(path, memory_map=True) as file:
                table = file.read_row_group(group, columns)
            first = shard * self.shard_size + group * ROW_GROUP
            columns_here = {name: self._column(name, table[name]) for name in table.column_names}
            for index in wanted:
                rows[index] = {name: values[index - first] for name, values in columns_here.items()}
        return rows

    def _column(self, name: str, column: pa.ChunkedArray) -> Any:
        shape = self._shapes().get(name)
        return column.to_pylist() if shape is None else _array(column, shape)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        frames, side, tracks = self.config.num_frames, self.config.resolution, self.config.num_tracks
        return {
            "depth": (frames, side, side),
            "instance": (frames, side, side),
            "pose": (frames, 3, 4),
            "intrinsics": (3, 3),
            "tracks": (tracks, frames, 2),
            "visible": (tracks, frames),
            "boxes": (-1, frames, 4),
            "present": (-1, frames),
        }
