# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Data order as a pure function of (seed, step)."""

import threading

import numpy as np
import pytest

from hf_vdrep.training.stream import IndexStream, derive_seed, prefetch


def test_every_epoch_visits_every_sample_once():
    stream = IndexStream(10, 4, seed=3)
    walked = np.concatenate([stream.indices(step) for step in range(5)])
    for epoch in (walked[:10], walked[10:]):
        assert sorted(epoch.tolist()) == list(range(10))
    assert walked[:10].tolist() != walked[10:].tolist()


def test_a_step_needs_no_history():
    walked = IndexStream(7, 3, seed=1)
    history = [walked.indices(step).tolist() for step in range(12)]
    for step in (11, 0, 5):
        assert IndexStream(7, 3, seed=1).indices(step).tolist() == history[step]
        assert walked.indices(step).tolist() == history[step]


def test_seeds_give_unrelated_orders():
    assert IndexStream(50, 50, seed=0).indices(0).tolist() != IndexStream(50, 50, seed=1).indices(0).tolist()
    assert len({derive_seed("noise", seed, step) for seed in range(30) for step in range(30)}) == 900


def test_an_empty_data_set_is_refused():
    with pytest.raises(ValueError, match="at least 1, got 0 and 4"):
        IndexStream(0, 4, seed=0)


def test_prefetch_keeps_the_order_and_works_ahead_in_another_thread():
    names = set()

    def produce(key: int) -> int:
        names.add(threading.current_thread().name)
        return key * key

    assert list(prefetch(produce, range(2, 7))) == [4, 9, 16, 25, 36]
    assert names == {"prefetch"}


def test_prefetch_raises_at_the_batch_that_failed():
    def produce(key: int) -> int:
        if key == 2:
            raise KeyError("clip 2")
        return key

    batches = prefetch(produce, range(5))
    assert [next(batches), next(batches)] == [0, 1]
    with pytest.raises(KeyError, match="clip 2"):
        next(batches)


def test_leaving_early_ends_the_thread():
    batches = prefetch(lambda key: key, range(10**6), depth=1)
    next(batches)
    batches.close()
    assert not any(thread.name == "prefetch" for thread in threading.enumerate())
