# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tensors kept by what they depend on, so that a stopped measurement goes on where it was."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from ...data.media_write import atomic_output


def kept(folder: str | Path | None, key: str, make: Callable[[], torch.Tensor]) -> torch.Tensor:
    """The tensor kept under `key`, or a new one, which is then kept.

    A file that cannot be read is made anew.

    Args:
        folder: where tensors lie; None keeps nothing.
        key: names all that the tensor depends on.
        make: computes it.
    """
    if folder is None:
        return make()
    path = Path(folder) / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.safetensors"
    try:
        return load_file(path)["values"]
    except (OSError, SafetensorError, KeyError):
        values = make().contiguous()
    with atomic_output(path) as temporary, temporary.open("wb") as file:
        file.write(save({"values": values}, {"key": key}))
        file.flush()
        os.fsync(file.fileno())
    return values
