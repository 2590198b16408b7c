# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The accelerator, where there is one; on ZeroGPU it is lent for the length of a call."""

from collections.abc import Callable
from typing import Any, TypeVar

try:  # ZeroGPU replaces parts of torch, so this comes before torch
    import spaces
except ImportError:
    spaces = None

Work = TypeVar("Work", bound=Callable[..., Any])


def on_gpu(work: Work) -> Work:
    """`spaces.GPU` on ZeroGPU; elsewhere `work` itself."""
    return work if spaces is None else spaces.GPU(duration=60)(work)


def best_device() -> str:
    """ "cuda" where there is a GPU, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
