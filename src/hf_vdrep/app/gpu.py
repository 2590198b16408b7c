# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The accelerator, where there is one; on ZeroGPU it is lent for the length of a call."""

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

Work = TypeVar("Work", bound=Callable[..., Any])


def _lender() -> Any:
    """`spaces.GPU`; None outside ZeroGPU, also where a mere folder of that name lies in the way."""
    try:  # ZeroGPU replaces parts of torch, so this comes before torch
        return getattr(importlib.import_module("spaces"), "GPU", None)
    except ImportError:
        return None


_GPU = _lender()


def on_gpu(work: Work) -> Work:
    """`spaces.GPU` on ZeroGPU; elsewhere `work` itself."""
    return work if _GPU is None else _GPU(duration=60)(work)


def best_device() -> str:
    """ "cuda" where there is a GPU, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
