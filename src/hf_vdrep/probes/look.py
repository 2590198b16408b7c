# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A look at every token along a few directions, for one readout or, under `torch.func.vmap`, for many at once.

A probe's tokens are far larger than its weights: passing over them waits for memory. Members that share the tokens are
therefore laid side by side, as more directions of one look, where vmap would pass over the tokens once per member.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

Dims = tuple[int | None, ...]
Pair = tuple[torch.Tensor, torch.Tensor]


class _Look(torch.autograd.Function):
    @staticmethod
    def forward(
        values: torch.Tensor, directions: torch.Tensor, bias: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        scores = (directions.to(values.dtype) @ values.mT).to(directions.dtype)
        weights = (scores.unflatten(-1, (bias.shape[-1], -1)) + bias[..., None]).flatten(2).softmax(-1)
        sums = (weights.to(values.dtype) @ values).to(directions.dtype)
        return sums, weights.unflatten(-1, (bias.shape[-1], -1)).sum(-1), weights

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
        values, directions, bias = inputs
        weights = output[2]
        ctx.mark_non_differentiable(weights)
        ctx.save_for_backward(values, directions, weights)
        ctx.steps = bias.shape[-1]

    @staticmethod
    @once_differentiable
    def backward(  # type: ignore[override]
        ctx: Any, by_sums: torch.Tensor, by_mass: torch.Tensor, _: torch.Tensor
    ) -> tuple[torch.Tensor | None, torch.Tensor, torch.Tensor]:
        values, directions, weights = ctx.saved_tensors
        by_weights = (by_sums.to(values.dtype) @ values.mT).to(weights.dtype)
        by_weights = (by_weights.unflatten(-1, (ctx.steps, -1)) + by_mass[..., None]).flatten(2)
        by_scores = weights * (by_weights - torch.linalg.vecdot(weights, by_weights)[..., None])
        by_bias = by_scores.unflatten(-1, (ctx.steps, -1)).sum((0, -1))
        by_directions = (by_scores.to(values.dtype) @ values).sum(0, dtype=directions.dtype)
        by_values = None
        if ctx.needs_input_grad[0]:
            by_values = by_scores.mT @ directions + weights.mT @ by_sums
            by_values = by_values.to(values.dtype)
        return by_values, by_directions, by_bias

    @staticmethod
    def vmap(
        info: Any, in_dims: Dims, values: torch.Tensor, directions: torch.Tensor, bias: torch.Tensor
    ) -> tuple[tuple[torch.Tensor, ...], tuple[int, ...]]:
        if in_dims[0] is not None:
            raise ValueError("values must be shared by all members of a vmap")
        members = info.batch_size
        lined = [_lined(part, dim, members) for part, dim in zip((directions, bias), in_dims[1:], strict=True)]
        found = _Look.apply(values, *lined)
        return tuple(part.unflatten(1, (members, -1)) for part in found), (1, 1, 1)


def _lined(part: torch.Tensor, dim: int | None, members: int) -> torch.Tensor:
    """(H, ...) of each member -> (members * H, ...)."""
    part = part.expand(members, *part.shape) if dim is None else part.movedim(dim, 0)
    return part.flatten(0, 1)


def look(values: torch.Tensor, directions: torch.Tensor, bias: torch.Tensor) -> Pair:
    """Softmax-weighted sums of tokens, weighted by their score along each direction.

    The passes over the tokens run in the precision of `values`, everything else in that of `directions`.

    Args:
        values: tokens (B, T * S, C), step after step; under vmap the same for all members.
        directions: (H, C).
        bias: (H, T), added to the scores of all tokens of a step.

    Returns:
        Sums (B, H, C) and the weight that fell on each step (B, H, T).
    """
    sums, mass, _ = _Look.apply(values, directions, bias)
    return sums, mass
