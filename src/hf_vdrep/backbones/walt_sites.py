# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Where in a WALT block features are taken, read by hooks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
from torch import nn

from ..models.walt_modulation import modulate

WaltSite = Literal["block", "norm", "middle", "attention", "mlp"]


def check_walt_site(site: str) -> WaltSite:
    """Raise ValueError for an unknown site."""
    if site not in get_args(WaltSite):
        raise ValueError(f"site must be one of {', '.join(get_args(WaltSite))} for a WALT, got {site!r}")
    return site  # type: ignore[return-value]


def read_walt_sites(
    run: Callable[[], list[torch.Tensor]], blocks: Sequence[nn.Module], site: WaltSite
) -> list[torch.Tensor]:
    """What passes at a site of each block in one forward pass.

    "block" is the block's output; "norm" what goes into its attention, after normalisation and modulation; "middle" the
    residual stream between attention and MLP; "attention" and "mlp" what these add to the stream, gate included: their
    sum is what the block adds.

    Args:
        run: the forward pass, which gives the blocks' outputs (..., D).
        blocks: in the order of those outputs.
        site: where.

    Returns:
        For each block, the values in the shape of its output.

    Raises:
        RuntimeError: a hook was not called, as happens on a model that was compiled before.
    """
    if site == "block":
        return run()
    with _watched(blocks, site) as taken:
        outputs = run()
    if any(block not in taken for block in blocks):
        raise RuntimeError(f"site {site!r} must be read by hooks, and the blocks called none (were they compiled?)")
    return [taken[block].reshape(output.shape) for block, output in zip(blocks, outputs, strict=True)]


@contextmanager
def _watched(blocks: Sequence[Any], site: WaltSite) -> Iterator[dict[nn.Module, torch.Tensor]]:
    """Block -> value at the site, filled by every forward pass within."""
    taken: dict[nn.Module, torch.Tensor] = {}
    add = {"norm": _hook_norm, "middle": _hook_middle, "attention": _hook_attention, "mlp": _hook_mlp}[site]
    handles = [handle for block in dict.fromkeys(blocks) for handle in add(block, taken)]
    try:
        yield taken
    finally:
        for handle in handles:
            handle.remove()


def _hook_norm(block: Any, taken: dict[nn.Module, torch.Tensor]) -> list[Any]:
    """From its two factors: images pass a spatiotemporal block without calling its attention."""
    modulations: list[tuple[torch.Tensor, ...]] = []

    def keep(_: nn.Module, __: Any, normed: torch.Tensor) -> None:
        scale, shift = modulations.pop()[:2]
        taken[block] = modulate(normed, scale, shift)

    return [
        block.modulation.register_forward_hook(lambda _, __, output: modulations.append(output)),
        block.norm1.register_forward_hook(keep),
    ]


def _hook_middle(block: Any, taken: dict[nn.Module, torch.Tensor]) -> list[Any]:
    return [block.norm2.register_forward_pre_hook(lambda _, inputs: taken.__setitem__(block, inputs[0]))]


def _hook_attention(block: Any, taken: dict[nn.Module, torch.Tensor]) -> list[Any]:
    before: list[torch.Tensor] = []
    return [
        block.register_forward_pre_hook(lambda _, inputs: before.append(inputs[0])),
        block.norm2.register_forward_pre_hook(lambda _, inputs: taken.__setitem__(block, inputs[0] - before.pop())),
    ]


def _hook_mlp(block: Any, taken: dict[nn.Module, torch.Tensor]) -> list[Any]:
    middle: list[torch.Tensor] = []
    return [
        block.norm2.register_forward_pre_hook(lambda _, inputs: middle.append(inputs[0])),
        block.register_forward_hook(lambda _, __, output: taken.__setitem__(block, output - middle.pop())),
    ]
