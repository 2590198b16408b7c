# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How fast a training is: items per second, time left, and the share of the hardware's peak that is used (MFU)."""

import functools
import time
from typing import Any

import torch

_DTYPES = {"no": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Throughput:
    """Rates since the last reading.

    Args:
        flops_per_item: forward and backward; None where the task does not say.
        peak: FLOP/s of one process's device; None: unknown.
        processes: how many share the work.
    """

    def __init__(self, flops_per_item: float | None, peak: float | None, processes: int) -> None:
        self.flops_per_item, self.peak, self.processes = flops_per_item, peak, processes
        self._before: tuple[int, int, float] | None = None

    def start(self, step: int, items: int, seconds: float) -> None:
        """Rates count from here."""
        self._before = (step, items, seconds)

    def read(self, step: int, items: int, seconds: float, *, steps: int) -> dict[str, float]:
        """`items_per_second`, `eta` (seconds to the end of training) and, if it can be known, `mfu`."""
        before = self._before or (0, 0, 0.0)
        self.start(step, items, seconds)
        spent = max(seconds - before[2], 1e-9)
        rate = (items - before[1]) / spent
        left = (steps - step) * spent / max(step - before[0], 1)
        figures = {"items_per_second": rate, "eta": left}
        if self.flops_per_item and self.peak:
            figures["mfu"] = rate * self.flops_per_item / (self.peak * self.processes)
        return figures


def peak_of(config: Any, device: torch.device) -> float:
    """FLOP/s of one device: `peak_tflops`, or measured where that is 0."""
    if config.peak_tflops:
        return config.peak_tflops * 1e12
    return measure_peak(device.type, _DTYPES[config.mixed_precision], torch.get_num_threads())


@functools.cache
def measure_peak(device: str, dtype: torch.dtype, threads: int, seconds: float = 0.2) -> float:
    """FLOP/s of the best of several square matrix products on this machine.

    Args:
        device: cpu, cuda, ...
        dtype: of the factors; TF32 is not used unless torch was told to.
        threads: of the CPU; part of the cache's key.
        seconds: how long to repeat after the first.
    """
    size = 1024 if device == "cpu" else 8192
    # Not random: the generators belong to the training.
    left = torch.full((size, size), 0.5, device=device, dtype=dtype)
    right = left.clone()
    best, until = float("inf"), None
    while until is None or time.perf_counter() < until:
        begin = time.perf_counter()
        torch.mm(left, right)
        if device != "cpu":
            torch.accelerator.synchronize()
        if until is not None:
            best = min(best, time.perf_counter() - begin)
        else:
            until = time.perf_counter() + seconds
    return 2 * size**3 / best if best < float("inf") else 2 * size**3 / (time.perf_counter() - begin)
