# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Work that ends in time."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from typing import TypeVar

Result = TypeVar("Result")


class Deadline:
    """A moment after which `check` raises.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raise TimeoutError after the deadline; long work calls this between its steps."""
        if self.left() <= 0:
            raise TimeoutError(self.words())

    def left(self) -> float:
        """Seconds that remain."""
        return self._end - time.monotonic()

    def words(self) -> str:
        """What the visitor is told."""
        return f"This took longer than the {self.seconds:g} seconds that the server allows, and was given up."


class Workers:
    """Threads that do the work of visitors; what overruns its deadline keeps its thread until it notices.

    A step inside a library cannot be interrupted. The visitor is answered in time all the same, and the number of
    threads bounds what such steps can cost.

    Args:
        threads: pieces of work at the same time.
        time_limit: seconds for each, waiting for a thread included.
    """

    def __init__(self, threads: int, time_limit: float) -> None:
        self.time_limit = time_limit
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="compare")

    def run(self, work: Callable[[Deadline], Result], seconds: float | None = None) -> Result:
        """The result of `work(deadline)`.

        Args:
            work: checks its deadline between its steps.
            seconds: instead of the time limit, for work that no visitor waits for.

        Raises:
            TimeoutError: it was not there in time.
        """
        deadline = Deadline(seconds or self.time_limit)
        future = self._pool.submit(work, deadline)
        try:
            return future.result(timeout=max(0.0, deadline.left()))
        except NotDone:
            future.cancel()
            raise TimeoutError(deadline.words()) from None
