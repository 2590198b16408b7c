# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from hf_vdrep.metrics.reconstruction import flicker, psnr, ssim


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    reference = np.kron(rng.integers(0, 200, (2, 3, 6, 7, 3)), np.ones((1, 1, 4, 4, 1))).astype(np.uint8)
    return np.clip(reference + rng.normal(0, 12, reference.shape), 0, 255).astype(np.uint8), reference


def test_psnr_of_a_constant_offset_is_closed_form():
    """MSE of an offset e is e^2, so PSNR is -20 log10(e): 0.1 gives 20 dB."""
    reference = np.full((2, 3, 4, 5, 3), 0.4)
    np.testing.assert_allclose(psnr(reference + 0.1, reference), 20.0)
    eight_bit = np.full((1, 1, 2, 2, 3), 100, np.uint8)
    np.testing.assert_allclose(psnr(eight_bit + 1, eight_bit), 20 * np.log10(255))


def test_psnr_takes_the_error_of_the_clip_before_the_logarithm():
    """Half the frames off by 0.1: MSE 0.005, not the mean of 20 dB and infinity."""
    reference = np.full((1, 2, 4, 4, 3), 0.5)
    half = reference.copy()
    half[:, 0] += 0.1
    np.testing.assert_allclose(psnr(half, reference), -10 * np.log10(0.005))


def test_psnr_agrees_with_scikit_image(clips):
    expected = [peak_signal_noise_ratio(b, a) for a, b in zip(*clips, strict=True)]
    np.testing.assert_allclose(psnr(*clips), expected)


def test_ssim_agrees_with_scikit_image(clips):
    """Its settings of Wang et al. 2004, frame by frame."""
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": -1}
    expected = [
        np.mean([structural_similarity(x, y, data_range=255, **options) for x, y in zip(a, b, strict=True)])
        for a, b in zip(*clips, strict=True)
    ]
    assert 0.2 < expected[0] < 0.98
    np.testing.assert_allclose(ssim(*clips), expected, rtol=1e-10)


def test_ssim_of_two_flat_frames_is_the_luminance_term():
    """Without variance, SSIM = (2 a b + c1) / (a^2 + b^2 + c1)."""
    a, b = np.full((1, 1, 11, 11, 1), 0.3), np.full((1, 1, 11, 11, 1), 0.6)
    np.testing.assert_allclose(ssim(a, b), (2 * 0.18 + 1e-4) / (0.09 + 0.36 + 1e-4))


def test_equal_clips_are_perfect(clips):
    _, reference = clips
    assert (psnr(reference, reference) == np.inf).all()
    np.testing.assert_allclose(ssim(reference, reference), 1.0)
    np.testing.assert_array_equal(flicker(reference, reference), 0.0)


def test_flicker_ignores_a_steady_error_and_counts_one_that_comes_and_goes():
    reference = np.random.default_rng(0).uniform(0.2, 0.8, (1, 5, 3, 3, 3))
    sign = np.array([1, -1, 1, -1, 1]).reshape(1, 5, 1, 1, 1)
    np.testing.assert_allclose(flicker(reference + 0.1, reference), 0.0, atol=1e-12)
    np.testing.assert_allclose(flicker(reference + 0.1 * sign, reference), 0.2)


def test_a_frozen_reconstruction_has_the_flicker_of_the_motion_that_it_lost():
    """Against a ramp of 0.1 a frame."""
    ramp = np.linspace(0, 0.4, 5).reshape(1, 5, 1, 1, 1) * np.ones((1, 5, 2, 2, 3))
    np.testing.assert_allclose(flicker(np.full_like(ramp, 0.2), ramp), 0.1)


def test_an_image_has_no_flicker_value():
    assert np.isnan(flicker(np.zeros((1, 1, 2, 2, 3)), np.zeros((1, 1, 2, 2, 3)))).all()


@pytest.mark.parametrize("measure", [psnr, ssim, flicker])
def test_bytes_and_floats_of_the_same_pixels_agree_and_clips_stand_alone(measure, clips):
    reconstruction, reference = clips
    together = measure(reconstruction, reference)
    np.testing.assert_allclose(measure(reconstruction / 255, reference), together)
    np.testing.assert_array_equal(measure(reconstruction[1:], reference[1:]), together[1:])


@pytest.mark.parametrize("measure", [psnr, ssim, flicker])
@pytest.mark.parametrize("value", [-1.0, 1.5, np.nan])
def test_floats_outside_the_unit_interval_are_refused(measure, value):
    """Pixels in [-1, 1] would otherwise look like a bad model."""
    good = np.full((1, 2, 11, 11, 3), 0.5)
    bad = good.copy()
    bad[0, 0, 0, 0, 0] = value
    with pytest.raises(ValueError, match=r"reconstruction must lie in \[0, 1\]"):
        measure(bad, good)


def test_wrong_shapes_types_and_sizes_are_named():
    frame = np.zeros((1, 1, 8, 8, 3))
    with pytest.raises(ValueError, match=r"share a shape \(N, T, H, W, C\)"):
        psnr(frame, frame[:, :, :4])
    with pytest.raises(ValueError, match=r"share a shape \(N, T, H, W, C\)"):
        ssim(frame[0], frame[0])
    with pytest.raises(ValueError, match="at least 11, got 8 x 8"):
        ssim(frame, frame)
    with pytest.raises(ValueError, match="reference must be uint8, or float"):
        psnr(frame, frame.astype(np.int64))
