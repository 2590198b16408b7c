# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The noise schedule against closed forms and the published table."""

import numpy as np
import pytest
import torch

from hf_vdrep.models import clean_from_velocity, make_scheduler


def gamma() -> np.ndarray:
    """Linear betas, rescaled to zero terminal SNR (Lin et al. 2305.08891): s' = (s - s_T) * s_1 / (s_1 - s_T)."""
    s = np.sqrt(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))
    return ((s - s[-1]) * s[0] / (s[0] - s[-1])) ** 2


def test_schedule_is_linear_with_zero_terminal_snr():
    """WALT §3 and §5.2, Table 8."""
    np.testing.assert_allclose(make_scheduler().alphas_cumprod.numpy(), gamma(), rtol=2e-3, atol=1e-6)
    assert make_scheduler().alphas_cumprod[-1] == 0


@pytest.mark.parametrize(
    ("timestep", "value"), [(0, 0.9999), (50, 0.970), (200, 0.654), (500, 0.075), (900, 0.0001), (999, 0.0)]
)
def test_schedule_has_the_published_values(timestep: int, value: float):
    """papers.md §2.4, what a time-step means."""
    assert make_scheduler().alphas_cumprod[timestep].item() == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize("timestep", [0, 200, 999])
def test_training_pair_is_the_salimans_ho_one(timestep: int):
    """x_t = sqrt(g) x0 + sqrt(1-g) e and v = sqrt(g) e - sqrt(1-g) x0 (papers.md §2.4)."""
    scheduler, clean, noise = make_scheduler(), torch.randn(2, 4, 1, 2, 2), torch.randn(2, 4, 1, 2, 2)
    steps = torch.full((2,), timestep)
    g = float(gamma()[timestep])
    noisy, velocity = scheduler.add_noise(clean, noise, steps), scheduler.get_velocity(clean, noise, steps)
    torch.testing.assert_close(noisy, g**0.5 * clean + (1 - g) ** 0.5 * noise, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(velocity, g**0.5 * noise - (1 - g) ** 0.5 * clean, rtol=1e-3, atol=1e-3)
    recovered = clean_from_velocity(noisy, velocity, steps, scheduler.alphas_cumprod)
    torch.testing.assert_close(recovered, clean, rtol=1e-4, atol=1e-4)


def test_last_step_is_pure_noise():
    """Zero terminal SNR: at t = 999 nothing of the clean latents is left, and v is their negative."""
    scheduler, clean, noise = make_scheduler(), torch.randn(1, 4, 1, 2, 2), torch.randn(1, 4, 1, 2, 2)
    last = torch.tensor([999])
    torch.testing.assert_close(scheduler.add_noise(clean, noise, last), noise, rtol=0, atol=0)
    torch.testing.assert_close(scheduler.get_velocity(clean, noise, last), -clean, rtol=0, atol=0)


def test_sampling_starts_at_the_last_step():
    """Trailing spacing: with leading spacing the step that is pure noise would never be sampled."""
    scheduler = make_scheduler()
    scheduler.set_timesteps(50)
    assert scheduler.timesteps[0] == 999 and len(scheduler.timesteps) == 50
