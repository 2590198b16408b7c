# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Noise belongs to the sample."""

import subprocess
import sys

import pytest
import torch

from hf_vdrep.backbones import sample_noise

SHAPE = (4, 5, 8, 8)


def noise(ids, seed=0, timestep=200):
    return sample_noise((len(ids), *SHAPE), seed=seed, sample_ids=ids, timestep=timestep)


def test_noise_ignores_batch_and_order():
    together = noise(["a", "b", "c"])
    torch.testing.assert_close(noise(["c", "a"]), together[[2, 0]], rtol=0, atol=0)
    torch.testing.assert_close(noise(["b"]), together[1:2], rtol=0, atol=0)


def test_noise_ignores_the_global_random_state():
    torch.manual_seed(1)
    first = noise(["a"])
    torch.manual_seed(2)
    torch.testing.assert_close(noise(["a"]), first, rtol=0, atol=0)


def test_noise_is_the_same_in_another_process():
    code = (
        "from hf_vdrep.backbones import sample_noise;"
        "print(sample_noise((1, 4, 5, 8, 8), seed=0, sample_ids=['b'], timestep=200).double().sum().item())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(out) == noise(["a", "b"])[1].double().sum().item()


@pytest.mark.parametrize("other", [{"seed": 1}, {"timestep": 201}])
def test_seed_and_timestep_draw_their_own_noise(other):
    """Independent draws correlate by about 1 / sqrt(n), n = 1280."""
    correlation = torch.corrcoef(torch.stack([noise(["a"]).flatten(), noise(["a"], **other).flatten()]))[0, 1]
    assert abs(correlation) < 0.15


def test_ids_that_join_alike_differ():
    """1|12 and 11|2 must not meet in one hash."""
    assert not torch.equal(noise(["2"], timestep=11), noise(["12"], timestep=1))


def test_noise_is_standard_normal():
    values = noise([str(i) for i in range(64)])
    assert abs(values.mean()) < 0.02
    assert abs(values.std() - 1) < 0.02
    assert abs((values**4).mean() - 3) < 0.1


def test_the_first_frame_has_the_noise_of_an_image():
    image = sample_noise((1, 4, 1, 8, 8), seed=0, sample_ids=["a"], timestep=200)
    torch.testing.assert_close(image, noise(["a"])[:, :, :1], rtol=0, atol=0)


def test_a_wrong_number_of_ids_is_named():
    with pytest.raises(ValueError, match="sample_ids must name each of the 2 samples, got 1"):
        sample_noise((2, *SHAPE), seed=0, sample_ids=["a"], timestep=0)
