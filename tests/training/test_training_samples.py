# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pictures drawn while training: they show the average, are kept, and change nothing."""

import random

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from hf_vdrep.training.loop import build, fit, make_accelerator
from hf_vdrep.training.loop_config import LoopConfig
from hf_vdrep.training.samples import keep_samples


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))

    def forward(self, batch):
        return self.model(batch["x"]).square().mean(), {}


class Painter:
    def __init__(self):
        self.seen = []

    def batch(self, step, part, parts):
        return {"x": torch.ones(2, 3)}

    def evaluate(self, model):
        return {"x": float(torch.rand(1))}

    def sample(self, model, step):
        assert not model.training and not torch.is_grad_enabled()
        torch.rand(5), random.random(), np.random.rand()
        self.seen.append((step, model[0].weight.clone()))
        return {"images": np.full((4, 6, 3), 7 * step, np.uint8)}


def train(folder, **changes):
    config = LoopConfig(
        output_dir=str(folder),
        steps=7,
        batch_size=2,
        warmup_steps=0,
        save_every=0,
        mixed_precision="no",
        cpu=True,
        **changes,
    )
    torch.manual_seed(0)
    objective, task = Net(), Painter()
    run = build(config, objective, objective.model, make_accelerator(config))
    fit(run, task)
    return run, task


def test_drawing_and_validating_leave_no_trace_in_the_training(tmp_path):
    """Dropout and the task share torch's generator; weights agree to the bit whether pictures are drawn or not."""
    still, _ = train(tmp_path / "still", eval_every=0)
    drawn, task = train(tmp_path / "drawn", sample_every=3, eval_every=2)
    assert all(torch.equal(a, b) for a, b in zip(still.model.parameters(), drawn.model.parameters(), strict=True))
    assert [step for step, _ in task.seen] == [3, 6, 7]
    assert drawn.model.training and drawn.model[1].training
    for step, _ in task.seen:
        picture = np.asarray(Image.open(tmp_path / "drawn" / "samples" / f"step-{step}.png"))
        assert picture.shape == (4, 6, 3) and (picture == 7 * step).all()
    assert not (tmp_path / "still" / "samples").exists()


@pytest.mark.parametrize("weights", ["ema", "raw"])
def test_what_is_shown_are_the_weights_that_were_chosen(tmp_path, weights):
    run, task = train(tmp_path, sample_every=7, weights=weights, ema_decay=0.5)
    expected = run.ema.shadow["0.weight"] if weights == "ema" else run.model[0].weight
    assert torch.equal(task.seen[-1][1], expected)
    assert not torch.equal(run.ema.shadow["0.weight"], run.model[0].weight)


def test_several_pictures_have_names_and_files_are_moved(tmp_path):
    clip, picture = tmp_path / "clip.mp4", np.zeros((2, 2, 3), np.uint8)
    clip.write_bytes(b"film")
    shown = keep_samples(tmp_path / "samples", 40, {"images": picture, "clips": clip})
    assert list(shown) == ["images"] and not clip.exists()
    names = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert names == ["step-40-clips.mp4", "step-40-images.png"]


def test_an_odd_picture_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"sample grid must be uint8 \(H, W, 3\) or a path, got float64 \(2, 2\)"):
        keep_samples(tmp_path, 1, {"grid": np.zeros((2, 2))})
