# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The `evaluate` faces: loaded from the folders, equal to the plain functions, blind to batches and processes."""

import ast
import subprocess
import sys
from pathlib import Path

import evaluate
import metric_processes
import numpy as np
import pytest
from metric_columns import OPTIONS, ROWS, columns, part

from hf_vdrep import metrics
from hf_vdrep.metrics.loading import NAMES, folder, load
from hf_vdrep.metrics.samples import per_sample

BETWEEN_SETS = {"frechet_distance", "kernel_distance", "precision_recall"}
SAMPLE_METRICS = sorted(set(NAMES) - BETWEEN_SETS - {"paired_bootstrap"})


def whole(name):
    """The result with everything in one batch, to the rounding of one operation."""
    return pytest.approx(load(name).compute(**columns(name), **OPTIONS.get(name, {})), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_evaluate_loads_the_folder(name):
    metric = evaluate.load(str(folder(name)), keep_in_memory=True)
    assert metric.name == name
    assert metric.compute(**columns(name), **OPTIONS.get(name, {})) == whole(name)


@pytest.mark.parametrize("name", NAMES)
def test_batching_changes_nothing(name):
    """Trap: quotients taken over a batch."""
    metric = load(name)
    for start in range(0, ROWS, 4):
        metric.add_batch(**part(name, slice(start, start + 4)))
    assert metric.compute(**OPTIONS.get(name, {})) == whole(name)


@pytest.mark.parametrize("name", NAMES)
def test_samples_one_by_one_in_another_order_change_nothing(name):
    metric = load(name)
    singular = {"predictions": "prediction", "references": "reference"}
    for row in reversed(range(ROWS)):
        metric.add(**{singular.get(key, key): value[row] for key, value in columns(name).items()})
    assert metric.compute(**OPTIONS.get(name, {})) == whole(name)


@pytest.fixture(scope="module")
def over_processes(tmp_path_factory):
    """What `compute` returned in this process and in the one that `metric_processes.py` is, by split and metric."""
    cache = str(tmp_path_factory.mktemp("cache"))
    command = [sys.executable, str(Path(__file__).with_name("metric_processes.py")), cache]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as second:
        first = metric_processes.evaluate_share(0, cache)
        printed, _ = second.communicate(timeout=100)
    assert second.returncode == 0
    return first, ast.literal_eval(printed)


@pytest.mark.parametrize("split", metric_processes.SHARES)
@pytest.mark.parametrize("name", NAMES)
def test_processes_with_uneven_or_empty_shares_change_nothing(name, split, over_processes):
    """The first process has the result; one without samples must not leave it waiting."""
    first, second = over_processes
    assert first[split, name] == whole(name)
    assert second[split, name] is None


@pytest.mark.parametrize("name", SAMPLE_METRICS)
def test_the_module_is_the_mean_of_the_samples_values(name):
    result = load(name).compute(**columns(name))
    values = per_sample(name, columns(name))
    assert set(values) == set(result)
    for key, value in values.items():
        assert value.shape == (ROWS,)
        assert result[key] == pytest.approx(np.nanmean(value), rel=1e-12)


@pytest.mark.parametrize("name", SAMPLE_METRICS)
def test_a_samples_value_does_not_depend_on_the_others(name):
    """The mean over classes alone weighs a sample by how often its class occurs."""
    together = per_sample(name, columns(name))
    for row in range(ROWS):
        alone = per_sample(name, part(name, slice(row, row + 1)))
        for key in set(together) - {"per_class_mean"}:
            np.testing.assert_allclose(alone[key], together[key][row : row + 1], rtol=1e-12)


def test_the_difference_of_two_models_from_per_sample_values():
    """The way of the study: per-sample values of both, then the comparison."""
    rows = columns("box_iou")
    perfect = per_sample("box_iou", {**rows, "predictions": rows["references"]})["mean_iou"]
    found = load("paired_bootstrap").compute(
        predictions1=per_sample("box_iou", rows)["mean_iou"], predictions2=perfect, resamples=500
    )
    assert found["count"] == np.isfinite(perfect).sum() < ROWS
    assert found["candidate"] == 1.0
    assert 0 < found["difference_low"] < found["difference"] < found["difference_high"]


def test_options_reach_the_plain_function():
    rows = columns("average_jaccard")
    first, strided = (load("average_jaccard").compute(**rows, query_mode=mode) for mode in ("first", "strided"))
    assert first["average_jaccard"] != strided["average_jaccard"]
    rows = columns("box_iou")
    pooled = metrics.mean_box_scores(*rows.values(), aggregation="pooled")
    assert load("box_iou").compute(**rows, aggregation="pooled") == pooled
    rows = columns("pose_error")
    near = load("pose_error").compute(**rows, box=((-0.5, 0.5), (-0.5, 0.5), (1.0, 1.5)))
    assert near["epe"] < load("pose_error").compute(**rows)["epe"]


@pytest.mark.parametrize("name", sorted(BETWEEN_SETS))
def test_sets_of_different_sizes_may_be_added_apart(name):
    rows, options = columns(name), OPTIONS.get(name, {})
    metric = load(name)
    metric.add_batch(references=rows["references"][:4])
    metric.add_batch(predictions=rows["predictions"])
    metric.add_batch(references=rows["references"][4:7])
    plain = getattr(metrics, name)(rows["predictions"], rows["references"][:7], **options)
    plain = plain if isinstance(plain, dict) else {name: plain}
    assert metric.compute(**options) == pytest.approx(plain, rel=1e-12)


def test_query_frames_of_boxes_may_be_left_out():
    rows = columns("box_iou")
    del rows["query_frames"]
    zeros = {**rows, "query_frames": np.zeros((ROWS, 3), int)}
    assert load("box_iou").compute(**rows) == load("box_iou").compute(**zeros)


def test_maps_and_clips_of_different_sizes_stand_in_one_evaluation():
    metric = load("depth_error")
    metric.add(prediction=np.full((2, 2), 2.0), reference=np.ones((2, 2)))
    metric.add(prediction=np.ones((3, 5)), reference=np.ones((3, 5)))
    assert metric.compute()["abs_rel"] == pytest.approx(0.5)
    metric = load("psnr")
    for size in (4, 6):
        metric.add(prediction=np.full((1, size, size, 3), 0.6), reference=np.full((1, size, size, 3), 0.5))
    assert metric.compute()["psnr"] == pytest.approx(20)


@pytest.mark.parametrize("name", ["psnr", "ssim", "flicker"])
def test_of_clips_only_the_values_are_kept(name, tmp_path):
    """Streaming: half a MB leaves next to nothing behind, and what is wrong with it shows when it is added."""
    metric = load(name, keep_in_memory=False, cache_dir=str(tmp_path))
    clip = np.zeros((2, 100, 100, 3))
    metric.add(prediction=clip, reference=clip)
    metric.compute()
    metric.add(prediction=clip, reference=clip)
    metric.writer.finalize(close_stream=False)
    assert sum(file.stat().st_size for file in tmp_path.rglob("*.arrow")) < 4096
    with pytest.raises(ValueError, match=r"reconstruction must lie in \[0, 1\]"):
        metric.add(prediction=clip - 1, reference=clip)
    with pytest.raises(TypeError, match=f"{name} takes no options, got .'window'."):
        load(name).compute(predictions=[clip], references=[clip], window=7)


def test_a_metric_serves_again_after_compute_and_beside_others():
    """`evaluate.combine` gives each its columns."""
    rows = columns("psnr")
    together = evaluate.combine([str(folder(name)) for name in ("psnr", "ssim", "flicker")])
    expected = {key: value for name in ("psnr", "ssim", "flicker") for key, value in load(name).compute(**rows).items()}
    for _ in range(2):
        assert together.compute(**rows) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_cards_example_runs_and_prints_what_it_says(name, capsys):
    card = (folder(name) / "README.md").read_text(encoding="utf-8")
    for heading in ("**Formula.**", "**Range.**", "**Inputs.**", "**Bad and missing input.**", "**Source.**"):
        assert heading in card
    example = card.split("```python\n")[1].split("```")[0]
    exec(compile(example, f"{name}/README.md", "exec"), {})
    said = [line.split(")  # ")[1] for line in example.splitlines() if line.startswith("print(")]
    printed = capsys.readouterr().out.splitlines()
    assert len(said) == len(printed) == 1
    assert ast.literal_eval(printed[0]) == pytest.approx(ast.literal_eval(said[0]), rel=1e-9)


def test_no_samples_are_an_error_and_not_a_score():
    for name in NAMES:
        with pytest.raises(ValueError, match=f"{name} has no samples"):
            load(name).compute()


def test_one_side_alone_is_named():
    metric = load("frechet_distance")
    metric.add_batch(predictions=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="references must hold samples of one shape, got none"):
        metric.compute()
    with pytest.raises(ValueError, match=r"must hold the same samples, got rows {'predictions': 2}"):
        load("depth_error").add_batch(predictions=np.zeros((2, 3)))


def test_rows_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"same samples, got rows {'predictions': 2, 'references': 1}"):
        load("depth_error").add_batch(predictions=np.zeros((2, 3)), references=np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"columns must be among .* got \['visible'\]"):
        load("depth_error").add_batch(predictions=np.zeros((2, 3)), references=np.zeros((2, 3)), visible=[1, 1])
    with pytest.raises(ValueError, match="predictions must hold arrays of numbers"):
        load("depth_error").add_batch(predictions=["near"], references=[[1.0]])
    with pytest.raises(ValueError, match="predictions must hold arrays of numbers"):
        load("depth_error").add_batch(predictions=[[[1.0], [1.0, 2.0]]], references=[[1.0]])
    with pytest.raises(ValueError, match="predictions must hold samples of one shape"):
        load("top_k_accuracy").compute(predictions=[[0.1, 0.2], [0.1, 0.2, 0.3]], references=[0, 1])


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="name must be one of"):
        load("fid")
    with pytest.raises(ValueError, match="name must be one of"):
        per_sample("frechet_distance", {})
