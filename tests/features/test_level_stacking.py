# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Noise levels in one pass: the same features, and the faster way chosen."""

import pytest
import torch
from tiny_extraction import tiny_backbone

from hf_vdrep.backbones import WaltBackbone
from hf_vdrep.features.stacking import FEWEST_BATCHES, LevelReader

LEVELS = [0, 200, 600]


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


def test_stacked_extraction_fills_the_same_cells(extract, tmp_path, backbone):
    """One forward pass a batch in the place of one a level."""
    options = {"layers": [0, 2], "timesteps": LEVELS, "batch_size": 4}
    apart = extract(**options)
    calls: list[int] = []
    handle = backbone.transformer.blocks[0].register_forward_hook(lambda module, inputs, output: calls.append(1))
    stacked = extract(cache_dir=tmp_path / "other", stacking="on", **options)
    handle.remove()
    assert len(calls) == 3 and stacked.cells == apart.cells
    for cell in apart.cells:
        torch.testing.assert_close(stacked[cell][:], apart[cell][:], rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="stacking must be one of auto, on, off, got 'maybe'"):
        extract(stacking="maybe")


class Ticks:
    """A clock that an extraction drives: a call costs what it is told to cost."""

    def __init__(self, backbone, apart: float, stacked: float) -> None:
        self.now = 0.0
        self.backbone, self.costs, self.called = backbone, {"extract": apart, "extract_stacked": stacked}, []

    def __call__(self) -> float:
        return self.now

    def of(self, name: str):
        real = getattr(type(self.backbone), name)

        def run(*args, **kwargs):
            self.now += self.costs[name]
            self.called.append(name)
            return [name] if name else real

        return run


@pytest.mark.parametrize(("apart", "stacked", "chosen"), [(2.0, 1.0, True), (1.0, 2.0, False)])
def test_the_trial_keeps_the_faster_way(monkeypatch, apart, stacked, chosen):
    """Both are run on the first batch only; the first turn warms up."""
    backbone = tiny_backbone()
    clock = Ticks(backbone, apart, stacked)
    for name in clock.costs:
        monkeypatch.setattr(backbone, name, clock.of(name))
    reader = LevelReader(backbone, "auto", 0, FEWEST_BATCHES, clock)
    for _ in range(3):
        found = reader.read(None, ["a"], [0], LEVELS)
        assert found == ["extract_stacked" if chosen else "extract"]
    assert reader.stacked is chosen and len(clock.called) == 4 + 2


def test_few_batches_and_models_that_cannot_are_not_tried(backbone):
    assert LevelReader(backbone, "auto", 0, FEWEST_BATCHES - 1).stacked is False
    assert LevelReader(backbone, "auto", 0, FEWEST_BATCHES).stacked is None
    assert LevelReader(backbone.tokenizer, "on", 0, 100).stacked is False
