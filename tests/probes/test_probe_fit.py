# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest
import torch

from hf_vdrep.probes import TASKS, FitConfig, ProbeData, fit_readout, get_task, predict

SPANS = torch.tensor([[0, 1], [1, 5]])
OPTIONS = {"width": 16, "num_heads": 2}


def clips(count: int = 40, seed: int = 0) -> ProbeData:
    draw = torch.Generator().manual_seed(seed)
    values = torch.randn(count, 2, 3, 3, 8, generator=draw)
    labels = {
        "action_motion": (values[:, 1, ..., 0].mean((1, 2)) > 0).long(),
        "depth": 1 + torch.rand(count, 5, 16, 16, generator=draw),
        "tracks": torch.rand(count, 6, 5, 2, generator=draw),
        "visible": torch.rand(count, 6, 5, generator=draw) < 0.7,
    }
    for name in ("object", "scene", "fine", "action_coarse", "action_many"):
        labels[name] = labels["action_motion"]
    corner = torch.rand(count, 3, 5, 2, generator=draw) * 0.5
    labels["boxes"] = torch.cat([corner, corner + 0.3], -1)
    labels["present"] = torch.rand(count, 3, 5, generator=draw) < 0.8
    labels["pose"] = torch.randn(count, 5, 3, 4, generator=draw)
    return ProbeData(values, labels, SPANS, 5)


def quick(**changes) -> FitConfig:
    return FitConfig(**{"steps": 3, "batch_size": 8, "learning_rates": (1e-3,), **changes})


def small(task_name: str) -> dict:
    return {**OPTIONS, "num_blocks": 1} if task_name in ("depth", "point_tracks", "box_tracks") else OPTIONS


@pytest.mark.parametrize("name", sorted(TASKS))
def test_the_same_words_give_the_same_weights(name):
    task, data = get_task(name), clips()
    first, second = (fit_readout(task, data, data, config=quick(), options=small(name)).best for _ in range(2))
    assert first.score == second.score
    for one, other in zip(first.readout.parameters(), second.readout.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_predictions_do_not_depend_on_batches_or_order(name):
    task, data = get_task(name), clips()
    readout = fit_readout(task, data, data, config=quick(), options=small(name)).best.readout
    whole = predict(task, readout, data, batch_size=40)
    parts = predict(task, readout, data, batch_size=7)
    assert all(len(column) == 40 for column in whole.values())
    for key, column in whole.items():
        np.testing.assert_allclose(column, parts[key], rtol=1e-4, atol=1e-5)


def test_members_do_not_disturb_each_other():
    """A rate trained in a grid is the rate trained alone."""
    task, data = get_task("action_motion"), clips()
    grid = fit_readout(task, data, data, config=quick(learning_rates=(1e-3, 1e-2), seeds=(0, 1)), options=OPTIONS)
    alone = fit_readout(task, data, data, config=quick(learning_rates=(1e-2,), seeds=(1,)), options=OPTIONS)
    member = next(m for m in grid.members if (m.learning_rate, m.seed) == (1e-2, 1))
    for one, other in zip(member.readout.parameters(), alone.best.readout.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_rate_is_chosen_on_validation_by_the_score_given():
    task, data = get_task("depth"), clips()
    seen = []

    def score(columns):
        seen.append(len(columns["predictions"]))
        return [3.0, 4.0, 1.0, 2.0][len(seen) - 1]

    config = quick(learning_rates=(1e-3, 1e-2), seeds=(0, 1))
    found = fit_readout(task, data, clips(10, seed=1), score=score, config=config, options=small("depth"))
    assert seen == [10] * 4
    assert found.learning_rate == 1e-2  # an error: lower is better
    assert [member.seed for member in found.chosen] == [0, 1]
    assert found.best.score == 1.0
    assert found.validation_score == 1.5


def test_features_come_as_arrays_maps_or_functions(tmp_path):
    task, data = get_task("action_motion"), clips()
    values = data.features.half().numpy()
    mapped = np.lib.format.open_memmap(tmp_path / "f.npy", "w+", np.float16, values.shape)
    mapped[:] = values
    sources = (torch.from_numpy(values), values, mapped, lambda rows: torch.from_numpy(values[rows]))
    results = []
    for source in sources:
        same = ProbeData(source, data.labels, SPANS, 5)
        results.append(predict(task, fit_readout(task, same, same, config=quick(), options=OPTIONS).best.readout, same))
    for result in results[1:]:
        np.testing.assert_array_equal(result["predictions"], results[0]["predictions"])


def test_a_feature_that_is_not_finite_is_named_by_its_row():
    data = clips()
    data.features[23, 1, 2, 0, 3] = float("nan")
    with pytest.raises(ValueError, match="row 23"):
        fit_readout(get_task("action_motion"), data, clips(), config=quick(), options=OPTIONS)


def test_points_hidden_in_frame_0_are_never_evaluated():
    task, data = get_task("point_tracks"), clips()
    readout = task.make(data, **small("point_tracks"))
    columns = predict(task, readout, data)
    hidden = ~data.labels["visible"][:, :, 0].numpy()
    assert (columns["query_frames"][hidden] == 5).all()
    assert (columns["query_frames"][~hidden] == 0).all()


def test_progress_counts_steps():
    told = []
    data = clips()
    fit_readout(get_task("object"), data, data, config=quick(), options=OPTIONS, progress=lambda *at: told.append(at))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_missing_labels_and_bad_rows_are_named():
    data = clips()
    with pytest.raises(ValueError, match=r"missing \['tracks', 'visible'\]"):
        get_task("point_tracks").make(ProbeData(data.features, {"object": data.labels["object"]}, SPANS, 5))
    with pytest.raises(ValueError, match="same number of rows"):
        ProbeData(data.features, {"object": data.labels["object"][:3]}, SPANS, 5)
    with pytest.raises(ValueError, match="task must be one of"):
        get_task("pose")
    with pytest.raises(ValueError, match=r"must lie in \[0, 0\], got 1"):
        get_task("object").make(data, num_classes=1)
