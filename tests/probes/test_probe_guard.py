# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The test split is read once, and not by those who choose; bad labels and features are named."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from hf_vdrep.probes import FitConfig, ProbeData, TestSplit, fit_readout, get_task, predict

SPANS = torch.tensor([[0, 1], [1, 5]])
OPTIONS = {"width": 16, "num_heads": 2}
CONFIG = FitConfig(steps=2, batch_size=8, learning_rates=(1e-3, 1e-2), seeds=(0, 1))
TASK = get_task("object")


def clips(count: int = 24, seed: int = 0, split: str | None = None) -> ProbeData:
    draw = torch.Generator().manual_seed(seed)
    values = torch.randn(count, 2, 3, 3, 8, generator=draw)
    return ProbeData(values, {"object": torch.arange(count) % 3}, SPANS, 5, split)


def fitted():
    return fit_readout(TASK, clips(), clips(seed=1), config=CONFIG, options=OPTIONS)


def test_the_guard_gives_the_predictions_of_the_chosen_seeds():
    result, test = fitted(), clips(seed=2)
    expected = [predict(TASK, member.readout, test) for member in result.chosen]
    found = TestSplit(clips(seed=2)).predict(TASK, result)
    assert len(found) == 2
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one["predictions"], other["predictions"])


def test_a_second_look_is_refused_and_every_look_is_recorded():
    result, guard = fitted(), TestSplit(clips(seed=2))
    guard.predict(TASK, result)
    assert [(reading["task"], reading["seed"]) for reading in guard.readings] == [("object", 0), ("object", 1)]
    with pytest.raises(ValueError, match="the test split is read once per fitted readout"):
        guard.predict(TASK, result)
    with pytest.raises(ValueError, match="read once"):
        guard.predict(TASK, result.chosen[1].readout)
    assert len(guard.readings) == 2


def test_the_ledger_remembers_across_processes(tmp_path):
    ledger, result = tmp_path / "results" / "test.jsonl", fitted()
    TestSplit(clips(seed=2), ledger=ledger).predict(TASK, result.best.readout)
    assert json.loads(ledger.read_text())["task"] == "object"
    with pytest.raises(ValueError, match="read once"):
        TestSplit(clips(seed=2), ledger=ledger).predict(TASK, result)
    assert len(ledger.read_text().splitlines()) == 1
    ledger.write_text("not json")
    with pytest.raises(ValueError, match="ledger must hold one JSON object per line"):
        TestSplit(clips(seed=2), ledger=ledger)


def test_guarded_data_cannot_teach_choose_or_be_read_beside_the_guard():
    data, result = clips(seed=2), fitted()
    guard = TestSplit(data)
    assert len(guard) == 24
    for train, validation in ((data, clips()), (clips(), data), (clips(), clips(split="test"))):
        with pytest.raises(ValueError, match="must not be the test split"):
            fit_readout(TASK, train, validation, config=CONFIG, options=OPTIONS)
    with pytest.raises(ValueError, match="validation must be ProbeData, got TestSplit"):
        fit_readout(TASK, clips(), guard, config=CONFIG, options=OPTIONS)
    with pytest.raises(ValueError, match="data must not be the test split"):
        predict(TASK, result.best.readout, data)
    with pytest.raises(ValueError, match="must not be the test split"):
        predict(TASK, result.best.readout, data.standardised())


@pytest.mark.parametrize("bad", [-1, 3, 99])
def test_labels_out_of_range_are_named_with_their_row(bad):
    wrong = clips(seed=1)
    wrong.labels["object"][7] = bad
    with pytest.raises(ValueError, match=rf"label 'object' must lie in \[0, 2\], got {bad} in row 7"):
        fit_readout(TASK, clips(), wrong, config=CONFIG, options=OPTIONS)
    with pytest.raises(ValueError, match=rf"\[0, 2\], got {bad} in row 7"):
        TASK.make(wrong, num_classes=3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_features_that_are_no_numbers_are_named_wherever_they_come(bad):
    wrong, readout = clips(seed=1), TASK.make(clips(), **OPTIONS)
    wrong.features[17, 0, 1, 1, 2] = bad
    for train, validation in ((wrong, clips()), (clips(), wrong)):
        with pytest.raises(ValueError, match="features must be finite, got NaN or infinity in row 17"):
            fit_readout(TASK, train, validation, config=CONFIG, options=OPTIONS)
    with pytest.raises(ValueError, match="row 17"):
        predict(TASK, readout, wrong)


def test_an_empty_training_set_is_refused():
    with pytest.raises(ValueError, match="same number of rows, at least 1"):
        clips(0)


def test_a_training_set_smaller_than_a_batch_is_gone_through_many_times():
    config = dataclasses.replace(CONFIG, batch_size=64)
    found = fit_readout(TASK, clips(5), clips(5), config=config, options=OPTIONS)
    assert all(np.isfinite(member.train_loss) for member in found.members)


def test_an_unknown_form_is_named():
    with pytest.raises(ValueError, match="readout must be 'attentive', 'mean_pool' or 'linear', got 'knn'"):
        TASK.make(clips(), readout="knn")
