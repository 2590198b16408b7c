# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which sample stands where: the data order as a pure function of (seed, step), prefetched in the background."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

B = TypeVar("B")


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed from any integers and names; close inputs give unrelated seeds."""
    words = [int.from_bytes(str(part).encode(), "little") for part in parts]
    state = np.random.SeedSequence(words).generate_state(2, np.uint32)
    return (int(state[0]) << 31) ^ int(state[1])


class IndexStream:
    """An endless shuffled walk over `size` samples, random access by step.

    Every epoch is its own permutation, so resuming needs no state, and since the order is defined for the whole
    batch, N processes that take `indices(step)[rank::N]` see together what one process would see.

    Args:
        size: number of samples, at least 1.
        batch_size: samples per optimiser step, over all processes.
        seed: run seed.

    Raises:
        ValueError: an empty data set or batch.
    """

    def __init__(self, size: int, batch_size: int, *, seed: int) -> None:
        if size < 1 or batch_size < 1:
            raise ValueError(f"size and batch_size must be at least 1, got {size} and {batch_size}")
        self.size, self.batch_size, self.seed = size, batch_size, seed
        self._orders: dict[int, np.ndarray] = {}

    def indices(self, step: int) -> np.ndarray:
        """int64 (batch_size,): the samples of optimiser step `step`, counted from 0."""
        return self.at(np.arange(step * self.batch_size, (step + 1) * self.batch_size))

    def at(self, places: np.ndarray) -> np.ndarray:
        """int64 (n,): the samples at some places of the endless walk."""
        epochs, offsets = places // self.size, places % self.size
        return np.asarray([self._order(int(epoch))[offset] for epoch, offset in zip(epochs, offsets, strict=True)])

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._orders:
            self._orders = {key: order for key, order in self._orders.items() if key >= epoch - 1}
            rng = np.random.default_rng(derive_seed("order", self.seed, epoch))
            self._orders[epoch] = rng.permutation(self.size)
        return self._orders[epoch]


def prefetch(produce: Callable[[int], B], keys: Sequence[int], *, depth: int = 2) -> Iterator[B]:
    """`produce(key)` for each key in order, computed by a background thread up to `depth` ahead.

    An exception inside the thread is raised here, at the batch where it happened.
    """
    results: queue.Queue = queue.Queue(maxsize=max(depth, 1))
    stop = threading.Event()

    def work() -> None:
        for key in keys:
            try:
                item: tuple[B | None, BaseException | None] = (produce(key), None)
            except BaseException as error:
                item = (None, error)
            while not stop.is_set():
                try:
                    results.put(item, timeout=0.1)
                    break
                except queue.Full:
                    continue
            if stop.is_set() or item[1] is not None:
                return

    worker = threading.Thread(target=work, name="prefetch", daemon=True)
    worker.start()
    try:
        for _ in keys:
            batch, error = results.get()
            if error is not None:
                raise error
            yield batch  # type: ignore[misc]
    finally:
        stop.set()
        worker.join(timeout=5)
