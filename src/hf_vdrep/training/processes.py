# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the processes of one training tell each other."""

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

_SYMPTOMS = ("connection closed", "connection reset", "broken pipe", "timed out", "timeout", "gloo", "nccl", "socket")


class LostProcess(RuntimeError):
    """Another process of the training is gone or silent."""


def add_up(accelerator: Accelerator, values: list[float]) -> list[float]:
    """Sums over the processes, in double precision on the CPU."""
    if accelerator.num_processes == 1:
        return values
    dtype = torch.float32 if accelerator.device.type == "mps" else torch.float64
    total: torch.Tensor = accelerator.reduce(torch.tensor(values, dtype=dtype, device=accelerator.device), "sum")  # type: ignore
    return [float(value) for value in total.cpu()]


def any_process(accelerator: Accelerator, flag: bool) -> bool:
    """Whether the flag is up on any process."""
    return add_up(accelerator, [float(flag)])[0] > 0


def mean_figures(accelerator: Accelerator, record: dict[str, float]) -> dict[str, float]:
    """Each figure's mean over the processes that have it: a part of a mixed batch may lack one kind of sample."""
    if accelerator.num_processes == 1:
        return record
    names = sorted({name for names in gather_object([list(record)]) for name in names})
    sums = add_up(accelerator, [record.get(name, 0.0) for name in names] + [float(name in record) for name in names])
    return {name: sums[place] / sums[place + len(names)] for place, name in enumerate(names)}


def collect(accelerator: Accelerator, values: list[str]) -> list[str]:
    """The lists of all processes, one after the other."""
    return gather_object(values) if accelerator.num_processes > 1 else values


def lost(accelerator: Accelerator, error: RuntimeError) -> bool:
    """Whether an error looks like what a collective raises when another process died."""
    words = f"{type(error).__name__} {error}".lower()
    return accelerator.num_processes > 1 and any(symptom in words for symptom in _SYMPTOMS)
