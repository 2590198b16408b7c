# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Reading the header of a safetensors file, without its tensors."""

import json
from pathlib import Path
from typing import Any

# The format's own limit; a longer "length" is some other kind of file.
_MAX_HEADER = 100_000_000


def read_header(path: Path) -> dict[str, Any]:
    """Tensor name -> {dtype, shape, data_offsets}, after checking that the file is as long as its header says.

    Raises:
        OSError: the file cannot be read.
        ValueError: not a safetensors file, or cut short.
    """
    size = path.stat().st_size
    if size < 8:
        raise ValueError(f"{size} bytes, less than a header")
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(size - 8, _MAX_HEADER):
            raise ValueError(f"a header of {length} bytes in a file of {size}")
        raw = file.read(length)
    header = _parse(raw)
    header.pop("__metadata__", None)
    expected = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if size != expected:
        raise ValueError(f"{size} bytes where the header announces {expected}")
    return header


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        header = json.loads(raw)
        entries = (entry for name, entry in header.items() if name != "__metadata__")
        if all(isinstance(entry["data_offsets"][1], int) for entry in entries):
            return header
    except (ValueError, AttributeError, TypeError, KeyError, IndexError):
        pass
    raise ValueError("a header that is not safetensors JSON")
