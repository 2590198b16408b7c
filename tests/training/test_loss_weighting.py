# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Weights of the noise levels against the closed form of Hang et al. (2303.09556)."""

import numpy as np
import pytest
import torch
from torch import nn

from hf_vdrep.models import make_scheduler
from hf_vdrep.training.denoising import DenoisingObjective
from hf_vdrep.training.loss_weighting import level_weights


def signal_levels() -> np.ndarray:
    """g(t): linear betas with zero terminal SNR (Lin et al. §3.1)."""
    s = np.sqrt(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))
    return ((s - s[-1]) * s[0] / (s[0] - s[-1])) ** 2


@pytest.mark.parametrize("gamma", [1.0, 5.0])
def test_min_snr_is_the_capped_snr_over_snr_plus_one(gamma):
    """§3.4: w = min(SNR, gamma) / (SNR + 1) for a velocity target; 0 at SNR 0."""
    g = signal_levels()[:-1]
    snr = g / (1 - g)
    weights = level_weights(make_scheduler().alphas_cumprod, "min-snr", gamma).double().numpy()
    np.testing.assert_allclose(weights[:-1], np.minimum(snr, gamma) / (snr + 1), atol=3e-6)
    assert weights[-1] == 0
    assert np.argmax(weights) == np.argmin(abs(snr - gamma)) or abs(snr[np.argmax(weights)] - gamma) < 0.1 * gamma


def test_weighted_velocity_error_is_the_capped_error_of_the_clean_latents():
    """The reason for the formula: with x0' = sqrt(g) x_t - sqrt(1-g) v', |x0 - x0'|^2 = (1-g) |v - v'|^2, so
    min(SNR, gamma) |x0 - x0'|^2 is min(SNR, gamma) / (SNR + 1) |v - v'|^2."""
    g, gamma = torch.tensor([0.9, 0.3], dtype=torch.float64), 5.0
    torch.manual_seed(0)
    noisy, true, guess = torch.randn(3, 2, 7, dtype=torch.float64)
    clean = [g[:, None].sqrt() * noisy - (1 - g[:, None]).sqrt() * velocity for velocity in (true, guess)]
    capped = torch.minimum(g / (1 - g), torch.tensor(gamma)) * (clean[0] - clean[1]).square().mean(1)
    weighted = level_weights(g, "min-snr", gamma).double() * (true - guess).square().mean(1)
    torch.testing.assert_close(weighted, capped, rtol=1e-6, atol=0)


class Zero(nn.Module):
    """Predicts no velocity."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, hidden_states, timestep, self_condition=None):
        return type("Output", (), {"sample": self.scale.expand_as(hidden_states)})


def test_the_objective_weighs_every_sample_by_its_level():
    torch.manual_seed(0)
    clean, noise, steps = torch.randn(3, 2, 1, 2, 2), torch.randn(3, 2, 1, 2, 2), torch.tensor([10, 300, 999])
    data = {"image": clean, "image_noise": noise, "image_timestep": steps}
    loss = DenoisingObjective(Zero(), make_scheduler(), weighting="min-snr")(data)[0]
    g = torch.from_numpy(signal_levels()[steps.numpy()]).float()
    velocity = g.sqrt().view(-1, 1, 1, 1, 1) * noise - (1 - g).sqrt().view(-1, 1, 1, 1, 1) * clean
    weights = torch.minimum(g, 5 * (1 - g))
    torch.testing.assert_close(loss, (weights * velocity.square().flatten(1).mean(1)).mean(), rtol=1e-4, atol=1e-6)


def test_unknown_weightings_and_caps_are_refused():
    levels = make_scheduler().alphas_cumprod
    assert level_weights(levels, "plain") is None
    with pytest.raises(ValueError, match="weighting must be one of plain, min-snr, got 'p2'"):
        level_weights(levels, "p2")
    with pytest.raises(ValueError, match="min_snr_gamma must be above 0"):
        level_weights(levels, "min-snr", 0.0)
