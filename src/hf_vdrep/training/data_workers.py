# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Lanes read in this process, or decoded ahead by worker processes."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset

from .data_lanes import Item, LaneMaker, State

# A worker that died, or one that died while its tensors were fetched; its own errors come as items.
_GONE = (RuntimeError, ConnectionError, EOFError, FileNotFoundError)


class LaneReader:
    """Some lanes of a data set, decoded here or by worker processes.

    Args:
        maker: opens them.
        lanes: which.
        workers: processes; each decodes its own lanes ahead of their use. The order does not depend on it.
        states: lane -> where to go on.
    """

    def __init__(self, maker: LaneMaker, lanes: Sequence[int], workers: int, states: Mapping[int, State]) -> None:
        states = {lane: states[lane] for lane in lanes if lane in states}
        groups = [tuple(lanes[worker::workers]) for worker in range(workers)] if workers else []
        self._sources: dict[int, Callable[[int], Item]] = {}
        if not groups:
            self._sources = {lane: _alone(maker.open(lane, states.get(lane))) for lane in lanes}
        for group in groups:
            if group:
                source = _Worker(maker, group, states)
                self._sources.update(dict.fromkeys(group, source))

    def take(self, lane: int) -> Item:
        """The next sample of a lane.

        Raises:
            ValueError: it cannot be read on.
            ChildProcessError: a worker was killed.
        """
        return self._sources[lane](lane)


def _alone(items: Iterator[Item]) -> Callable[[int], Item]:
    return lambda lane: next(items)


class _Lanes(IterableDataset):
    """What a worker process does: one sample of each of its lanes in turn, for ever."""

    def __init__(self, maker: LaneMaker, lanes: Sequence[int], states: Mapping[int, State]) -> None:
        self.maker, self.lanes, self.states = maker, lanes, states

    def __iter__(self) -> Iterator[tuple[int, Item | Exception]]:
        opened = [(lane, self.maker.open(lane, self.states.get(lane))) for lane in self.lanes]
        while True:
            for lane, items in opened:
                try:
                    item: Item | Exception = next(items)
                except Exception as error:
                    # In a few words: the loader would wrap it in a page of traceback, or take it for a killed worker.
                    item = _plain(error)
                yield lane, item
                if isinstance(item, Exception):
                    return


class _Worker:
    """One worker process and what came from it ahead of its turn.

    A loader of one worker each: with several, `datasets` would divide every lane's shards among them once more.
    """

    def __init__(self, maker: LaneMaker, lanes: Sequence[int], states: Mapping[int, State]) -> None:
        self._loader = DataLoader(
            _Lanes(maker, lanes, states),
            batch_size=None,
            num_workers=1,
            prefetch_factor=4 * len(lanes),
            collate_fn=_as_it_is,
            worker_init_fn=_heed_the_training_alone,
            # Else the loader draws its seed from the training's own generator.
            generator=torch.Generator(),
        )
        self._items: Iterator[tuple[int, Item | Exception]] | None = None
        self._waiting: dict[int, deque[Item]] = {lane: deque() for lane in lanes}

    def __call__(self, lane: int) -> Item:
        if self._items is None:
            self._items = iter(self._loader)
        while not self._waiting[lane]:
            try:
                other, item = next(self._items)
            except _GONE as error:
                raise ChildProcessError(
                    f"a worker that decodes the data was killed ({_how(error)}); out of memory? "
                    "Go on with --resume auto and fewer --workers"
                ) from error
            if isinstance(item, Exception):
                raise item
            self._waiting[other].append(item)
        return self._waiting[lane].popleft()


def _how(error: Exception) -> str:
    words = str(error).partition(" exited")[0]
    return words if isinstance(error, RuntimeError) else f"DataLoader worker: {words}"


def _heed_the_training_alone(worker: int) -> None:
    """Who stops a training often signals its whole group, but the batches up to its checkpoint are still needed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):  # not on macOS
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_end_with_the_training, daemon=True).start()


def _end_with_the_training() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)


def _plain(error: Exception) -> Exception:
    """What can be sent to another process, whatever the libraries made."""
    if isinstance(error, OSError):
        return OSError(error.errno, error.strerror or str(error)) if error.errno else OSError(str(error))
    return ValueError(str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}")


def _as_it_is(item: Any) -> Any:
    return item
