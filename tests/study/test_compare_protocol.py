# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The protocol (design: The ten tasks): frozen features, choices on validation, the test split touched once."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from hf_vdrep.study.compare import comparison, plan, pool
from hf_vdrep.study.compare.comparison import open_setting, run, to_json
from hf_vdrep.study.compare.config import TASK_NAMES
from hf_vdrep.study.compare.rows import Ledger


def test_no_test_label_is_read_before_every_choice_is_made(finished):
    _, _, reads = finished
    is_test = ["-test-" in path.parent.name for path in reads]
    first = is_test.index(True)
    late = [path for path in reads[first:] if "-train-" in path.parent.name]
    assert first > 100  # all trainings lie before it
    assert not late


def test_only_the_labels_of_the_tasks_are_read(tiny, tmp_path, monkeypatch):
    from hf_vdrep.study.compare import splits

    reads, read_array = [], splits.read_array
    monkeypatch.setattr(splits, "read_array", lambda path: reads.append(path.stem) or read_array(path))
    run(tiny(tmp_path, tasks=["object"], floors=[], examples=0, seeds=1), quiet=True)
    assert set(reads) == {"video", "object"}


def test_selection_takes_the_best_validation_score_whatever_the_test_says(finished):
    config, results, _ = finished
    ledger = Ledger(config.output_dir)
    rows = [json.loads(line) for line in ledger.path.read_text().splitlines()]
    for task in results.tasks:
        better = max if task.higher_is_better else min
        for key in ("i-walt", "v-walt"):
            short = [r for r in rows if (r["task"], r["backbone"], r["split"]) == (task.task, key, "validation")]
            short = [r for r in short if r["readout"] == short[0]["readout"]]
            best = better(r["value"] for r in short)
            cells = [(r["layer"], r["timestep"], r["reading"], r["learning_rate"]) for r in short if r["value"] == best]
            found = task.system(key)
            assert (found.layer, found.timestep, found.reading, found.learning_rate) in cells


def test_every_reading_of_i_walt_competes_on_every_clip_task(finished):
    _, results, _ = finished
    for task in results.tasks:
        readings = {cell["reading"] for cell in task.sweep if cell["system"] == "i-walt"}
        assert readings == ({None} if task.task in ("object", "scene", "fine") else {"stack", "stride"})
        assert {cell["reading"] for cell in task.sweep if cell["system"] == "v-walt"} == {None}


def test_readouts_schedules_and_seeds_are_the_same_for_the_twins(tiny, tmp_path):
    setting = open_setting(tiny(tmp_path))
    image, video = (plan.search_trials(setting, "depth", key) for key in ("i-walt", "v-walt"))
    assert {(t.fit, t.train_rows) for t in image} == {(t.fit, t.train_rows) for t in video}
    finals = [plan.final_trials(trials[0]) for trials in (image, video)]
    assert [[(t.seed, t.steps, t.train_rows) for t in group] for group in finals] == [[(0, 3, 32), (1, 3, 32)]] * 2


def test_choose_keeps_the_first_of_equals_and_needs_a_number(tiny, tmp_path):
    setting = open_setting(tiny(tmp_path))
    trials = plan.search_trials(setting, "depth", "v-walt")
    row = dataclasses.make_dataclass("Row", ["value"])

    def rows(*values):
        return {t.key("validation"): row(v) for t, v in zip(trials, values, strict=True)}

    assert plan.choose(trials, rows(0.3, 0.2)) is trials[1]  # AbsRel: less is better
    assert plan.choose(trials, rows(0.2, 0.2)) is trials[0]
    assert plan.choose(trials, rows(float("nan"), 0.9)) is trials[1]
    with pytest.raises(ValueError, match="no validation score is a number"):
        plan.choose(trials, rows(float("nan"), float("nan")))


def test_scores_are_those_of_the_evaluate_module_and_means_of_their_per_sample_values(finished):
    config, results, _ = finished
    ledger = Ledger(config.output_dir)
    rows = [ledger.find(json.loads(line)["config_hash"]) for line in ledger.path.read_text().splitlines()]
    tested = [row for row in rows if row.split == "test"]
    assert len(tested) == len(config.tasks) * (2 * config.seeds + len(config.floors))
    for row in tested:
        assert row.value == pytest.approx(np.nanmean(row.per_sample[row.metric]), abs=1e-6)
    task = results.tasks[0]
    own = [row.value for row in tested if (row.task, row.backbone) == (task.task, "v-walt")]
    assert task.system("v-walt").score.value == pytest.approx(np.mean(own))


def test_a_second_run_measures_nothing_and_finds_the_same(finished, monkeypatch):
    config, results, _ = finished
    monkeypatch.setattr(pool.WorkPool, "map", lambda *_: pytest.fail("work was done again"))
    written = {path: path.read_bytes() for path in Path(config.output_dir).glob("*") if path.is_file()}
    again = run(config, quiet=True)
    assert to_json(again) == to_json(results)
    assert {path: path.read_bytes() for path in written} == written


def test_two_runs_with_the_same_seed_are_identical(tiny, tmp_path):
    small = {"tasks": ["object", "point_tracks"], "floors": ["pixels"], "layers": [1.0], "examples": 0}
    first, second = (run(tiny(tmp_path / name, **small), quiet=True) for name in "ab")
    assert to_json(first) == to_json(second)
    assert "wall_time" not in to_json(first)
    assert str(tmp_path) not in to_json(first)


@pytest.mark.slow
def test_all_ten_tasks_run_with_every_floor(tiny, tmp_path):
    results = run(tiny(tmp_path, tasks=["all"], floors=["chance", "pixels", "latents", "random"]), quiet=True)
    assert [task.task for task in results.tasks] == list(TASK_NAMES)
    for task in results.tasks:
        systems = ["chance", "pixels", "latents", "random", "i-walt", "v-walt"]
        assert [found.system for found in task.systems] == systems
        assert all(np.isfinite(found.score.value) for found in task.systems)


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_processes(finished, tiny, tmp_path):
    _, results, _ = finished
    assert to_json(run(tiny(tmp_path, workers=3), quiet=True)) == to_json(results)


def test_an_interrupted_run_goes_on_where_it_was(tiny, tmp_path, monkeypatch):
    config = tiny(tmp_path, tasks=["object"], floors=["pixels"], examples=0, layers=[1.0])
    genuine, calls = comparison.trials.test, []

    def dies(trial):
        calls.append(trial)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return genuine(trial)

    monkeypatch.setattr(comparison.trials, "test", dies)
    with pytest.raises(KeyboardInterrupt):
        run(config, quiet=True)
    rows = len(Ledger(tmp_path))
    assert not (tmp_path / "table.json").exists() and not list(tmp_path.glob(".*"))
    run(config, quiet=True)
    assert len(calls) == 2 + 4  # five readouts to test, the first of them scored before the interrupt
    assert len(Ledger(tmp_path)) == rows + 4
