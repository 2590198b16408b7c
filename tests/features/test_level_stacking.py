# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Noise levels in one pass: the same features, the faster way chosen, and the choice kept."""

import json

import pytest
import torch
from tiny_extraction import Clips, shard_bytes, tiny_backbone

from hf_vdrep.backbones import WaltBackbone
from hf_vdrep.features import extraction_run, level_plan
from hf_vdrep.features.level_plan import NAME, LevelPlan
from hf_vdrep.features.stacking import LevelReader

LEVELS = [0, 200, 600]


@pytest.fixture
def passes(backbone):
    """The rows of every forward pass."""
    rows: list[int] = []
    handle = backbone.transformer.blocks[0].register_forward_hook(
        lambda module, inputs, output: rows.append(len(output))
    )
    yield rows
    handle.remove()


@pytest.fixture
def choose(monkeypatch):
    """Stands in for the trial; gives the number of trials."""

    def stand_in(answer: bool) -> list[int]:
        trials: list[int] = []
        monkeypatch.setattr(LevelReader, "prefers_one_pass", lambda *_: bool(trials.append(1)) or answer)
        monkeypatch.setattr(extraction_run, "FEWEST_BATCHES", 1)
        return trials

    return stand_in


@pytest.mark.parametrize("reading", ["video", "stack", "stride"])
def test_stacked_levels_are_the_levels(backbone, clips, reading):
    """For clips and for images, in the order of levels, then layers."""
    read = WaltBackbone(backbone.vae, backbone.transformer, video_as=reading)
    inputs = read.prepare(clips.pixels[:3])
    options = {"sample_ids": clips.ids[:3], "layers": [0, 3], "timesteps": LEVELS}
    apart, stacked = read.extract(inputs, **options), read.extract_stacked(inputs, **options)
    assert [(each.layer, each.timestep) for each in stacked] == [(each.layer, each.timestep) for each in apart]
    for one, other in zip(apart, stacked, strict=True):
        torch.testing.assert_close(one.values, other.values, rtol=1e-5, atol=1e-5)


def test_stacked_extraction_fills_the_same_cells(extract, tmp_path, passes):
    """One forward pass a batch in the place of one a level; the first is run twice, to see that it fits."""
    options = {"layers": [0, 2], "timesteps": LEVELS, "batch_size": 4}
    apart = extract(**options)
    assert passes == [4, 4, 4, 4, 4, 4, 2, 2, 2]
    passes.clear()
    stacked = extract(cache_dir=tmp_path / "other", stacking="on", **options)
    assert passes == [12, 12, 12, 6] and stacked.cells == apart.cells
    for cell in apart.cells:
        torch.testing.assert_close(stacked[cell][:], apart[cell][:], rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="stacking must be one of auto, on, off, got 'maybe'"):
        extract(stacking="maybe")


@pytest.mark.parametrize(
    ("answer", "rows"), [(True, [9, 3, 9, 3, 6]), (False, [3, 3, 3, 1, 1, 1, 3, 3, 3, 1, 1, 1, 2, 2, 2])]
)
def test_a_trial_decides_for_the_whole_run_and_for_those_after_it(extract, choose, passes, tmp_path, answer, rows):
    """Three levels of shards of 4, 4, 2 in batches of 3; another layer follows what was decided."""
    trials = choose(answer)
    extract(timesteps=LEVELS, stacking="auto")
    assert len(trials) == 1 and passes == rows
    passes.clear()
    extract(layers=[1, 2], timesteps=LEVELS, stacking="auto")
    assert len(trials) == 1 and passes == rows
    notes = [json.loads(path.read_text()) for path in (tmp_path / "cache").rglob(NAME)]
    assert notes == [{"together" if answer else "alone": LEVELS}] * 6


def test_a_resumed_run_puts_the_same_levels_together(extract, choose, passes, tmp_path):
    """Bit for bit: one cell's shard is lost, and all of its pass is run again, whatever a new trial would say."""
    choose(True)
    extract(timesteps=LEVELS, stacking="auto")
    before = shard_bytes(tmp_path / "cache")
    lost = next(path.parent for path in (tmp_path / "cache").rglob(NAME)) / "shard-00001.safetensors"
    lost.unlink()
    passes.clear()
    choose(False)
    extract(timesteps=LEVELS, stacking="auto")
    assert passes == [9, 3]
    assert shard_bytes(tmp_path / "cache") == before


@pytest.mark.parametrize("stacking", ["on", "auto", "off"])
def test_cells_that_were_begun_together_go_on_so(extract, choose, passes, monkeypatch, tmp_path, stacking):
    """For a process that comes late, finds few batches left, or was told otherwise: a cell has one kind of pass."""
    extract(timesteps=LEVELS, stacking="on")
    before = shard_bytes(tmp_path / "cache")
    for path in before:
        if path.name == "shard-00002.safetensors":
            (tmp_path / "cache" / path).unlink()
    choose(False)
    monkeypatch.setattr(extraction_run, "FEWEST_BATCHES", 2)
    passes.clear()
    extract(timesteps=LEVELS[::-1], stacking=stacking)
    assert passes == [6] and shard_bytes(tmp_path / "cache") == before


@pytest.mark.parametrize("stacking", ["on", "auto"])
def test_shards_without_a_note_came_from_passes_of_one_level(extract, choose, passes, tmp_path, stacking):
    """As of a cache that is older than the notes."""
    extract(timesteps=LEVELS)
    before = shard_bytes(tmp_path / "cache")
    for path in (tmp_path / "cache").rglob(NAME):
        path.unlink()
    for path in before:
        if path.name == "shard-00002.safetensors":
            (tmp_path / "cache" / path).unlink()
    choose(True)
    passes.clear()
    extract(timesteps=LEVELS, stacking=stacking)
    assert passes == [2, 2, 2] and shard_bytes(tmp_path / "cache") == before


def test_a_level_that_goes_alone_does_not_decide_for_others(extract, choose, passes):
    trials = choose(True)
    extract(timesteps=[0])
    passes.clear()
    extract(timesteps=LEVELS, stacking="auto")
    assert len(trials) == 1 and passes == [6, 2, 6, 2, 4]


@pytest.mark.parametrize("answer", [True, False])
def test_a_decision_that_was_half_noted_is_noted_to_the_end(extract, choose, tmp_path, answer):
    """Killed after the first cell's note, before any shard: the rest are told the same, without another trial."""
    choose(answer)
    options = {"layers": [0, 2], "timesteps": LEVELS, "stacking": "auto"}
    extract(**options)
    before = shard_bytes(tmp_path / "cache")
    for path in before:
        (tmp_path / "cache" / path).unlink()
    for path in sorted((tmp_path / "cache").rglob(NAME))[1:]:
        path.unlink()
    trials = choose(not answer)
    extract(**options)
    assert not trials and shard_bytes(tmp_path / "cache") == before


@pytest.mark.parametrize("links", [True, False])
def test_a_process_that_was_quicker_is_followed(extract, choose, passes, monkeypatch, tmp_path, links):
    """While this one tries, another notes its decision, also on a disk without links; both then give the same bits."""
    choose(True)
    if not links:
        monkeypatch.setattr(level_plan.os, "link", lambda *_: (_ for _ in ()).throw(OSError("no links")))
    settle = LevelPlan.settle

    def late(plan, together):
        if together:
            (plan.undecided[0].folder / NAME).write_text('{"alone": [0, 200, 600]}')
        settle(plan, together)

    monkeypatch.setattr(LevelPlan, "settle", late)
    extract(timesteps=LEVELS, stacking="auto")
    assert passes[:3] == [3, 3, 3]
    assert {path.read_text() for path in (tmp_path / "cache").rglob(NAME)} == {'{"alone": [0, 200, 600]}'}


def test_one_pass_that_has_no_room_is_not_noted(extract, backbone, monkeypatch, tmp_path):
    """Whoever asks for it hears of it, and can then take the levels one after the other."""

    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(backbone, "extract_stacked", full)
    with pytest.raises(torch.OutOfMemoryError):
        extract(timesteps=LEVELS, stacking="on")
    assert not list((tmp_path / "cache").rglob(NAME))


def test_few_batches_one_level_and_models_that_cannot_are_not_tried(extract, choose, passes, backbone, monkeypatch):
    trials = choose(True)
    extract(timesteps=[200], stacking="auto")
    monkeypatch.setattr(extraction_run, "FEWEST_BATCHES", 100)
    extract(timesteps=LEVELS, stacking="auto", seed=1)
    monkeypatch.setattr(extraction_run, "FEWEST_BATCHES", 1)
    monkeypatch.setattr(backbone, "can_stack", False)
    extract(timesteps=LEVELS, stacking="on", seed=2)
    assert not trials and max(passes) == 3


@pytest.fixture
def tried(monkeypatch):
    """A trial on a batch of two clips, by a clock that moves as each call is told to cost; the answer and the calls."""

    def trial(apart: float, stacked: float, **replaced) -> tuple[bool, list[str]]:
        backbone, real, clips, called, now = tiny_backbone(), tiny_backbone(), Clips(2), [], [0.0]

        def costly(name: str, cost: float):
            def run(*args, **options):
                now[0] += cost
                called.append(name)
                return replaced.get(name, getattr(real, name))(*args, **options)

            return run

        for name, cost in (("extract", apart), ("extract_stacked", stacked)):
            monkeypatch.setattr(backbone, name, costly(name, cost))
        reader = LevelReader(backbone, 0, lambda: now[0])
        return reader.prefers_one_pass(backbone.prepare(clips.pixels), clips.ids, [0], LEVELS), called

    return trial


@pytest.mark.parametrize(("apart", "stacked", "chosen"), [(2.0, 1.0, True), (1.0, 2.0, False)])
def test_the_trial_keeps_the_faster_way(tried, apart, stacked, chosen):
    """Both are run in turn; the first turn warms up."""
    assert tried(apart, stacked) == (chosen, ["extract", "extract_stacked"] * 2)


def test_one_pass_that_has_no_room_is_not_taken(tried):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    assert tried(2.0, 1.0, extract_stacked=full)[0] is False


def test_one_pass_that_gives_other_features_is_not_taken(tried):
    """As of a model that hears the first sample's level for all."""
    backbone = tiny_backbone()

    def deaf(inputs, *, timesteps, **options):
        maps = backbone.extract(inputs, timesteps=[timesteps[0]] * len(timesteps), **options)
        return maps

    with pytest.warns(UserWarning, match="noise levels go one after the other: in one pass v-walt gives features at"):
        assert tried(2.0, 1.0, extract_stacked=deaf)[0] is False
