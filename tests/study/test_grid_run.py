# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Running grids: expanded as asked, resumed by hash, the same whatever the processes."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import yaml

from hf_vdrep.study.grid import cells, measure
from hf_vdrep.study.grid.catalog import ORDER, load_study, shipped_studies
from hf_vdrep.study.grid.config import StudyConfig
from hf_vdrep.study.grid.rows import read_rows
from hf_vdrep.study.grid.run import Outcome, _remember, run_studies
from hf_vdrep.training.config import save_config


@pytest.fixture(scope="session")
def grid(twins):
    """Overrides -> a study that takes seconds, on the tiny twins."""

    def make(**overrides) -> StudyConfig:
        values = {
            "name": "tiny",
            "backbones": [twins["i_walt"], twins["v_walt"]],
            "tasks": ["object", "action_motion"],
            "layers": [0.5, 1.0],
            "timesteps": [100],
            "train_sizes": [32],
            "splits": {"train": 32, "validation": 16, "test": 16},
            "steps": {"object": 3, "action_motion": 3, "depth": 2},
            "resolution": 32,
        }
        return StudyConfig(**{**values, **overrides})

    return make


@pytest.fixture(scope="session")
def ran(grid, tmp_path_factory):
    """(config, folder, outcome) of a finished run with all frame orders."""
    folder = tmp_path_factory.mktemp("study")
    config = grid(frame_orders=["forward", "shuffled", "frozen"])
    return config, folder, run_studies([config], folder, workers=1, quiet=True)


def test_every_cell_of_the_grid_has_its_rows(ran):
    _, folder, outcome = ran
    rows = [row for row in read_rows(folder) if row.primary]
    # Two models, two blocks; images know no order of frames.
    assert outcome.measured == {"tiny": 8} and len(rows) == 2 * 2 * (1 + 3)
    assert {(row.layer, row.num_layers) for row in rows} == {(0, 2), (1, 2)}
    assert {row.reading for row in rows if row.task == "action_motion"} == {"stack", None}
    listed = json.loads((folder / "cells.json").read_text())
    assert listed == {"tiny": sorted({row.config_hash for row in rows})}
    motion = {row.metric for row in read_rows(folder) if row.task == "action_motion"}
    assert motion == {"top_1", "top_5", "per_class_mean"}  # issue 4: per class, and on shuffled clips


def test_values_are_means_of_their_samples_and_rates_are_among_those_tried(ran):
    for row in read_rows(ran[1]):
        assert row.value == pytest.approx(np.nanmean(row.per_sample), abs=1e-3)
        assert row.learning_rate in (3e-3, 1e-2) and row.n <= 16 and row.flops > 0 and row.wall_time > 0


def test_a_second_run_measures_nothing(ran, monkeypatch):
    config, folder, _ = ran
    monkeypatch.setattr(measure.GroupJob, "run", lambda _: pytest.fail("measured again"))
    again = run_studies([config], folder, workers=1, quiet=True)
    assert again.found == {"tiny": 8} and again.measured == {"tiny": 0}


def test_another_study_takes_the_cells_that_it_shares(ran, tmp_path, monkeypatch):
    config, folder, _ = ran
    monkeypatch.setattr(measure.GroupJob, "run", lambda _: pytest.fail("measured again"))
    other = dataclasses.replace(config, name="other", layers=[1.0], frame_orders=["forward"])
    before = len(read_rows(folder))
    run_studies([other], folder, workers=1, quiet=True)
    new = [row for row in read_rows(folder) if row.study == "other"]
    mine = {(r.config_hash, r.metric): r for r in read_rows(folder) if r.study == "tiny"}
    assert new and all(dataclasses.replace(row, study="tiny") == mine[row.config_hash, row.metric] for row in new)
    assert len(read_rows(folder)) == before + len(new)


def test_a_run_that_was_killed_goes_on_where_it_was(ran, grid, tmp_path):
    """SIGKILL after the first shard; the rows are those of a run that was not killed."""
    config = dataclasses.replace(ran[0], frame_orders=["forward"], tasks=["object"])
    file, folder = save_config(config, tmp_path / "tiny.yaml"), tmp_path / "out"
    script = (
        "import os, sys; from hf_vdrep.study.grid import measure; write = measure.write_shard\n"
        "def dies(*a): write(*a); os.kill(os.getpid(), 9)\n"
        "measure.write_shard = dies\n"
        "from hf_vdrep.cli.main import main; main(sys.argv[1:])"
    )
    arguments = ["study", "run", str(file), "-o", str(folder), "--workers", "1", "-q", "--no-report"]
    killed = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, check=False)
    assert killed.returncode == -9 and {row.layer for row in read_rows(folder)} == {0}
    outcome = run_studies([config], folder, workers=1, quiet=True)
    assert outcome.found == {"tiny": 1} and outcome.measured == {"tiny": 3}
    whole = {row.config_hash: row.value for row in read_rows(ran[1]) if row.study == "tiny" and row.metric == "top_1"}
    assert all(whole[row.config_hash] == row.value for row in read_rows(folder) if row.metric == "top_1")


def test_a_run_that_goes_on_adds_to_the_time_that_was_taken(tmp_path):
    first = Outcome(measured={"a": 2, "b": 0}, seconds={"a": 2.0, "b": 9.0})
    on = Outcome(measured={"a": 1}, found={"a": 2}, seconds={"a": 3.0})
    for outcome in (first, first, on, on):  # told after every analysis of a run
        _remember(tmp_path, outcome)
    assert json.loads((tmp_path / "times.json").read_text()) == {"a": 5.0}


def test_processes_under_a_launcher_share_the_cells(ran, tmp_path, monkeypatch):
    """RANK and WORLD_SIZE, as torchrun and accelerate launch set them."""
    config = dataclasses.replace(ran[0], frame_orders=["forward"], tasks=["object"], layers=[1.0])
    shares = []
    for rank in range(2):
        monkeypatch.setenv("WORLD_SIZE", "2")
        monkeypatch.setenv("RANK", str(rank))
        shares.append(run_studies([config], tmp_path / str(rank), workers=1, quiet=True).measured["tiny"])
    rows = [{row.config_hash for row in read_rows(tmp_path / str(rank))} for rank in range(2)]
    assert shares == [1, 1] and not rows[0] & rows[1]


def test_a_model_that_cannot_be_opened_is_left_out_and_named(grid, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found, skipped = cells.expand(grid(backbones=["no-such-model", "pixels"]))
    assert {cell.source.backbone for cell in found} == {"pixels"} and len(found) == 2
    assert [entry.backbone for entry in skipped] == ["no-such-model"] and "no-such-model" in skipped[0].reason


def test_the_reading_that_the_main_table_chose_is_taken(grid):
    found, _ = cells.expand(grid(), chosen={"action_motion": "stride"})
    readings = {(cell.task, cell.source.reading) for cell in found if "i-walt" in cell.source.backbone}
    assert readings == {("object", None), ("action_motion", "stride")}


def test_hashes_tell_apart_what_decides_a_score(grid, ran, tmp_path):
    from hf_vdrep.study.grid.world import Clips

    clips = Clips.of(ran[0], ran[1] / "cache")
    cell = cells.expand(grid())[0][-1]
    source = dataclasses.replace(cell.source, timestep=200)
    others = [
        dataclasses.replace(cell, source=source),
        *(
            dataclasses.replace(cell, **{k: v})
            for k, v in (("seed", 1), ("steps", 4), ("train_size", 16), ("layer", 0))
        ),
    ]
    hashes = {measure.cell_hash(clips, one, order) for one in (cell, *others) for order in ("forward", "reversed")}
    assert len(hashes) == 2 * (1 + len(others))


def test_shipped_studies_can_be_run_and_all_names_each_once():
    assert list(shipped_studies()) == list(ORDER)
    for name in shipped_studies():
        config = load_study(name)
        assert config.name == name and config.question and config.minutes > 0


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"tasks": ["objects"]}, "tasks must be among"),
        ({"layers": [0.0]}, r"layers must be relative depths in \(0, 1\], got 0.0"),
        ({"timesteps": [1000]}, r"timesteps must lie in \[0, 999\], got 1000"),
        ({"train_sizes": [4096]}, "train_sizes must lie in"),
        ({"splits": {"train": 64, "validation": 8, "test": 64}}, "validation at least 16 clips, got 8"),
        ({"frame_orders": ["sideways"]}, "frame_orders must be among"),
        ({"kind": "magic"}, "kind must be one of"),
    ],
)
def test_a_setting_that_cannot_be_run_is_named_before_any_work(tmp_path, setting, words):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"name": "mine", **setting}))
    with pytest.raises(ValueError, match=words):
        load_study(path)


def test_an_unknown_name_lists_the_shipped_ones():
    with pytest.raises(ValueError, match=r"config must be all, one of noise, layers, .* got 'nose'"):
        load_study("nose")


@pytest.mark.slow
def test_rows_do_not_depend_on_the_number_of_processes(ran, tmp_path):
    run_studies([ran[0]], tmp_path, workers=2, quiet=True)
    found = [[row for row in read_rows(f) if row.study == "tiny"] for f in (ran[1], tmp_path)]
    values = [{(row.config_hash, row.metric): row.value for row in rows} for rows in found]
    assert values[0] == values[1]


def test_similarity_of_every_pair_of_places_is_measured_once(ran, grid, tmp_path):
    import json

    config = grid(name="alike", kind="cka", axis="places", options={"clips": 16}, splits=ran[0].splits)
    config.backbones = [*config.backbones, "pixels"]
    run_studies([config], ran[1], workers=1, quiet=True)
    rows = [row for row in read_rows(ran[1]) if row.study == "alike"]
    assert len(rows) == 5 * 6 // 2 and all(len(row.per_sample) == 16 for row in rows)
    own = [row for row in rows if json.loads(row.other)["first"] == json.loads(row.other)["second"]]
    assert [row.value for row in own] == pytest.approx([1.0] * 5)
    assert os.path.exists(ran[1] / "configs" / "alike.yaml")
