# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import pytest
import torch

from hf_vdrep.probes.resample import frame_weights, resample_to_frames

LATENT_SPANS = torch.tensor([[0, 1], [1, 5], [5, 9], [9, 13], [13, 17]])


def test_nearest_takes_the_step_that_covers_the_frame():
    """WALT's latents: frame 0 alone, then four frames a step."""
    chosen = frame_weights(LATENT_SPANS, 17).argmax(1)
    assert chosen.tolist() == [0] + [step for step in (1, 2, 3, 4) for _ in range(4)]


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_one_step_per_frame_is_the_identity(mode):
    spans = torch.stack([torch.arange(6), torch.arange(6) + 1], 1)
    torch.testing.assert_close(frame_weights(spans, 6, mode), torch.eye(6))


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_a_constant_stays_constant(mode):
    torch.testing.assert_close(frame_weights(LATENT_SPANS, 17, mode).sum(1), torch.ones(17))


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_a_ramp_over_even_steps_stays_a_ramp_inside(mode):
    """Both kernels reproduce straight lines between the outer centres (cubic: one step further in)."""
    spans = torch.stack([torch.arange(0, 24, 4), torch.arange(4, 28, 4)], 1)
    centres = (spans[:, :1] + spans[:, 1:] - 1) / 2
    ramp = frame_weights(spans, 24, mode) @ centres
    torch.testing.assert_close(ramp[6:18, 0], torch.arange(6.0, 18.0))


def test_sparse_frames_hold_for_their_neighbours():
    """Frames read at the latent stride, one image each: a frame in a gap takes the nearest image."""
    spans = torch.tensor([[0, 1], [4, 5], [8, 9]])
    assert frame_weights(spans, 9).argmax(1).tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_values_follow_the_weights():
    values = torch.randn(2, 5, 3, 3, 4)
    found = resample_to_frames(values, LATENT_SPANS, 17)
    torch.testing.assert_close(found[:, 4], values[:, 1])
    torch.testing.assert_close(found[:, 5], values[:, 2])


def test_bad_spans_are_named():
    with pytest.raises(ValueError, match="frame_spans must have shape"):
        frame_weights(torch.zeros(5), 17)
    with pytest.raises(ValueError, match="non-empty"):
        frame_weights(torch.tensor([[3, 3]]), 17)
    with pytest.raises(ValueError, match="mode must be"):
        frame_weights(LATENT_SPANS, 17, "sinc")
    with pytest.raises(ValueError, match="5 steps but frame_spans 1"):
        resample_to_frames(torch.zeros(1, 5, 2, 2, 3), LATENT_SPANS[:1], 17)
