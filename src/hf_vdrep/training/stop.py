# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Stop between two steps on SIGTERM or Ctrl-C, so that the checkpoint is whole; at once outside of the steps."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """The run was asked to stop; its checkpoint is written.

    Args:
        message: one line for the user.
        signal_number: what asked: SIGTERM (pre-emption) is a good end, Ctrl-C is not.
    """

    def __init__(self, message: str, signal_number: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.exit_code = 0 if signal_number == signal.SIGTERM else 128 + signal.SIGINT


@contextmanager
def at_once() -> Iterator[None]:
    """SIGTERM raises `Interrupted` where the program stands, which suits work that a kill would not hurt either."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner = os.getpid()

    def handle(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:
            # A forked child: it dies as it would have.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        else:
            raise Interrupted("stopped before the next step; start again to go on", signal_number=number)

    previous = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        # None stands for a handler that was not set from Python.
        signal.signal(signal.SIGTERM, signal.SIG_DFL if previous is None else previous)


# A launcher (torchrun, srun) passes on what the whole process group has got already: the same wish comes twice.
ECHO_SECONDS = 3.0


class StopSignal:
    """Context manager that notes the first SIGTERM or SIGINT as `number`.

    A further Ctrl-C, later than an echo of the first, interrupts at once; a further SIGTERM never does, since it would
    cost the checkpoint that the first one asked for.
    """

    def __init__(self) -> None:
        self.number = 0
        self._since = 0.0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "StopSignal":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *unused: object) -> None:
        for number, handler in self._previous.items():
            # None stands for a handler that was not set from Python.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    @property
    def requested(self) -> bool:
        return self.number != 0

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.requested:
            self.number, self._since = number, time.monotonic()
        elif number == signal.SIGINT and time.monotonic() - self._since > ECHO_SECONDS:
            raise KeyboardInterrupt
