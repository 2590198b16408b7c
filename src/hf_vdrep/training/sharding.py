# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tensors that are spread over processes (FSDP2): whole ones for files, each process's part back from them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor


def is_sharded(module: nn.Module) -> bool:
    """Whether any parameter is spread over processes."""
    return any(_spread(parameter) for parameter in module.parameters())


def local(tensor: torch.Tensor) -> torch.Tensor:
    """This process's part, sharing its memory; a plain tensor is its own part."""
    return tensor.to_local() if _spread(tensor) else tensor  # type: ignore[attr-defined]


def whole(named: Mapping[str, torch.Tensor], *, keep: bool = True) -> dict[str, torch.Tensor]:
    """Full tensors on the CPU; every process must call it, with the same names in the same order.

    Args:
        named: plain or spread tensors.
        keep: whether this process wants the result; one tensor at a time is gathered, so that the others need no
            memory for it.

    Returns:
        The tensors, or nothing where `keep` is False.
    """
    result = {}
    for name, tensor in named.items():
        full = tensor.full_tensor() if _spread(tensor) else tensor  # type: ignore[attr-defined]
        if keep:
            result[name] = full.detach().cpu()
    return result


@torch.no_grad()
def fill(target: torch.Tensor, value: torch.Tensor) -> None:
    """Copy a full tensor into a plain or spread one; each process takes its own part, nothing is sent."""
    if not _spread(target):
        target.copy_(value)
        return
    spread: Any = target
    local(target).copy_(_part(value, spread).to(local(target).device))


def laid_out_like(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """A full tensor in the strides and the distribution of another of its shape."""
    result = torch.empty_like(like, dtype=value.dtype, requires_grad=False)
    fill(result, value)
    return result


def _spread(tensor: torch.Tensor) -> bool:
    # A plain build of torch without torch.distributed has no DTensor to import.
    return hasattr(tensor, "to_local")


def _part(value: torch.Tensor, like: "DTensor") -> torch.Tensor:
    from torch.distributed.tensor import distribute_tensor

    # On the CPU, whatever the mesh's device: the full tensor never has to fit beside the shards.
    value = value.to(like.device)
    return distribute_tensor(value, like.device_mesh, like.placements, src_data_rank=None).to_local()
