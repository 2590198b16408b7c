# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Exponential moving average of a model's parameters."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from .sharding import fill, local


class Ema:
    """fp32 shadow of every trainable parameter; of sharded ones each process keeps its own part.

    After update n (counted from 1) the shadow is `d*shadow + (1-d)*parameter` with
    d = min(decay, (1+n)/(10+n)), so that the random start is forgotten early (the usual warm-up of the decay).

    Args:
        model: the module to follow.
        decay: in [0, 1); 0 copies the parameters.
        use: what `applied` puts in: the average (ema), or nothing (raw), which leaves the model's own weights.

    Raises:
        ValueError: `decay` outside [0, 1).
    """

    def __init__(self, model: nn.Module, decay: float, use: str = "ema") -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"ema_decay must lie in [0, 1), got {decay}")
        self.decay, self.updates, self.use = decay, 0, use
        self.shadow = {name: p.detach().clone().float() for name, p in model.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Fold the parameters' present values in."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        current = dict(model.named_parameters())
        values = [local(current[name].detach()).float() for name in self.shadow]
        torch._foreach_lerp_([local(shadow) for shadow in self.shadow.values()], values, 1 - decay)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[nn.Module]:
        """The model with the averaged weights inside the block, its own again after it; see `use`."""
        if self.use == "raw":
            yield model
            return
        parameters = dict(model.named_parameters())
        own = {name: parameters[name].detach().clone() for name in self.shadow}
        self._copy_into(parameters, self.shadow)
        try:
            yield model
        finally:
            self._copy_into(parameters, own)

    @staticmethod
    @torch.no_grad()
    def _copy_into(parameters: dict[str, nn.Parameter], values: dict[str, torch.Tensor]) -> None:
        for name, value in values.items():
            parameters[name].copy_(value)

    def load(self, shadow: dict[str, torch.Tensor], updates: int) -> None:
        """Restore a saved shadow.

        Raises:
            ValueError: its names differ from the model's.
        """
        if shadow.keys() != self.shadow.keys():
            odd = sorted(shadow.keys() ^ self.shadow.keys())[:3]
            raise ValueError(f"EMA weights do not belong to this model: {odd} differ")
        for name, value in shadow.items():
            fill(self.shadow[name], value)
        self.updates = updates
