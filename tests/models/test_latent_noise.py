# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Noise that belongs to the sample."""

import pytest
import torch

from hf_vdrep.models.latent_noise import noise_like


def test_noise_depends_on_the_seed_of_the_sample_alone():
    """Not on batch size, position or dtype (architecture: Backbone)."""
    many = noise_like(torch.zeros(3, 4, 2, 4, 4), [7, 8, 9])
    torch.testing.assert_close(many[1:2], noise_like(torch.zeros(1, 4, 2, 4, 4), 8), rtol=0, atol=0)
    shared = noise_like(torch.zeros(3, 4, 2, 4, 4, dtype=torch.float64), 8)
    torch.testing.assert_close(shared.float(), many[1:2].expand(3, -1, -1, -1, -1), rtol=0, atol=0)


def test_noise_is_standard_normal():
    noise = noise_like(torch.zeros(1, 8, 5, 32, 32), 0)
    assert abs(noise.mean()) < 0.02 and abs(noise.std() - 1) < 0.02


def test_a_wrong_number_of_seeds_is_named():
    with pytest.raises(ValueError, match=r"seed must be one integer or one per sample \(3\), got 2"):
        noise_like(torch.zeros(3, 1, 1, 1, 1), [0, 1])
