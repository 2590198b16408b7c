# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Signals that come more than once, as launchers send them."""

import os
import signal

import pytest

import hf_vdrep.training.stop as stop
from hf_vdrep.training.stop import StopSignal


@pytest.fixture
def clock(monkeypatch):
    """Seconds, to be set by the test."""
    now = [100.0]
    monkeypatch.setattr(stop.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_an_echo_does_not_cost_the_checkpoint(first, second, clock):
    """Slurm and a terminal signal the whole group; torchrun, which is in it, passes the signal on to its workers."""
    with StopSignal() as asked:
        os.kill(os.getpid(), first)
        clock[0] += 1.0
        os.kill(os.getpid(), second)
        assert asked.number == first


def test_only_ctrl_c_interrupts_a_stop_that_takes_long(clock):
    with StopSignal() as asked:
        os.kill(os.getpid(), signal.SIGTERM)
        clock[0] += 60.0
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked.number == signal.SIGTERM
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_come_back(clock):
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    with StopSignal():
        assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
    assert {number: signal.getsignal(number) for number in before} == before
