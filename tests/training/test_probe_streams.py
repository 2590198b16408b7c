# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Probes on published sets: one command line from the owners' files to the metric."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hf_vdrep.cli.main import main as cli
from hf_vdrep.data import open_stream
from hf_vdrep.data.streams.stored import store_clips
from hf_vdrep.features import open_source
from hf_vdrep.training.probe import main
from hf_vdrep.training.probe_streams import per_video

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "streams"))
import published_layouts as layouts

# task -> data set, writer of its files, figure, worst and best that the little sets allow
CASES = {
    "object": ("imagenet-1k", layouts.write_imagenet, "top_1", 1.0, 1.0),
    "scene": ("places365", layouts.write_places, "top_1", 1.0, 1.0),
    "fine": ("inaturalist-2018", layouts.write_inaturalist, "top_1", 1.0, 1.0),
    "action_coarse": ("kinetics-400", layouts.write_kinetics, "top_1", 1.0, 1.0),
    "action_many": ("kinetics-700", layouts.write_kinetics, "top_1", 1.0, 1.0),
    "action_motion": ("something-something-v2", layouts.write_something, "top_1", 1.0, 1.0),
    "depth": ("scannet", layouts.write_scannet, "abs_rel", 0.0, 0.08),
    "camera_pose": ("realestate10k", layouts.write_realestate, "epe", 0.0, 0.3),
    "point_tracks": ("perception-test", layouts.write_perception, "average_jaccard", 0.5, 1.0),
    "box_tracks": ("waymo", layouts.write_waymo, "mean_iou", 0.8, 1.0),
}


def command(folder, task, data, root, *more):
    words = f"--task {task} --backbone pixels --layer 1.0 --data {data} --data-root {root} --resolution 32 --steps 60"
    words += f" --lr 3e-3 --batch-size 4 --warmup-steps 2 --eval-every 0 --output-dir {folder / 'run'} --threads 1"
    return [*words.split(), "--data-options", "num_frames=5", *more]


@pytest.mark.parametrize("task", CASES)
def test_one_command_goes_from_published_files_to_the_metric(task, tmp_path):
    """tasks.md: the real data set of every row, its labels, its metric; the bounds are those of a readable label."""
    data, write, figure, least, most = CASES[task]
    root = tmp_path / "root"
    root.mkdir()
    write(root)
    assert main(command(tmp_path, task, data, root)) == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert least - 1e-6 <= summary[figure] <= most + 1e-6
    about = json.loads((tmp_path / "run" / "probe" / "training.json").read_text())
    assert about["data"] == data and (tmp_path / "run" / "probe" / "model.safetensors").exists()


def test_classes_are_the_published_ones_and_looks_are_averaged(tmp_path):
    """Kinetics lists its classes in train.csv; V-JEPA judges a video by the mean over its segments and crops."""
    root = tmp_path / "root"
    root.mkdir()
    layouts.write_kinetics(root)
    more = ("--eval-data-options", "segments=2", "views=3")
    assert main(command(tmp_path, "action_coarse", "kinetics-400", root, *more)) == 0
    kept = json.loads((tmp_path / "run" / "probe" / "config.json").read_text())
    assert kept["num_classes"] == len(open_stream("kinetics-400", root).classes["action_coarse"])
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["top_1"] == 1.0


def test_the_card_of_a_pushed_readout_names_the_set_its_terms_and_its_classes(tmp_path):
    from hf_vdrep.hub.probe import open_trained, readme

    root = tmp_path / "root"
    root.mkdir()
    layouts.write_kinetics(root)
    assert main(command(tmp_path, "action_coarse", "kinetics-400", root)) == 0
    probe = open_trained(tmp_path / "run")
    assert probe.classes == open_stream("kinetics-400", root).classes["action_coarse"]
    card = readme(probe, None, "me/probe", "me/base", "me/world")
    assert "[Kinetics-400]" in card and "CC BY 4.0" in card
    assert "ProbeWorld" not in card and "me/world" not in card and str(root) not in card


def test_views_count_as_one_video():
    """By hand: (0.9 + 0.2 + 0.6) / 3 for the first video, 0.3 for the second."""
    shares = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    columns = {"predictions": shares, "references": np.array([0, 0, 0, 1])}
    found = per_video(columns, ["a#0.0", "a#0.1", "a#1.0", "b#0.0"])
    assert np.allclose(found["predictions"][:, 0], [1.7 / 3, 0.3]) and found["references"].tolist() == [0, 1]


def test_a_task_without_labels_names_those_that_there_are(tmp_path, capsys):
    layouts.write_places(tmp_path)
    assert main(command(tmp_path, "depth", "places365", tmp_path)) == 2
    message = "task must be one that places365 has labels for (scene), got 'depth'"
    assert message in " ".join(capsys.readouterr().err.split())
    assert main(command(tmp_path, "scene", "places", tmp_path)) == 2
    assert "data set must be one of" in capsys.readouterr().err
    assert main(command(tmp_path, "scene", "places365", tmp_path / "nowhere")) == 2
    assert "no such folder" in capsys.readouterr().err
    assert main(command(tmp_path, "scene", "probeworld", tmp_path)) == 2
    assert "data must name the set that lies in data_root" in capsys.readouterr().err


def test_stored_clips_are_the_stream_and_are_decoded_once(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    layouts.write_perception(root)
    options = {"resolution": 32, "num_frames": 5}
    wanted = {"split": "validation", "size": 50, "folder": tmp_path / "clips", **options}
    clips = store_clips("perception-test", root, **wanted)
    samples = {sample["id"]: sample for sample in open_stream("perception-test", root, **options)}
    assert sorted(clips.sample_ids) == sorted(samples)
    for row, name in enumerate(clips.sample_ids):
        assert torch.equal(clips.videos([row])[0], samples[name]["video"])
        assert all(torch.equal(clips.label(key)[row], samples[name][key]) for key in ("tracks", "visible"))
    shutil.rmtree(root / "videos")
    assert store_clips("perception-test", root, **wanted).fingerprint == clips.fingerprint


def test_a_set_that_cannot_be_read_leaves_nothing_behind(tmp_path):
    layouts.write_kinetics(tmp_path)
    for path in tmp_path.rglob("*.mp4"):
        path.write_bytes(b"no video")
    with pytest.raises(ValueError, match="corrupt"):
        store_clips("kinetics-400", tmp_path, split="train", size=9, folder=tmp_path / "clips", num_frames=5)
    assert list((tmp_path / "clips").iterdir()) == []


def test_features_of_a_published_set(tmp_path, capsys):
    root, cache = tmp_path / "root", tmp_path / "cache"
    root.mkdir()
    layouts.write_kinetics(root)
    words = (
        f"features --model pixels --data kinetics-400:{root} --split train --num-frames 5 --resolution 32 -o {cache} -q"
    )
    assert cli(words.split()) == 0
    source = open_source(f"kinetics-400:{root}", split="train", num_frames=5, resolution=32, cache_dir=cache)
    count = sum(1 for _ in open_stream("kinetics-400", root, split="train", num_frames=5, resolution=32))
    assert f"{count} samples" in capsys.readouterr().out and len(source.sample_ids) == count
    assert source.videos([0]).shape == (1, 5, 32, 32, 3)
    with pytest.raises(ValueError, match="split must go with"):
        open_source("probeworld", split="train")
