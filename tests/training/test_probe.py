# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training of single probes, on the pixel floor, which needs no weights."""

import json

import pytest
import torch

from hf_vdrep.training.probe import ProbeTask, ProbeTrainConfig, load_probe, main, train_probe
from hf_vdrep.training.probe_features import open_split


def config(folder, **changes):
    sizes = {"train_clips": 12, "eval_clips": 6, "steps": 6, "batch_size": 4, "warmup_steps": 1, "save_every": 2}
    base = {"task": "object", "backbone": "pixels", "layer": 1.0, "cache_dir": str(folder / "cache"), "threads": 1}
    return ProbeTrainConfig(output_dir=str(folder / "run"), **{**base, **sizes, **changes})


def test_saved_probe_predicts_as_the_trained_one(tmp_path):
    """What training saves is what `load_probe` gives: the same validation accuracy, computed here by hand."""
    from hf_vdrep.probes import get_task, predict

    settings = config(tmp_path)
    figures = train_probe(settings)
    task = get_task("object")
    data = open_split(settings, task, "validation", settings.eval_clips)
    columns = predict(task, load_probe(tmp_path / "run" / "probe", data), data)
    right = (columns["predictions"].argmax(1) == columns["references"]).mean()
    assert figures["top_1"] == pytest.approx(right)
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["steps"] == 6


def test_resumed_probe_equals_the_uninterrupted_one(tmp_path):
    """Stopping after step 4 and going on gives bit-identical weights."""
    from safetensors.torch import load_file

    train_probe(config(tmp_path))
    other = tmp_path / "other"
    whole = config(tmp_path)
    train_probe(ProbeTrainConfig(**{**vars(whole), "output_dir": str(other), "keep": 9}))
    for name in ("checkpoint-6", "probe"):
        for file in (other / name).iterdir():
            file.unlink()
        (other / name).rmdir()
    train_probe(ProbeTrainConfig(**{**vars(whole), "output_dir": str(other), "keep": 9}))
    first, second = (load_file(folder / "probe" / "model.safetensors") for folder in (tmp_path / "run", other))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_parts_of_a_batch_draw_their_own_tracks_and_the_same_depth_grid(tmp_path):
    """The loss draws tracks for each clip, frames and grid once for the batch: as one process would."""

    class Split:
        def __len__(self):
            return 8

        def read(self, rows):
            return rows

        take = read

    def draws(name, parts):
        settings = config(tmp_path, task=name)
        task = ProbeTask(settings, type("Named", (), {"name": name}), Split(), None)
        return [task.batch(3, part, parts)["draw"] for part in range(parts)]

    assert len(set(draws("point_tracks", 2))) == 2 and len(set(draws("depth", 2))) == 1
    for name in ("point_tracks", "depth"):
        assert draws(name, 1)[0] == draws(name, 2)[0]


def test_wrong_backbone_is_one_clear_line(tmp_path, capsys):
    code = main(["--output-dir", str(tmp_path / "run"), "--backbone", "nothing-here"])
    assert code == 2
    assert "backbone must be one of" in capsys.readouterr().err


def test_features_of_another_shape_are_refused(tmp_path):
    from hf_vdrep.probes import get_task

    settings = config(tmp_path)
    train_probe(settings)
    wider = open_split(config(tmp_path, task="action_motion"), get_task("action_motion"), "validation", 4)
    with pytest.raises(ValueError, match="features must be"):
        load_probe(tmp_path / "run" / "probe", wider)
