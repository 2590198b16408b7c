# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The dtypes that features may have on disk."""

import math
from dataclasses import dataclass

import numpy as np
import torch

# Name -> (numpy dtype that carries the bits, code in safetensors). numpy has no bfloat16.
STORED = {
    "float16": ("float16", "F16"),
    "float32": ("float32", "F32"),
    "bfloat16": ("int16", "BF16"),
    "int8": ("int8", "I8"),
}
_INT8_MAX = 127


@dataclass(frozen=True)
class StoredRows:
    """Rows as they lie on disk.

    Args:
        values: (n, ..., C) in the carrier of `dtype`.
        dtype: a name in `STORED`.
        scales: float32 (n, C) for int8: a value is its integer times the scale of its row and channel. Else None.
    """

    values: np.ndarray
    dtype: str
    scales: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ..., C)."""
        return self.values.shape

    @property
    def nbytes(self) -> int:
        """Of values and scales."""
        return self.values.nbytes + (0 if self.scales is None else self.scales.nbytes)


def num_stored_bytes(shape: tuple[int, ...], dtype: str) -> int:
    """Bytes of (n, ..., C) rows on disk, scales counted."""
    return math.prod(shape) * np.dtype(STORED[dtype][0]).itemsize + num_scale_bytes(shape, dtype)


def num_scale_bytes(shape: tuple[int, ...], dtype: str) -> int:
    """Bytes of the scales of (n, ..., C) rows."""
    return 4 * shape[0] * shape[-1] if dtype == "int8" else 0


def encode(values: torch.Tensor, dtype: str) -> StoredRows:
    """Floating (n, ..., C) rows as they are stored, each on its own: its bytes do not depend on the batch.

    int8 rounds by at most half a scale, which is the row's largest magnitude in the channel / 127.

    Raises:
        ValueError: a value that is not finite, or beyond `dtype`.
    """
    if dtype == "int8":
        return _encode_int8(values.float().cpu())
    stored = values.to(getattr(torch, dtype)).cpu()
    if not bool(torch.isfinite(stored).all()):
        raise ValueError(f"must be finite in {dtype}, got up to {float(values.abs().max()):.3g}")
    bits = stored.contiguous().view(torch.int16) if dtype == "bfloat16" else stored
    return StoredRows(bits.numpy(), dtype)


def _encode_int8(values: torch.Tensor) -> StoredRows:
    if not bool(torch.isfinite(values).all()):
        raise ValueError(f"must be finite, got up to {float(values.abs().max()):.3g}")
    rows = values.reshape(len(values), -1, values.shape[-1])
    scales = rows.abs().amax(dim=1) / _INT8_MAX
    # A channel of zeros has no scale; any divisor keeps its zeros.
    divisors = torch.where(scales > 0, scales, 1.0)[:, None]
    integers = (rows / divisors).round().clamp(-_INT8_MAX, _INT8_MAX).to(torch.int8)
    return StoredRows(integers.view(values.shape).numpy(), "int8", scales.numpy())


def decode(rows: StoredRows) -> torch.Tensor:
    """float32 (n, ..., C)."""
    values = torch.from_numpy(rows.values)
    if rows.dtype == "bfloat16":
        values = values.view(torch.bfloat16)
    if rows.scales is None:
        return values.float()
    scales = torch.from_numpy(rows.scales)
    return values.float() * scales.view(len(scales), *[1] * (values.ndim - 2), scales.shape[-1])
