# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The state of a reference's training in one file: what a resumed run needs."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from ..data.media_write import atomic_output
from ..probes.end_to_end import EndToEndReference
from ..probes.reference_files import WEIGHTS


def save_state(path: Path, model: EndToEndReference, optimizer: torch.optim.Optimizer, step: int) -> None:
    """Weights, optimizer and step, whole or absent."""
    tensors = {f"model.{name}": value.contiguous().clone() for name, value in model.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value.contiguous().clone() for name, value in state.items()}
    tensors["step"] = torch.tensor(step)
    with atomic_output(path) as temporary:
        save_file(tensors, temporary)


def load_state(path: Path, model: EndToEndReference, optimizer: torch.optim.Optimizer) -> int:
    """Bring model and optimizer back; returns the steps done, 0 where there is nothing to bring back."""
    if not path.exists():
        return 0
    tensors = load_file(path)
    model.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".")
            states.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            # The fused optimizer walks through memory: moments must lie as their weights do, channels last or not.
            if value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)
    return int(tensors["step"])


def start_from(model: EndToEndReference, folder: Path) -> None:
    """Take the weights that an earlier reference has in the same shape.

    Raises:
        ValueError: the folder holds none.
    """
    own = model.state_dict()
    weights = load_file(folder / WEIGHTS)
    fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise ValueError(f"start_from must hold weights of a reference, got {folder}")
    model.load_state_dict({**own, **fitting})
