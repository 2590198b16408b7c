# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Guidance against its formulas."""

import math

import pytest
import torch

from hf_vdrep.models.pipeline_guidance import Guidance


def test_constant_guidance_is_a_line_through_both_predictions():
    positive, null = torch.randn(2, 2, 3, 4, 5, 5).unbind(0)
    guidance = Guidance(3.0)
    assert guidance.at(0) == guidance.at(999) == 3.0
    torch.testing.assert_close(guidance.combine(positive, null, 3.0), null + 3 * (positive - null))


@pytest.mark.parametrize("power", [1.0, 4.0])
def test_power_cosine_rises_from_one_to_the_scale(power: float):
    """MDT: 1 + (w - 1) (1 - cos(pi (1 - t / T) ** s)) / 2."""
    guidance = Guidance(5.0, "power-cosine", power)
    assert guidance.at(1000) == 1.0
    assert guidance.at(0) == pytest.approx(5.0)
    assert guidance.at(400) == pytest.approx(1 + 4 * (1 - math.cos(math.pi * 0.6**power)) / 2)
    weights = [guidance.at(t) for t in range(0, 1000, 50)]
    assert weights == sorted(weights, reverse=True)


def test_rescale_brings_the_spread_back():
    """Lin et al. 2023, eq. 15-16: at 1 the guided prediction has the conditional one's deviation, at 0.7 a mix."""
    torch.manual_seed(0)
    positive, null = torch.randn(2, 2, 3, 4, 5, 5).unbind(0)
    full = Guidance(7.0, rescale=1.0).combine(positive, null, 7.0)
    axes = (1, 2, 3, 4)
    torch.testing.assert_close(full.std(axes), positive.std(axes))
    plain = Guidance(7.0).combine(positive, null, 7.0)
    torch.testing.assert_close(Guidance(7.0, rescale=0.7).combine(positive, null, 7.0), 0.7 * full + 0.3 * plain)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schedule": "linear"}, "guidance_schedule must be one of constant, power-cosine, got 'linear'"),
        ({"power": 0.0}, "guidance_power must be above 0, got 0.0"),
        ({"rescale": 1.5}, r"guidance_rescale must lie in \[0, 1\], got 1.5"),
    ],
)
def test_wrong_settings_are_named(settings: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Guidance(2.0, **settings)
