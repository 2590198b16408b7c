# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Readouts of one shape that train as one: a single pass over the features serves every member of a grid."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.func import functional_call, vmap

from .readout import Readout

Loss = Callable[[Any], torch.Tensor]


class Ensemble:
    """Members whose weights lie side by side in one tensor per name.

    Each member stays a module of its own, whose parameters are views of its part: optimisers, clipping and evaluation
    work on members as if they had been trained alone. Buffers are the first member's: they come from the data.

    Args:
        members: readouts of the same config.
    """

    def __init__(self, members: Sequence[Readout]) -> None:
        if any(member.config != members[0].config for member in members):
            raise ValueError("members must have the same config, to share a pass over the features")
        self.members, self.base = list(members), members[0]
        self.stacked: dict[str, torch.Tensor] = {}
        for name, first in self.base.named_parameters():
            parts = [member.get_parameter(name) for member in members]
            together = torch.stack([part.detach() for part in parts])
            for part, view in zip(parts, together, strict=True):
                part.data = view
            self.stacked[name] = together.requires_grad_(first.requires_grad)

    def losses(self, loss: Loss) -> torch.Tensor:
        """One loss per member (M,); `loss` sees a member's readout and must draw nothing at random."""
        return vmap(lambda weights: loss(_Bound(self.base, weights)))(self.stacked)

    def backward(self, loss: Loss) -> torch.Tensor:
        """Losses (M,), their gradients left with the members."""
        losses = self.losses(loss)
        losses.sum().backward()
        for name, together in self.stacked.items():
            if together.grad is not None:
                for member, grad in zip(self.members, together.grad, strict=True):
                    member.get_parameter(name).grad = grad
            together.grad = None
        return losses.detach()

    def part(self) -> None:
        """Give each member weights of its own again."""
        for member in self.members:
            for parameter in member.parameters():
                parameter.data = parameter.data.clone()


class _Bound:
    """A readout with other weights: called as one, asked as one."""

    def __init__(self, readout: Readout, weights: dict[str, torch.Tensor]) -> None:
        self._readout, self._weights = readout, weights

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return functional_call(self._readout, self._weights, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._readout, name)
