# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The `evaluate` faces: loaded from the package's folders, equal to the plain functions, blind to batching."""

import evaluate
import numpy as np
import pytest

from hf_vdrep.metrics.loading import NAMES, folder, load
from hf_vdrep.metrics.per_sample import per_sample


def columns(name):
    rng = np.random.default_rng(0)
    if name == "top_k_accuracy":
        return {"predictions": rng.normal(size=(11, 6)).astype(np.float32), "references": rng.integers(0, 6, 11)}
    if name == "depth_error":
        depth = rng.uniform(0.5, 12, size=(11, 2, 4, 4)).astype(np.float32)
        return {"predictions": depth * rng.uniform(0.7, 1.4, depth.shape).astype(np.float32), "references": depth}
    tracks = rng.random((11, 4, 7, 2)).astype(np.float32)
    visible, said = rng.random((2, 11, 4, 7)) < 0.6
    return {
        "predictions": tracks + rng.normal(size=tracks.shape).astype(np.float32) * 0.02,
        "predicted_visible": said,
        "references": tracks,
        "visible": visible,
        "query_frames": rng.integers(0, 4, (11, 4)),
    }


@pytest.mark.parametrize("name", NAMES)
def test_batching_changes_nothing_and_the_plain_function_agrees(name):
    """Trap: quotients taken over a batch."""
    rows = columns(name)
    results = []
    for size in (11, 4):
        metric = load(name)
        for start in range(0, 11, size):
            metric.add_batch(**{key: value[start : start + size] for key, value in rows.items()})
        results.append(metric.compute())
    assert results[0] == results[1]
    for key, values in per_sample(name, rows).items():
        assert results[0][key] == pytest.approx(np.nanmean(values), rel=1e-5)


def test_evaluate_loads_a_folder_and_keeps_options():
    metric = evaluate.load(str(folder("average_jaccard")), keep_in_memory=True)
    rows = columns("average_jaccard")
    first, strided = (metric.compute(**rows, query_mode=mode) for mode in ("first", "strided"))
    assert first["average_jaccard"] != strided["average_jaccard"]


def test_maps_of_different_sizes_stand_in_one_evaluation():
    metric = load("depth_error")
    metric.add(prediction=np.full((2, 2), 2.0), reference=np.ones((2, 2)))
    metric.add(prediction=np.ones((3, 5)), reference=np.ones((3, 5)))
    assert metric.compute()["abs_rel"] == pytest.approx(0.5)


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_has_a_card(name):
    card = (folder(name) / "README.md").read_text()
    for heading in ("**Formula.**", "**Range.**", "**Inputs.**", "**Source.**"):
        assert heading in card


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="name must be one of"):
        load("fid")
    with pytest.raises(ValueError, match="name must be"):
        per_sample("fid", {})
