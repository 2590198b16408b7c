# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Stop between two steps on SIGTERM or Ctrl-C, so that the checkpoint is whole."""

import signal
import threading
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


class StopSignal:
    """Context manager that notes the first SIGTERM or SIGINT as `number`; a second one interrupts at once."""

    def __init__(self) -> None:
        self.number = 0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "StopSignal":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *unused: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @property
    def requested(self) -> bool:
        return self.number != 0

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.number = number
