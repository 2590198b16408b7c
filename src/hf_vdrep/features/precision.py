# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The arithmetic that features are computed in."""

from contextlib import AbstractContextManager, nullcontext

import torch

_NAMES = ("auto", "none", "bfloat16", "float16")


def autocast_name(autocast_dtype: str | None, device: torch.device) -> str:
    """Resolve `autocast_dtype` for a device: "none", "bfloat16" or "float16".

    "auto" is bfloat16 where the device computes in it natively (on such CPUs about four times as fast as float32),
    otherwise none. None is "none".

    Raises:
        ValueError: an unknown name.
    """
    name = "none" if autocast_dtype is None else autocast_dtype
    if name not in _NAMES:
        raise ValueError(f"autocast_dtype must be None or one of {_NAMES}, got {autocast_dtype!r}")
    if name != "auto":
        return name
    return "bfloat16" if _has_bfloat16(device) else "none"


def autocast(name: str, device: torch.device) -> AbstractContextManager:
    """The context for a resolved name."""
    if name == "none":
        return nullcontext()
    return torch.autocast(device.type, dtype=getattr(torch, name))


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
