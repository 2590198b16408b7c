# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the decoding process takes away from itself before it looks at the first hostile byte."""

import os
import resource
import signal
from contextlib import suppress


def lock_down(cpu_seconds: int, memory_bytes: int) -> None:
    """Give up memory, time, files, sockets and children, for good.

    Afterwards nothing can be opened: the limit on file numbers is the one in use. That closes the file system and the
    network at once, whatever a decoder is talked into, and needs no privileges. Modules must be imported before.

    Args:
        cpu_seconds: processor time after which the system ends the process; wall time gets a second more.
        memory_bytes: of address space.
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CPU, cpu_seconds)
    _limit(resource.RLIMIT_AS, memory_bytes)
    if hasattr(resource, "RLIMIT_NPROC"):
        _limit(resource.RLIMIT_NPROC, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(cpu_seconds + 1)  # should the parent be gone
    _limit(resource.RLIMIT_NOFILE, _first_free_number())


def _first_free_number() -> int:
    number = os.dup(0)
    os.close(number)
    return number


def _limit(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with suppress(ValueError, OSError):  # a system that lacks this limit still has the others
        resource.setrlimit(what, (value, value))
