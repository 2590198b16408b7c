# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Signals that come more than once, as launchers send them."""

import os
import signal

import pytest

import hf_vdrep.training.stop as stop
from hf_vdrep.training.entry import run_entry
from hf_vdrep.training.stop import StopSignal, at_once


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


def test_sigterm_before_the_first_step_is_a_good_end_too(capsys):
    """Rendering, encoding and opening data survive a kill; a scheduler is to see no failure."""
    before = signal.getsignal(signal.SIGTERM)
    assert run_entry(lambda argv: os.kill(os.getpid(), signal.SIGTERM), lambda argv: argv, []) == 0
    assert capsys.readouterr().err == "stopped before the next step; start again to go on\n"
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_forked_worker_dies_of_sigterm_as_it_would_have():
    """Else a pool of workers could not be ended, or would print the training's own words."""
    with at_once():
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(5)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
