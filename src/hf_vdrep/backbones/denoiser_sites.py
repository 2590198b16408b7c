# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Where in a denoiser features are taken: its blocks, and within a block the modulation, the attention or the MLP."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import nn

from .denoiser_family import DenoiserFamily
from .tap import tap

Site = Literal["block", "norm", "attention", "mlp"]
_ATTENTION = ("attn1", "attn", "self_attn", "self_attention", "attention")
_MLP = ("mlp_moe_gen", "ff", "ffn", "mlp", "feed_forward", "img_mlp", "ff_i")


@dataclass(frozen=True)
class Block:
    """A block and its name in the model."""

    name: str
    module: nn.Module


def blocks_of(model: nn.Module, family: DenoiserFamily) -> list[Block]:
    """The blocks of a denoiser in the order of their running.

    Raises:
        ValueError: it has none.
    """
    found = []
    modules = dict(model.named_modules())
    for alternative in family.blocks.split("|"):
        pattern = re.compile(re.escape(alternative).replace(r"\*", r"\d+"))
        found += [Block(name, module) for name, module in modules.items() if pattern.fullmatch(name)]
    if not found:
        raise ValueError(f"denoiser must have blocks named {family.blocks}, got a {type(model).__name__} without")
    if family.output == "latte":
        # Space and time take turns; the sort keeps space first.
        found.sort(key=lambda block: int(block.name.rsplit(".", 1)[1]))
    return found


def check_site(site: str) -> Site:
    """Raise ValueError for an unknown site."""
    if site not in get_args(Site):
        raise ValueError(f"site must be one of {', '.join(get_args(Site))}, got {site!r}")
    return site  # type: ignore[return-value]


def sites_of(block: Block) -> list[Site]:
    """The sites that a block has."""
    found: list[Site] = ["block"]
    if _part(block, _ATTENTION) is not None:
        found += ["norm", "attention"]
    if _part(block, _MLP) is not None:
        found.append("mlp")
    return found


def read_sites(run: Callable[[], Any], blocks: Sequence[Block], site: Site) -> list[Any]:
    """What passes at a site of each block in one forward pass, which ends after the last of them.

    "norm" is what goes into the block's attention: the hidden state after normalisation and modulation. A part that
    runs more than once, as an MLP that text shares, is read the first time.

    Raises:
        ValueError: a block that lacks the site.
        RuntimeError: a module that did not run, as happens to hooks on a model that was compiled before.
    """
    modules = [_module_at(block, site) for block in blocks]
    seen: dict[nn.Module, Any] = {}

    def before(module: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        seen.setdefault(module, (*args, *named.values()))

    def after(module: nn.Module, _: Any, output: Any) -> None:
        seen.setdefault(module, output)

    handles = [
        module.register_forward_pre_hook(before, with_kwargs=True)
        if site == "norm"
        else module.register_forward_hook(after)
        for module in set(modules)
    ]
    try:
        tap(run, modules)
    finally:
        for handle in handles:
            handle.remove()
    return [seen[module] for module in modules]


def tensor_at(output: Any, part: int) -> torch.Tensor:
    """The hidden state among what a module put out: the tensor, or that entry of a tuple."""
    found = output[part] if isinstance(output, (tuple, list)) else output
    if not isinstance(found, torch.Tensor):
        raise TypeError(f"output must hold a tensor at {part}, got {type(found).__name__}")
    return found


def _module_at(block: Block, site: Site) -> nn.Module:
    if site == "block":
        return block.module
    found = _part(block, _MLP if site == "mlp" else _ATTENTION)
    if found is None:
        raise ValueError(f"site must be one of {', '.join(sites_of(block))} for {block.name}, got {site!r}")
    return found


def _part(block: Block, names: Sequence[str]) -> nn.Module | None:
    """A child of one of these names, or one within the block that a wrapper holds."""
    for holder in (block.module, *block.module.children()):
        for name in names:
            child = getattr(holder, name, None)
            if isinstance(child, nn.Module):
                return child
    return None
