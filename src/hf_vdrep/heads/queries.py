# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the trackers are asked, and what their labels say of presence, checked before it could broadcast."""

import torch


def check_queries(name: str, queries: torch.Tensor | None, letter: str, width: int) -> torch.Tensor:
    """The queries (B, N, width).

    Args:
        name: of the argument.
        queries: what came.
        letter: how the argument's documentation counts queries.
        width: numbers of a query.

    Raises:
        ValueError: nothing, or another shape.
    """
    if queries is None or queries.ndim != 3 or queries.shape[-1] != width:
        shape = None if queries is None else tuple(queries.shape)
        raise ValueError(f"{name} must be (B, {letter}, {width}), got {shape}")
    return queries


def check_batch(name: str, queries: torch.Tensor, batch: int) -> None:
    """Raise ValueError for queries of another batch than the clips'."""
    if len(queries) != batch:
        raise ValueError(f"{name} must come with each of the {batch} clips, got {tuple(queries.shape)}")


def flags_of(name: str, flags: torch.Tensor | None, labels: torch.Tensor) -> torch.Tensor:
    """bool (B, N, T) on the labels' device; all true where nothing was given.

    Raises:
        ValueError: another shape than that of the labels.
    """
    shape = labels.shape[:-1]
    if flags is None:
        return torch.ones(shape, dtype=torch.bool, device=labels.device)
    if flags.shape != shape:
        raise ValueError(f"{name} must be {tuple(shape)}, got {tuple(flags.shape)}")
    return flags.to(labels.device, torch.bool)
