# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A finished comparison as the study's main analysis."""

import json
from pathlib import Path

import pytest

from hf_vdrep.study.grid.config import StudyConfig
from hf_vdrep.study.grid.report import tables, writing
from hf_vdrep.study.grid.report.points import summarise
from hf_vdrep.study.grid.rows import read_rows
from hf_vdrep.study.grid.run import chosen_readings, run_studies


@pytest.fixture(scope="module")
def imported(finished, tmp_path_factory):
    """(results of the comparison, rows of the study)."""
    config, results, _ = finished
    folder = tmp_path_factory.mktemp("main")
    main = StudyConfig(name="main", kind="compare", axis="backbone", tasks=list(config.tasks))
    for _ in range(2):  # the second time adds nothing
        run_studies([main], folder, workers=1, quiet=True, compare=Path(config.output_dir))
    return main, results, read_rows(folder)


def test_scores_and_gains_are_those_of_the_comparison(imported):
    main, results, rows = imported
    summary = summarise(rows, resamples=200)["main"]
    for task in results.tasks:
        for entry in task.systems:
            (point,) = summary.select(task=task.task, twin=entry.system)
            assert point.value == pytest.approx(entry.score.value) and point.seeds == max(1, len(entry.seeds))
        gains = [gain.value for gain in summary.gains if gain.task == task.task]
        assert gains == ([pytest.approx(task.gain.value, abs=0.2)] if task.gain else [])
    assert len(tables.table_of(main, summary).body) == len(results.tasks)


def test_reading_a_comparison_is_not_its_wall_time(finished, tmp_path):
    config, _, _ = finished
    main = StudyConfig(name="main", kind="compare", axis="backbone", tasks=list(config.tasks))
    run_studies([main], tmp_path, workers=1, quiet=True, compare=Path(config.output_dir))
    assert json.loads((tmp_path / "times.json").read_text()) == {}
    (tmp_path / "times.json").write_text('{"main": 0.001}')  # as earlier versions wrote it
    report = writing.write_report(tmp_path, tmp_path / "report", resamples=20).parent
    assert json.loads((report / "summary.json").read_text())["studies"]["main"]["seconds"] is None


def test_every_row_stands_once_and_says_how_i_walt_read(imported):
    _, results, rows = imported
    assert len({row.key for row in rows}) == len(rows)
    chosen = {task.task: task.system("i-walt").reading for task in results.tasks}
    assert chosen_readings(rows) == {task: reading for task, reading in chosen.items() if reading}


def test_a_folder_without_a_comparison_is_named(tmp_path):
    with pytest.raises(ValueError, match="compare must be the output folder of a finished"):
        run_studies([StudyConfig(name="main", kind="compare")], tmp_path, workers=1, quiet=True, compare=tmp_path)
