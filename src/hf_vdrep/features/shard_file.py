# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""One shard of features: a safetensors file that knows its own hash."""

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from .storage_dtype import STORED, StoredRows, num_scale_bytes, num_stored_bytes

_TENSOR, _SCALES = "values", "scales"


class ShardError(ValueError):
    """A shard that is missing, truncated, corrupt, or of something else."""


class ShardWriter:
    """Write one tensor row by row, without holding it in memory; int8 rows have a second one, their scales.

    Rows go to a temporary file beside `path`, which takes its name only when complete; two writers of the same shard
    do not disturb each other.

    Args:
        path: the shard.
        shape: (n, ...) of the tensor.
        dtype: a name in `STORED`.
        description: what the shard should hold, as JSON values; checked again when it is opened.
        facts: what only its writer knows, as JSON values; `open_shard` gives them back.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, ...],
        dtype: str,
        description: Mapping[str, Any],
        facts: Mapping[str, Any],
    ) -> None:
        self.path = path
        self.shape = shape
        self.dtype = dtype
        self.rows = 0
        self._scales: list[np.ndarray] = []
        self._texts = {"description": canonical_json(description), "facts": canonical_json(facts)}
        self._digest = _new_digest(self._texts, self.shape, dtype)
        self._temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        self._file = self._temporary.open("wb")
        self._file.write(self._header("0" * 32))
        # The scales come first, where they are aligned; they are known last.
        self._file.write(bytes(num_scale_bytes(shape, dtype)))

    def append(self, rows: StoredRows) -> None:
        """Add (b, ...) rows."""
        block = np.ascontiguousarray(rows.values, dtype=STORED[self.dtype][0]).data.cast("B")
        self._digest.update(block)
        self._file.write(block)
        self.rows += len(rows)
        if rows.scales is not None:
            self._scales.append(rows.scales)

    def commit(self) -> None:
        """Give the complete file its name."""
        if self.rows != self.shape[0]:
            raise ShardError(f"shard must hold {self.shape[0]} rows, got {self.rows}")
        scales = np.concatenate(self._scales).astype("<f4").tobytes() if self._scales else b""
        self._digest.update(scales)
        self._file.seek(0)
        self._file.write(self._header(self._digest.hexdigest()) + scales)
        self._file.close()
        os.replace(self._temporary, self.path)

    def abort(self) -> None:
        """Leave nothing behind; without effect after `commit`."""
        with suppress(OSError):  # a full disk fails again when the buffer is flushed
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _header(self, digest: str) -> bytes:
        metadata = {**self._texts, "blake2b": digest}
        tensors = _tensors(self.shape, self.dtype)
        text = json.dumps({"__metadata__": metadata, **tensors}).encode()
        text += b" " * (-len(text) % 8)
        return len(text).to_bytes(8, "little") + text


def open_shard(path: Path, description: Mapping[str, Any]) -> tuple[StoredRows, dict[str, Any]]:
    """Verify a shard, length and hash; give its rows (n, ...), mapped from disk, read-only, and its facts.

    Raises:
        ShardError: missing, truncated, corrupt, or written for another description.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size = path.stat().st_size
            if not 0 < length <= size - 8:
                raise ShardError(f"shard must start with its header, got {size} bytes: {path}")
            header = json.loads(file.read(length))
    except FileNotFoundError as error:
        raise ShardError(f"shard is missing: {path}") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ShardError(f"shard must have a readable header, got damaged JSON: {path}") from error
    return _verified_rows(path, header, 8 + length, size, description)


def _verified_rows(
    path: Path, header: dict[str, Any], offset: int, size: int, description: Mapping[str, Any]
) -> tuple[StoredRows, dict[str, Any]]:
    try:
        metadata, tensor = header["__metadata__"], header[_TENSOR]
        dtype = {code: name for name, (_, code) in STORED.items()}[tensor["dtype"]]
        shape, end = tuple(tensor["shape"]), tensor["data_offsets"][1]
        tensors = {name: header.get(name) for name in _tensors(shape, dtype)}
        texts = {"description": metadata["description"], "facts": metadata["facts"]}
        expected = metadata["blake2b"]
    except (KeyError, TypeError, IndexError) as error:
        raise ShardError(f"shard must hold one hashed tensor {_TENSOR!r}: {path}") from error
    if texts["description"] != canonical_json(description):
        raise ShardError(f"shard must hold {canonical_json(description)}, got {texts['description']}: {path}")
    if tensors != _tensors(shape, dtype):
        raise ShardError(f"shard must lie as {_tensors(shape, dtype)}, got {tensors}: {path}")
    if offset + end != size:
        raise ShardError(f"shard must be {offset + end} bytes, got {size}: {path}")
    digest, scale_bytes = _new_digest(texts, shape, dtype), num_scale_bytes(shape, dtype)
    # Read rather than mapped: pages of a map would count as this process's memory.
    with path.open("rb") as file:
        file.seek(offset)
        scales = file.read(scale_bytes)
        while block := file.read(1 << 20):
            digest.update(block)
    digest.update(scales)
    if digest.hexdigest() != expected:
        raise ShardError(f"shard must match its hash {expected}, got {digest.hexdigest()}: {path}")
    values = np.memmap(path, dtype=STORED[dtype][0], mode="r", offset=offset + scale_bytes, shape=shape)
    by_channel = np.frombuffer(scales, dtype="<f4").reshape(shape[0], shape[-1]) if scale_bytes else None
    return StoredRows(values, dtype, by_channel), json.loads(texts["facts"])


def _tensors(shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
    """The tensors of a shard, as its header lists them."""
    end, begin = num_stored_bytes(shape, dtype), num_scale_bytes(shape, dtype)
    tensors = {_TENSOR: {"dtype": STORED[dtype][1], "shape": list(shape), "data_offsets": [begin, end]}}
    if begin:
        tensors[_SCALES] = {"dtype": "F32", "shape": [shape[0], shape[-1]], "data_offsets": [0, begin]}
    return tensors


def _new_digest(texts: Mapping[str, str], shape: tuple[int, ...], dtype: str) -> Any:
    return hashlib.blake2b(canonical_json([texts, list(shape), dtype]).encode(), digest_size=16)


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
