# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the trackers are asked, and what their labels say of presence, checked before it could broadcast."""

import torch


def queries_of(
    name: str, queries: torch.Tensor | None, labels: torch.Tensor | None, letter: str, width: int
) -> torch.Tensor:
    """The queries, or the first frame of the labels.

    Args:
        name: of the argument.
        queries: (B, N, width) or None.
        labels: (B, N, T, width) or None.
        letter: how the argument's documentation counts queries.
        width: numbers of a query.

    Raises:
        ValueError: neither was given, or another shape.
    """
    if queries is None and labels is not None:
        queries = labels[:, :, 0]
    if queries is None or queries.ndim != 3 or queries.shape[-1] != width:
        raise ValueError(
            f"{name} must be (B, {letter}, {width}), got {None if queries is None else tuple(queries.shape)}"
        )
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
