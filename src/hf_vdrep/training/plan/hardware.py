# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Accelerators that a plan can be made for.

Peaks are the makers' dense tensor-core figures in bfloat16 (float16 where there is no bfloat16), not the sparse ones;
the network is what such machines are usually built with, and can be given otherwise.
"""

from dataclasses import dataclass, replace

GIB = 1 << 30


@dataclass(frozen=True)
class Gpu:
    """One accelerator and how it is wired.

    Attributes:
        name: as in `--gpu`.
        peak: dense FLOP/s in 16 bit.
        memory: bytes.
        link: bytes a second and direction between the GPUs of a node.
        per_node: GPUs of a node.
        network: bytes a second and direction between nodes, for each GPU (assumed).
    """

    name: str
    peak: float
    memory: int
    link: float
    per_node: int = 8
    network: float = 50e9

    def with_network(self, gigabits: float | None) -> "Gpu":
        """The same with `gigabits` a second of network for each GPU."""
        return self if gigabits is None else replace(self, network=gigabits * 1e9 / 8)


GPUS: dict[str, Gpu] = {
    gpu.name: gpu
    for gpu in (
        Gpu("h100", 989.4e12, 80 * GIB, 450e9),
        Gpu("h200", 989.4e12, 141 * 10**9, 450e9),
        Gpu("b200", 2250e12, 180 * 10**9, 900e9),
        Gpu("a100", 312e12, 80 * GIB, 300e9, network=25e9),
        Gpu("a100-40gb", 312e12, 40 * GIB, 300e9, network=25e9),
        Gpu("mi300x", 1307.4e12, 192 * 10**9, 448e9),
        Gpu("l40s", 362e12, 48 * GIB, 32e9, network=12.5e9),
        Gpu("l4", 121e12, 24 * GIB, 32e9, network=6.25e9),
        Gpu("v100", 125e12, 32 * GIB, 150e9, network=12.5e9),
        Gpu("rtx4090", 165.2e12, 24 * GIB, 32e9, per_node=4, network=1.25e9),
        Gpu("t4", 65e12, 16 * GIB, 16e9, per_node=4, network=3.125e9),
    )
}


def find_gpu(name: str) -> Gpu:
    """The accelerator of that name.

    Raises:
        ValueError: none that is known.
    """
    if name not in GPUS:
        raise ValueError(f"gpu must be one of {', '.join(GPUS)}, or here, got {name!r}")
    return GPUS[name]
