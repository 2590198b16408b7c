# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which process of several extracts what."""

import os
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class ProcessShare:
    """One process's part of the shards.

    Args:
        rank: number of this process, from 0.
        world_size: processes that fill the cache together.

    Raises:
        ValueError: `rank` is none of the `world_size` processes.
    """

    rank: int = 0
    world_size: int = 1

    def __post_init__(self) -> None:
        if self.world_size < 1:
            raise ValueError(f"world_size must be at least 1, got {self.world_size}")
        if not 0 <= self.rank < self.world_size:
            raise ValueError(f"rank must lie in [0, {self.world_size - 1}], got {self.rank}")

    @classmethod
    def of(cls, rank: int | None, world_size: int | None) -> "ProcessShare":
        """As given, or as `accelerate launch` and `torchrun` say in RANK and WORLD_SIZE; else one process alone.

        Raises:
            ValueError: as the class.
        """
        if world_size is None:
            world_size = _from_environment("WORLD_SIZE", 1) if rank is None else 1
            rank = _from_environment("RANK", 0) if rank is None else rank
        return cls(rank or 0, world_size)

    def split(self, shards: Iterable[int]) -> tuple[list[int], list[int]]:
        """(this process's shards, the others' from the last to the first: those they reach last)."""
        shards = list(shards)
        own = [shard for shard in shards if shard % self.world_size == self.rank]
        return own, sorted(set(shards) - set(own), reverse=True)


def _from_environment(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} in the environment must be a whole number, got {text!r}") from None
