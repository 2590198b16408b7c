# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Work is bounded in time and in threads."""

import threading
import time

import pytest

from hf_vdrep.app.deadline import Deadline, Workers


def test_the_visitor_is_answered_in_time_although_the_step_goes_on():
    workers, stop = Workers(1, 0.05), threading.Event()
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r"longer than the 0\.05 seconds"):
        workers.run(lambda deadline: stop.wait(5))
    assert time.monotonic() - started < 2
    stop.set()


def test_work_that_checks_ends_itself():
    deadline = Deadline(0.01)
    time.sleep(0.02)
    with pytest.raises(TimeoutError):
        deadline.check()


def test_no_more_threads_than_allowed_run_at_once():
    workers, running, most = Workers(2, 30), [0], [0]
    lock = threading.Lock()

    def work(_: Deadline) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= 1

    threads = [threading.Thread(target=workers.run, args=(work,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2
