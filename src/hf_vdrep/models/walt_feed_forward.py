# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The MLP of a WALT block: diffusers' own, with a CPU path that stays in the cache."""

from typing import Any

import torch
from diffusers.models.attention import FeedForward

from .walt_linear import as_walt_linear

# Widened activations at a time on a CPU: 4 MB stay in the cache, and below the size from which malloc maps fresh pages
# for every call.
_CPU_FLOATS = 1_000_000


class WaltFeedForward(FeedForward):
    """Linear, GELU (tanh form), linear; weights named as in diffusers' `FeedForward`.

    Args:
        dim: token width.
        mult: hidden width over `dim`.
    """

    def __init__(self, dim: int, mult: float) -> None:
        super().__init__(dim, mult=mult, activation_fn="gelu-approximate")
        self.net[0].proj = as_walt_linear(self.net[0].proj)
        self.net[2] = as_walt_linear(self.net[2])

    def forward(self, hidden_states: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """(..., D) -> same."""
        traced = torch.compiler.is_compiling() or hidden_states.device.type != "cpu"
        if traced or torch.is_grad_enabled() or hidden_states.dtype != torch.float32:
            return super().forward(hidden_states)
        width = self.net[2].in_features
        rows = hidden_states.reshape(-1, hidden_states.shape[-1])
        changed = torch.empty_like(rows)
        step = max(64, _CPU_FLOATS // width // 64 * 64)
        for start in range(0, rows.shape[0], step):
            widened = gelu_tanh_(self.net[0].proj(rows[start : start + step]))
            changed[start : start + step] = self.net[2](self.net[1](widened))
        return changed.view(hidden_states.shape)


def gelu_tanh_(values: torch.Tensor) -> torch.Tensor:
    """GELU's tanh form, written over `values`: x / 2 * (1 + tanh(u)) = x * sigmoid(2 u).

    The logistic function costs a CPU half of what tanh does.
    """
    doubled = values * values
    doubled.mul_(2 * _SLOPE * 0.044715).add_(2 * _SLOPE).mul_(values)
    return values.mul_(doubled.sigmoid_())


_SLOPE = 0.7978845608028654  # sqrt(2 / pi)
