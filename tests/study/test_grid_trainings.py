# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Does a gain survive another training? Cells, rows, table and words of the analysis `seeds`."""

import dataclasses
import json

import numpy as np
import pytest
from diffusers import DDIMScheduler
from safetensors.torch import save_file

from hf_vdrep.backbones.random_init import randomize
from hf_vdrep.metrics.bootstrap import paired_bootstrap
from hf_vdrep.models import AutoencoderWalt, WaltTransformer3DModel, shipped
from hf_vdrep.models.pipeline_walt import WaltPipeline
from hf_vdrep.study.grid import cells, measure, run, systems
from hf_vdrep.study.grid.catalog import load_study
from hf_vdrep.study.grid.config import StudyConfig
from hf_vdrep.study.grid.report import figures, tables, words, writing
from hf_vdrep.study.grid.report.points import summarise
from hf_vdrep.study.grid.rows import StudyRow, read_rows
from hf_vdrep.study.grid.run import run_studies

SEEDS = StudyConfig(name="seeds", title="Trainings", axis="training_seed", tasks=["object"])


@pytest.fixture
def fresh(monkeypatch):
    """What is kept of opened models, put away and brought back."""
    caches = (measure._fingerprint, measure._counted, run._tokenizer)
    monkeypatch.setattr(systems, "_OPENED", {})
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def shelf(twins, tmp_path, monkeypatch, fresh):
    """Seeds of a second training -> a package whose twins are tiny, trained for 7 steps."""
    root = tmp_path / "walt-tiny"
    (root / "checkpoints").mkdir(parents=True)
    (root / "checkpoints" / "training.json").write_text('{"steps": 7}')
    scheduler = DDIMScheduler(prediction_type="v_prediction")
    states = {}
    for twin, key in (("i-walt", "i_walt"), ("v-walt", "v_walt")):
        vae = AutoencoderWalt.from_pretrained(twins[key], subfolder="vae")
        transformer = WaltTransformer3DModel.from_pretrained(twins[key], subfolder="transformer")
        WaltPipeline(vae, transformer, scheduler).save_pretrained(root / twin)
        save_file(transformer.state_dict(), root / "checkpoints" / f"{twin}-seed0-step3.safetensors")
        states[twin] = randomize(transformer, seed=5).state_dict()
    monkeypatch.setattr(shipped, "ROOT", root)

    def train_again() -> None:
        for twin, state in states.items():
            save_file(state, root / "checkpoints" / f"{twin}-seed1-step7.safetensors")

    return train_again


def tiny(**changes) -> StudyConfig:
    values = {
        "name": "seeds",
        "axis": "training_seed",
        "training_seeds": [0, 1],
        "tasks": ["object"],
        "timesteps": [100],
        "train_sizes": [32],
        "splits": {"train": 32, "validation": 16, "test": 16},
        "steps": {"object": 2},
        "resolution": 32,
    }
    return StudyConfig(**{**values, **changes})


def test_without_the_second_training_nothing_is_measured_and_a_line_says_why(shelf, tmp_path):
    found, skipped = cells.expand(tiny())
    assert found == [] and [entry.backbone for entry in skipped] == ["i-walt, training 1", "v-walt, training 1"]
    assert "got seed 1 of i-walt" in skipped[0].reason
    outcome = run_studies([tiny()], tmp_path / "out", workers=1, quiet=True)
    assert outcome.measured == {"seeds": 0} and outcome.skipped["seeds"] == skipped


def test_both_trainings_are_read_and_a_curve_along_the_first_stays_its_own(shelf, tmp_path):
    """The first training's cells are those of an analysis of the twins as they ship, and are taken from it."""
    shelf()
    folder = tmp_path / "out"
    shipping = tiny(name="budget", axis="fraction", training_seeds=[], checkpoints=True)
    assert cells.specs_of(shipping) == ["i-walt@0:3", "i-walt@0:7", "v-walt@0:3", "v-walt@0:7"]
    run_studies([shipping], folder, workers=1, quiet=True)
    outcome = run_studies([tiny()], folder, workers=1, quiet=True)
    assert outcome.found == {"seeds": 2} and outcome.measured == {"seeds": 2} and not outcome.skipped["seeds"]
    rows = [row for row in read_rows(folder) if row.study == "seeds" and row.primary]
    assert {(row.twin, row.training_seed, row.training_step) for row in rows} == {
        (twin, seed, 7) for twin in ("i-walt", "v-walt") for seed in (0, 1)
    }
    assert len({row.revision for row in rows}) == 4
    page = writing.write_report(folder, tmp_path / "report", resamples=50)
    assert "1 less 0" in page.read_text() and (page.parent / "seeds.png").exists()


def make_row(twin: str, training: int, share: float, seed: int) -> StudyRow:
    values = (np.random.default_rng(seed).random(400) < share).astype(float)
    return StudyRow(
        study="seeds",
        kind="probe",
        task="object",
        dataset="probeworld-x",
        split="test",
        backbone=f"{twin}@{training}:7",
        twin=twin,
        revision=f"{twin}{training}",
        metric="top_1",
        value=float(values.mean()),
        n=len(values),
        config_hash=f"{twin}-{training}",
        training_seed=training,
        training_step=7,
        fraction=1.0,
        seed=0,
        per_sample=values,
    )


def made(i: tuple[float, float], v: tuple[float, float]) -> list[StudyRow]:
    shares = {"i-walt": i, "v-walt": v}
    return [
        make_row(twin, training, shares[twin][training], 10 + 2 * training + (twin == "v-walt"))
        for twin in shares
        for training in (0, 1)
    ]


def test_each_training_has_its_gain_and_the_spread_is_paired_over_clips():
    rows = made((0.3, 0.4), (0.6, 0.7))
    summary = summarise(rows, resamples=300)["seeds"]
    assert [gain.settings["training_seed"] for gain in summary.gains] == [0, 1]
    expected = paired_bootstrap(rows[0].per_sample, rows[1].per_sample, resamples=300)
    (spread,) = [found for found in summary.spreads if found.twin == "i-walt"]
    assert (spread.difference, spread.low, spread.high) == dataclasses.astuple(expected.difference)
    sides = [point.high - point.low for point in summary.select(twin="i-walt")]
    # Either interval is that of its training alone; a joint draw may differ from it by a resample's chance.
    assert spread.half_width == pytest.approx(np.mean(sides) / 2, rel=0.1)
    assert json.dumps(summary.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("i", "v", "says"),
    [
        ((0.3, 0.3), (0.6, 0.6), "V-WALT is better in each"),
        ((0.6, 0.6), (0.3, 0.3), "I-WALT is better in each"),
        ((0.3, 0.6), (0.6, 0.3), "the trainings contradict each other"),
        ((0.3, 0.50), (0.6, 0.51), "decided in some"),
        ((0.5, 0.5), (0.5, 0.5), "decided in none"),
    ],
)
def test_words_and_table_say_whether_a_gain_survives(i, v, says):
    summary = summarise(made(i, v), resamples=300)["seeds"]
    table, lines = tables.table_of(SEEDS, summary), words.sentences(SEEDS, summary)
    assert [row[2] for row in table.body] == ["0", "1", "1 less 0"] and says in table.body[2][5]
    assert says in lines[1] and "moves by" in lines[1]
    survives = 1 if "in each" in says else 0
    assert lines[0].startswith(f"On {survives} of 1 tasks the same twin is better in every training")
    assert figures.draw(SEEDS, summary) is not None


def test_one_training_alone_says_so():
    rows = [row for row in made((0.3, 0.3), (0.6, 0.6)) if row.training_seed == 0]
    assert "Only one training" in words.sentences(SEEDS, summarise(rows, resamples=50)["seeds"])[0]


def test_the_shipped_analysis_shares_its_settings_with_the_training_budget():
    mine, other = load_study("seeds"), load_study("training-budget")
    same = ("tasks", "layers", "timesteps", "steps", "splits", "train_sizes", "resolution", "seed")
    assert all(getattr(mine, name) == getattr(other, name) for name in same)
    assert mine.training_seeds == [0, 1]


def test_checkpoints_and_trainings_are_not_asked_for_together():
    with pytest.raises(ValueError, match="training_seeds must be empty"):
        tiny(checkpoints=True).check()
