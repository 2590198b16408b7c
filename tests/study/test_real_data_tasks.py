# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The ten tasks on the ten real data sets, from published files to the metric.

Every data set is a small copy in its owners' layout; features are means of pixels, and the readout trains for a few
steps: what is tested is that the parts fit, and that what can be seen is learned.
"""

import sys
from pathlib import Path

import datasets
import pytest
import torch

from hf_vdrep.backbones.floors import PixelBackbone
from hf_vdrep.data import mean_softmax, open_stream
from hf_vdrep.data.sample import stack_samples
from hf_vdrep.metrics import load
from hf_vdrep.probes import FitConfig, ProbeData, fit_readout, get_task, predict

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "streams"))
import published_layouts as layouts

datasets.config.SLEEP_TIME_ON_THREADS_SHUTDOWN = 0

# task -> data set, writer of its files, training split, split to judge on, steps, (worst score allowed, best)
CASES = {
    "object": ("imagenet-1k", layouts.write_imagenet, "train", "validation", 20, (1.0, 1.0)),
    "scene": ("places365", layouts.write_places, "train", "validation", 20, (1.0, 1.0)),
    "fine": ("inaturalist-2018", layouts.write_inaturalist, "train", "validation", 20, (1.0, 1.0)),
    "action_coarse": ("kinetics-400", layouts.write_kinetics, "train", "validation", 20, (1.0, 1.0)),
    "action_many": ("kinetics-700", layouts.write_kinetics, "train", "validation", 20, (1.0, 1.0)),
    "action_motion": ("something-something-v2", layouts.write_something, "train", "validation", 20, (1.0, 1.0)),
    "depth": ("scannet", layouts.write_scannet, "train", "validation", 20, (0.08, 0.0)),
    "camera_pose": ("realestate10k", layouts.write_realestate, "train", "test", 60, (0.3, 0.0)),
    "point_tracks": ("perception-test", layouts.write_perception, "train", "validation", 60, (0.5, 1.0)),
    "box_tracks": ("waymo", layouts.write_waymo, "train", "validation", 10, (0.8, 1.0)),
}
WIDTHS = {"depth": 32, "point_tracks": 32, "box_tracks": 32}


def probe_data(name, root, split, labels):
    """Features and labels of a split, as a study would make them."""
    stream = open_stream(name, root, split=split, resolution=32, num_frames=5)
    batch = stack_samples(list(stream))
    videos = batch["video"] if "video" in batch else batch["image"][:, None]
    backbone = PixelBackbone()
    inputs = backbone.prepare(videos)
    (features,) = backbone.extract(inputs, sample_ids=batch["id"], layers=[0], timesteps=[None])
    chosen = {label: batch[label] for label in labels}
    return ProbeData(features.values, chosen, features.frame_spans, videos.shape[1]), stream, batch["id"]


def fitted(task, train, judged, steps, classes):
    config = FitConfig(steps=steps, batch_size=4, learning_rates=(3e-3,), bf16=False)
    options = {"width": WIDTHS.get(task.name, 16)}
    if len(task.labels) == 1 and classes:
        options["num_classes"] = len(classes[task.labels[0]])
    return fit_readout(
        task, train, judged, score=lambda columns: measured(task, columns), config=config, options=options
    )


def measured(task, columns):
    return float(load(task.metric).compute(**columns)[task.primary])


@pytest.mark.parametrize("name", CASES)
def test_a_task_runs_from_the_published_files_to_its_metric(name, tmp_path):
    """tasks.md: the real data set of every row, its label, its metric."""
    data_set, write, train_split, judged_split, steps, (worst, best) = CASES[name]
    write(tmp_path)
    task = get_task(name)
    train, stream, _ = probe_data(data_set, tmp_path, train_split, task.labels)
    judged, _, ids = probe_data(data_set, tmp_path, judged_split, task.labels)
    assert name in stream.spec.tasks and stream.report.corrupt == 0
    assert train.feature_shape[1:4] == ((1, 4, 4) if task.reads == "image" else (2, 4, 4))
    result = fitted(task, train, judged, steps, stream.classes)
    columns = predict(task, result.best.readout, judged)
    assert all(len(column) == len(ids) for column in columns.values())
    score = measured(task, columns)
    assert min(worst, best) - 1e-6 <= score <= max(worst, best) + 1e-6
    assert score == pytest.approx(result.validation_score)


def test_views_of_a_clip_are_averaged_before_they_are_judged(tmp_path):
    """V-JEPA's protocol: one answer per video from all its segments and crops."""
    truth = layouts.write_kinetics(tmp_path)
    task = get_task("action_coarse")
    train, stream, _ = probe_data("kinetics-400", tmp_path, "train", task.labels)
    readout = fitted(task, train, train, 20, stream.classes).best.readout
    options = {"resolution": 32, "num_frames": 5, "segments": 2, "views": 3}
    batch = stack_samples(list(open_stream("kinetics-400", tmp_path, **options)))
    features = PixelBackbone().prepare(batch["video"])
    values = features.latents.permute(0, 2, 3, 4, 1)
    data = ProbeData(values, {"action_coarse": batch["action_coarse"]}, features.frame_spans, 5)
    shares = torch.from_numpy(predict(task, readout, data)["predictions"])
    videos, answers = mean_softmax(shares.log().numpy(), batch["id"])
    assert len(batch["id"]) == 6 * len(videos) == 24
    references = [truth["validation"][video] for video in videos]
    assert load("top_k_accuracy").compute(predictions=answers, references=references)["top_1"] == 1.0
