# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Grids that train as one, the choice among their members, and the baselines."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from hf_vdrep.probes import (
    AttentiveClassifier,
    FitConfig,
    LinearClassifier,
    MeanPoolClassifier,
    PoseReadout,
    ProbeData,
    Readout,
    classification_loss,
    fit_readout,
    get_task,
    predict,
)
from hf_vdrep.probes.ensemble import Ensemble
from hf_vdrep.probes.look import look
from hf_vdrep.probes.standardise import standardise

SPANS = torch.tensor([[0, 1], [1, 5]])
OPTIONS = {"width": 16, "num_heads": 2}


def clips(count: int = 40, seed: int = 0) -> ProbeData:
    draw = torch.Generator().manual_seed(seed)
    values = torch.randn(count, 2, 3, 3, 8, generator=draw)
    pose = torch.randn(count, 5, 3, 4, generator=draw)
    return ProbeData(values, {"object": (values[:, 1, ..., 0].mean((1, 2)) > 0).long(), "pose": pose}, SPANS, 5)


def grid(**changes) -> FitConfig:
    base = {"steps": 5, "batch_size": 8, "learning_rates": (1e-3, 1e-2), "seeds": (0, 1), "bf16": False}
    return FitConfig(**{**base, **changes})


def test_gradients_of_a_look_are_those_of_finite_differences():
    values = torch.randn(2, 6, 3, dtype=torch.float64, requires_grad=True)
    directions = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    by_step = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    by_place = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(look, (values, directions, by_step, by_place))


SIZES = {
    AttentiveClassifier: (8, 2, 5),
    PoseReadout: (8, 2),
    MeanPoolClassifier: (8, 5),
    LinearClassifier: (8, (2, 3, 3), 5),
}


@pytest.mark.parametrize("kind", SIZES)
def test_members_that_share_a_pass_get_the_gradients_they_would_get_alone(kind):
    torch.manual_seed(0)
    options = OPTIONS if kind in (AttentiveClassifier, PoseReadout) else {}
    members = [kind(*SIZES[kind], **options).double() for _ in range(3)]
    for member in members:
        nn.init.normal_(member.head.weight)
    alone = copy.deepcopy(members)
    values, target = torch.randn(6, 2, 3, 3, 8).double(), torch.randn(6, members[0].head.out_features).double()

    def loss(readout) -> torch.Tensor:
        return (readout(values) - target).square().mean()

    losses = Ensemble(members).backward(loss)
    for member, other, found in zip(members, alone, losses, strict=True):
        expected = loss(other)
        expected.backward()
        torch.testing.assert_close(found, expected.detach())
        for name, parameter in other.named_parameters():
            if parameter.grad is not None:
                torch.testing.assert_close(member.get_parameter(name).grad, parameter.grad, msg=name)


def test_members_of_different_shapes_do_not_share():
    with pytest.raises(ValueError, match="members must have the same config"):
        Ensemble([AttentiveClassifier(8, 2, 5, width=width) for width in (8, 16)])


@pytest.mark.parametrize("name", ["object", "camera_pose"])
def test_a_grid_trained_as_one_is_the_grid_trained_in_turn(name):
    """Same draws, same order: the members agree to rounding, and are modules of their own afterwards."""
    task, data = get_task(name), clips()
    results = [
        fit_readout(task, data, data, config=grid(together=way, weight_decays=(0.0, 0.3)), options=OPTIONS)
        for way in (True, False)
    ]
    assert len(results[0].members) == 8
    for one, other in zip(results[0].members, results[1].members, strict=True):
        assert (one.learning_rate, one.weight_decay, one.seed) == (other.learning_rate, other.weight_decay, other.seed)
        for here, there in zip(one.readout.parameters(), other.readout.parameters(), strict=True):
            # AdamW turns the rounding of a gradient of nothing into a small step.
            torch.testing.assert_close(here, there, rtol=1e-3, atol=1e-3)
            assert here.untyped_storage().nbytes() == here.numel() * here.element_size()
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-4)


def test_weight_decay_shrinks_matrices_and_leaves_vectors():
    task, data = get_task("object"), clips()
    config = grid(learning_rates=(1e-2,), seeds=(0,), weight_decays=(0.0, 5.0), steps=20)
    loose, tight = (member.readout for member in fit_readout(task, data, data, config=config, options=OPTIONS).members)
    assert tight.to_v.weight.norm() < 0.7 * loose.to_v.weight.norm()
    assert tight.norm_scale.norm() > 0.9 * loose.norm_scale.norm()


def test_rate_and_decay_are_chosen_together_on_validation():
    scores = iter([0.1, 0.3, 0.2, 0.2, 0.9, 0.5, 0.6, 0.4])
    config = grid(weight_decays=(0.0, 0.1))
    data = clips()
    found = fit_readout(get_task("object"), data, data, score=lambda _: next(scores), config=config, options=OPTIONS)
    assert (found.learning_rate, found.weight_decay) == (1e-2, 0.0)
    assert [member.score for member in found.chosen] == [0.9, 0.5]


@pytest.mark.parametrize("form", ["mean_pool", "linear"])
def test_baselines_read_what_is_linear(form, tmp_path):
    """The class shifts one channel of every token: a plane divides them, which both can say."""
    task, train, test = get_task("object"), clips(512), clips(128, seed=1)
    for data in (train, test):
        data.features[..., 0] += data.labels["object"][:, None, None, None] - 0.5
    config = grid(steps=150, learning_rates=(3e-2,), seeds=(0,), batch_size=64)
    readout = fit_readout(task, train, test, config=config, options={"readout": form}).best.readout
    assert type(readout) is {"mean_pool": MeanPoolClassifier, "linear": LinearClassifier}[form]
    columns = predict(task, readout, test)
    assert (columns["predictions"].argmax(1) == columns["references"]).mean() > 0.85
    readout.save_pretrained(tmp_path)
    np.testing.assert_array_equal(
        predict(task, Readout.from_pretrained(tmp_path), test)["predictions"], columns["predictions"]
    )


def test_a_mean_knows_no_place_and_a_linear_does():
    values = torch.randn(3, 2, 3, 3, 8)
    mean, linear = MeanPoolClassifier(8, 4), LinearClassifier(8, (2, 3, 3), 4)
    for readout in (mean, linear):
        nn.init.normal_(readout.head.weight)
    torch.testing.assert_close(mean(values), mean(values.flip(1, 3)))
    assert (linear(values) - linear(values.flip(1))).abs().max() > 0.01
    assert (linear(values) - linear(values.flip(3))).abs().max() > 0.01
    with pytest.raises(ValueError, match=r"values must have the grid \(2, 3, 3\), got \(1, 3, 3\)"):
        linear(values[:, :1])


def test_statistics_tell_brightness_that_normalisation_takes_away():
    """A class that is the brightness of a flat picture: without the two numbers no readout can see it."""
    draw = torch.Generator().manual_seed(0)
    bright = torch.rand(256, 1, 1, 1, 1, generator=draw) - 0.5
    values = bright + 0.1 * torch.randn(256, 2, 3, 3, 3, generator=draw)
    data = ProbeData(values, {"object": (bright.flatten() > 0).long()}, SPANS, 5)
    task, right = get_task("object"), {}
    config = grid(steps=60, learning_rates=(1e-2,), seeds=(0,), batch_size=64)
    for statistics in (True, False):
        options = {**OPTIONS, "statistics": statistics}
        columns = predict(task, fit_readout(task, data, data, config=config, options=options).best.readout, data)
        right[statistics] = (columns["predictions"].argmax(1) == columns["references"]).mean()
    assert right[True] > 0.95
    assert right[False] < 0.75


def test_statistics_stand_beside_the_token_at_any_scale():
    values = torch.tensor([3e4, -2.0, 0.5])[:, None] + torch.tensor([100.0, 1.0, 0.01])[:, None] * torch.randn(3, 64)
    found = standardise(values, statistics=True)
    torch.testing.assert_close(found[:, :64], standardise(values))
    torch.testing.assert_close(found[:, 64], values.mean(1).asinh())
    expected = (values.var(1, correction=0) + 1e-4).log() / 2
    torch.testing.assert_close(found[:, 65], expected)
    assert standardise(torch.zeros(1, 8), statistics=True).isfinite().all()


@pytest.mark.parametrize("statistics", [False, True])
def test_folded_equals_plain_with_and_without_statistics_in_single_precision(statistics):
    """ecosystem.md section 3: the same outputs and gradients to 1e-6 in float32."""
    torch.manual_seed(0)
    readout = AttentiveClassifier(24, 3, 7, width=32, num_heads=4, statistics=statistics)
    nn.init.normal_(readout.head.weight, std=0.1)
    values, labels = torch.randn(16, 3, 4, 4, 24), torch.randint(7, (16,))
    found = []
    for folded in (True, False):
        readout.folded = folded
        readout.zero_grad()
        logits = readout(values)
        classification_loss(logits, labels).backward()
        gradients = {name: p.grad.clone() for name, p in readout.named_parameters() if name != "to_k.bias"}
        found.append((logits.detach(), gradients))
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", SIZES)
def test_readouts_run_in_half_precision(kind):
    torch.manual_seed(0)
    readout = kind(*SIZES[kind])
    nn.init.normal_(readout.head.weight, std=0.1)
    values = torch.randn(6, 2, 3, 3, 8)
    whole = readout(values)
    half = copy.deepcopy(readout).bfloat16()(values.bfloat16())
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), whole, rtol=0.1, atol=0.1)
