# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Reading what modules put out in the middle of somebody else's forward pass, by hooks alone."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn


class _Done(Exception):
    """Unwinds the forward pass once the deepest output asked for is there."""


def tap(run: Callable[[], Any], modules: Sequence[nn.Module]) -> list[Any]:
    """Outputs of `modules` in one pass; nothing runs after the last of them.

    Args:
        run: the forward pass.
        modules: at least one; each must run exactly once, up to the moment when all have.

    Returns:
        Their outputs as they are, in the order of `modules`.

    Raises:
        RuntimeError: a module did not run, as happens to hooks on a model that was compiled before.
    """
    found: dict[nn.Module, Any] = {}

    def keep(module: nn.Module, _: Any, output: Any) -> None:
        found[module] = output
        if len(found) == len(set(modules)):
            raise _Done

    handles = [module.register_forward_hook(keep) for module in set(modules)]
    try:
        run()
    except _Done:
        pass
    finally:
        for handle in handles:
            handle.remove()
    silent = [type(module).__name__ for module in modules if module not in found]
    if silent:
        raise RuntimeError(f"{', '.join(silent)} never ran in the forward pass, so nothing can be read there")
    return [found[module] for module in modules]


def first_tensor(output: Any) -> torch.Tensor:
    """The hidden state of a block's output: the tensor itself, or the first of a tuple.

    Raises:
        TypeError: there is none.
    """
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, (tuple, list)) and output and isinstance(output[0], torch.Tensor):
        return output[0]
    raise TypeError(f"output must be a tensor or a tuple that begins with one, got {type(output).__name__}")
