# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Running the decoding process: started afresh, told nothing, read with a limit, and ended on time."""

import os
import selectors
import subprocess
import sys
import time

from .sandbox_protocol import Outcome, Request, parse

_PROGRAM = "import sys; from hf_vdrep.data.sandbox_worker import main; sys.exit(main(sys.argv[1]))"
_CHUNK = 1 << 20


def decode_apart(file: int, request: Request, timeout: float) -> tuple[Outcome, bytes]:
    """Decode an open file in a process of its own.

    The child gets an environment without the parent's secrets, no open file but this one, and no name of it.

    Args:
        file: file number, open for reading, at its beginning.
        request: what to decode.
        timeout: seconds of wall time, the start of the process included.

    Returns:
        The outcome and, when it is DONE, the pixels: uint8 (T, resolution, resolution, 3) as bytes.
    """
    deadline = time.monotonic() + timeout
    child = subprocess.Popen(
        [sys.executable, "-s", "-B", "-c", _PROGRAM, request.text()],
        stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        cwd="/", env=_environment(), close_fds=True, start_new_session=True,
    )  # fmt: skip
    try:
        answer = _read(child, request.most_bytes, deadline)
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    if answer is None:
        return Outcome.TIMEOUT, b""
    outcome, length = parse(answer, request)
    if outcome is Outcome.DONE:
        return outcome, answer[len(answer) - length * request.resolution**2 * 3 :]
    return outcome, b""


def _read(child: subprocess.Popen, most: int, deadline: float) -> bytes | None:
    """All that the child writes, at most one byte more than it may; None when time ran out."""
    assert child.stdout is not None
    number = child.stdout.fileno()
    found = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(number, selectors.EVENT_READ)
        while len(found) <= most:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                return None
            chunk = os.read(number, min(_CHUNK, most + 1 - len(found)))
            if not chunk:
                break
            found += chunk
    return bytes(found)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)
    return {"PYTHONPATH": path, "PYTHONUTF8": "1", **one_thread, **kept}
