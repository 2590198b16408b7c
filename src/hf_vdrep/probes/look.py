# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A look at every token along a few directions, for one readout or, under `torch.func.vmap`, for many at once.

A probe's tokens are far larger than its weights: passing over them waits for memory. Members that share the tokens are
therefore laid side by side, as more directions of one look, where vmap would pass over the tokens once per member.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

Dims = tuple[int | None, ...]
Found = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class _Look(torch.autograd.Function):
    @staticmethod
    def forward(
        values: torch.Tensor, directions: torch.Tensor, by_step: torch.Tensor, by_place: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        scores = (directions.to(values.dtype) @ values.mT).to(directions.dtype)
        grid = (by_step.shape[-1], by_place.shape[-1])
        scores = scores.unflatten(-1, grid) + (by_step[:, :, None] + by_place[:, None])
        weights = scores.flatten(2).softmax(-1)
        sums = (weights.to(values.dtype) @ values).to(directions.dtype)
        spread = weights.unflatten(-1, grid)
        return sums, spread.sum(-1), spread.sum(-2), weights

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Any, ...]) -> None:
        values, directions, by_step, by_place = inputs
        weights = output[3]
        ctx.mark_non_differentiable(weights)
        ctx.save_for_backward(values, directions, weights)
        ctx.grid = (by_step.shape[-1], by_place.shape[-1])

    @staticmethod
    @once_differentiable
    def backward(  # type: ignore[override]
        ctx: Any, of_sums: torch.Tensor, of_steps: torch.Tensor, of_places: torch.Tensor, _: torch.Tensor
    ) -> tuple[torch.Tensor | None, ...]:
        values, directions, weights = ctx.saved_tensors
        of_weights = (of_sums.to(values.dtype) @ values.mT).to(weights.dtype)
        of_weights = of_weights.unflatten(-1, ctx.grid) + (of_steps[..., None] + of_places[..., None, :])
        of_weights = of_weights.flatten(2)
        of_scores = weights * (of_weights - torch.linalg.vecdot(weights, of_weights)[..., None])
        of_bias = of_scores.sum(0).unflatten(-1, ctx.grid)
        of_directions = (of_scores.to(values.dtype) @ values).sum(0, dtype=directions.dtype)
        of_values = None
        if ctx.needs_input_grad[0]:
            of_values = (of_scores.mT @ directions + weights.mT @ of_sums).to(values.dtype)
        return of_values, of_directions, of_bias.sum(-1), of_bias.sum(-2)

    @staticmethod
    def vmap(
        info: Any, in_dims: Dims, values: torch.Tensor, *parts: torch.Tensor
    ) -> tuple[tuple[torch.Tensor, ...], tuple[int, ...]]:
        if in_dims[0] is not None:
            raise ValueError("values must be shared by all members of a vmap")
        members = info.batch_size
        lined = [_lined(part, dim, members) for part, dim in zip(parts, in_dims[1:], strict=True)]
        found = _Look.apply(values, *lined)
        return tuple(part.unflatten(1, (members, -1)) for part in found), (1, 1, 1, 1)


def _lined(part: torch.Tensor, dim: int | None, members: int) -> torch.Tensor:
    """(H, ...) of each member -> (members * H, ...)."""
    part = part.expand(members, *part.shape) if dim is None else part.movedim(dim, 0)
    return part.flatten(0, 1)


def look(
    values: torch.Tensor, directions: torch.Tensor, by_step: torch.Tensor, by_place: torch.Tensor | None = None
) -> Found:
    """Softmax-weighted sums of tokens, weighted by their score along each direction.

    The passes over the tokens run in the precision of `values`, everything else in that of `directions`.

    Args:
        values: tokens (B, T * S, C), step after step; under vmap the same for all members.
        directions: (H, C).
        by_step: (H, T), added to the scores of all tokens of a step.
        by_place: (H, S), added to the scores of all tokens of a place; nothing by default.

    Returns:
        Sums (B, H, C), and the weight that fell on each step (B, H, T) and on each place (B, H, S).
    """
    if by_place is None:
        by_place = directions.new_zeros(len(directions), values.shape[1] // by_step.shape[-1])
    sums, steps, places, _ = _Look.apply(values, directions, by_step, by_place)
    return sums, steps, places
