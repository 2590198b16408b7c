# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Where in a WALT block features are taken."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

SITES = ("block", "middle", "attention", "mlp")


def check_site(site: str) -> str:
    """The site.

    Raises:
        ValueError: none of `SITES`.
    """
    if site not in SITES:
        raise ValueError(f"site must be one of {', '.join(SITES)}, got {site!r}")
    return site


@contextmanager
def middles(blocks: nn.ModuleList, indices: Collection[int]) -> Iterator[dict[int, torch.Tensor]]:
    """Keeps the residual stream between attention and MLP of some blocks, (B, T*H*W, D) each, in this thread alone."""
    taken: dict[int, torch.Tensor] = {}
    thread = threading.get_ident()

    def keep(index: int) -> Any:
        def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            if threading.get_ident() == thread:
                taken[index] = inputs[0]

        return hook

    hooks = []
    for index in indices:
        norm: Any = blocks[index].norm2
        hooks.append(norm.register_forward_pre_hook(keep(index)))
    try:
        yield taken
    finally:
        for hook in hooks:
            hook.remove()


def at_site(site: str, before: torch.Tensor, middle: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Tokens of a site, from the stream before a block, within it and after it."""
    return {"middle": middle, "attention": middle - before, "mlp": after - middle}[site]
