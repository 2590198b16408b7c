# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training state as plain tensors and JSON scalars: optimizer moments and random generators, without pickle."""

import random
from typing import Any

import numpy as np
import torch

from .sharding import laid_out_like

Tensors = dict[str, torch.Tensor]


def pack_optimizer(optimizer: torch.optim.Optimizer) -> tuple[Tensors, list[dict[str, Any]]]:
    """The optimizer's state as named tensors (`<parameter>.<moment>`) and its groups' scalars."""
    state = optimizer.state_dict()
    tensors = {
        f"{parameter}.{key}": value
        for parameter, moments in state["state"].items()
        for key, value in moments.items()
        if isinstance(value, torch.Tensor)
    }
    return tensors, state["param_groups"]


def unpack_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors, groups: list[dict[str, Any]]) -> None:
    """Inverse of `pack_optimizer`; the optimizer must own the same parameters in the same order."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, Tensors] = {}
    for name, value in tensors.items():
        number, key = name.split(".", 1)
        parameter = parameters[int(number)]
        if value.shape == parameter.shape:
            # Fused kernels walk through raw memory: moments must lie as their parameter lies (channels-last, say).
            value = laid_out_like(value, parameter)
        state.setdefault(int(number), {})[key] = value
    # Some checkpoints hold a group without parameters, which optimizers are not given.
    optimizer.load_state_dict({"state": state, "param_groups": [group for group in groups if group["params"]]})


def pack_generators() -> tuple[Tensors, dict[str, Any]]:
    """State of torch's, NumPy's and Python's global generators on this process."""
    tensors = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors["cuda"] = torch.cuda.get_rng_state()
    version, words, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # type: ignore[misc]
    tensors["numpy"] = torch.from_numpy(np.asarray(keys, dtype=np.int64))
    tensors["python"] = torch.tensor(words, dtype=torch.int64)
    return tensors, {
        "python": [version, gauss],
        "numpy": [str(kind), int(position), int(has_gauss), float(cached)],
    }


def unpack_generators(tensors: Tensors, scalars: dict[str, Any]) -> None:
    """Inverse of `pack_generators`."""
    torch.set_rng_state(tensors["torch"])
    if "cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["cuda"])
    version, gauss = scalars["python"]
    random.setstate((version, tuple(tensors["python"].tolist()), gauss))
    kind, position, has_gauss, cached = scalars["numpy"]
    np.random.set_state((kind, tensors["numpy"].numpy().astype(np.uint32), position, has_gauss, cached))
