# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Work spread over processes, one torch thread each, so that results do not depend on how many there are."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class WorkPool:
    """Maps functions over jobs: in this process for one worker, else in spawned ones that live as long as the pool.

    Args:
        workers: processes; 0 means one per available core.
    """

    def __init__(self, workers: int = 0) -> None:
        self.workers = workers or available_cores()
        self._executor: ProcessPoolExecutor | None = None
        self._threads = 0

    def __enter__(self) -> WorkPool:
        import torch

        self._threads = torch.get_num_threads()
        torch.set_num_threads(1)
        if self.workers > 1:
            self._executor = self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import torch

        torch.set_num_threads(self._threads)
        if self._executor is not None:
            if kind is not None:
                self._end_processes()
            self._executor.shutdown(wait=kind is None, cancel_futures=True)

    def map(self, function: Callable[[T], R], jobs: Sequence[T]) -> Iterator[tuple[int, R]]:
        """(index of the job, result) as each is done. Jobs start in order; put the longest first.

        At most two jobs per worker wait in line, so that what jobs close over is sent when it is needed.
        """
        if self._executor is None:
            for index, job in enumerate(jobs):
                yield index, function(job)
            return
        waiting = iter(enumerate(jobs))
        running: dict[Future, int] = {}
        while True:
            for index, job in waiting:
                running[self._executor.submit(function, job)] = index
                if len(running) >= 2 * self.workers:
                    break
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()

    def _start(self) -> ProcessPoolExecutor:
        before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
        os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
        try:
            executor = ProcessPoolExecutor(self.workers, multiprocessing.get_context("spawn"), _begin_worker)
            # Processes start at the first jobs; start them while the variables hold.
            wait([executor.submit(os.getpid) for _ in range(self.workers)])
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        return executor

    def _end_processes(self) -> None:
        for process in list((self._executor._processes or {}).values()) if self._executor else []:
            process.terminate()


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin_worker(*_: Any) -> None:
    # Ctrl-C is the parent's to handle: it ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    import torch

    torch.set_num_threads(1)
