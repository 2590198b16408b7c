# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest

from hf_vdrep.metrics.depth import depth_errors, mean_depth_errors


def test_a_scaled_depth_has_the_scale_as_error():
    """AbsRel of s * d is |s - 1|; delta1 flips at 1.25."""
    depth = np.random.default_rng(0).uniform(0.5, 9, size=(3, 4, 8, 8))
    for scale, close in ((1.2, 1.0), (1.3, 0.0), (0.81, 1.0), (0.79, 0.0)):
        errors = depth_errors(depth * scale, depth)
        np.testing.assert_allclose(errors["abs_rel"], abs(scale - 1))
        np.testing.assert_array_equal(errors["delta_1"], close)


def test_rmse_of_a_constant_offset_is_the_offset():
    depth = np.full((2, 5), 3.0)
    np.testing.assert_allclose(depth_errors(depth - 0.5, depth)["rmse"], 0.5)


def test_unknown_and_far_pixels_do_not_count():
    """Valid is 0.001 < d < 10, strictly."""
    target = np.array([[2.0, 0.0, 0.001, 10.0, 50.0]])
    predicted = np.array([[3.0, 1.0, 9.0, 1.0, 1.0]])
    errors = depth_errors(predicted, target)
    np.testing.assert_allclose(errors["abs_rel"], 0.5)
    np.testing.assert_allclose(errors["rmse"], 1.0)


def test_samples_weigh_the_same_whatever_their_valid_pixels():
    """One value per sample first; pooling all pixels would give 0.1."""
    target = np.array([[1.0] * 9 + [0.0], [1.0] + [0.0] * 9])
    predicted = np.array([[1.0] * 10, [2.0] * 10])
    assert mean_depth_errors(predicted, target)["abs_rel"] == pytest.approx(0.5)


def test_a_sample_without_labels_is_left_out():
    target = np.array([[1.0, 1.0], [0.0, 0.0]])
    errors = depth_errors(np.ones((2, 2)), target)
    assert np.isnan(errors["abs_rel"][1])
    assert mean_depth_errors(np.ones((2, 2)), target)["abs_rel"] == 0


def test_negative_predictions_are_never_close():
    assert depth_errors(np.array([[-1.0]]), np.array([[1.0]]))["delta_1"] == 0


def test_non_finite_predictions_are_refused():
    with pytest.raises(ValueError, match="predicted must be finite"):
        depth_errors(np.array([[np.nan]]), np.array([[1.0]]))


def test_nan_in_the_target_is_unknown():
    target = np.array([[2.0, np.nan, np.inf]])
    errors = depth_errors(np.array([[3.0, 1.0, 1.0]]), target)
    np.testing.assert_allclose(errors["abs_rel"], 0.5)
    assert np.isnan(depth_errors(np.ones((1, 2)), np.full((1, 2), np.nan))["rmse"]).all()


def test_nothing_valid_at_all_gives_no_value_and_no_warning(recwarn):
    assert np.isnan(mean_depth_errors(np.ones((2, 2)), np.zeros((2, 2)))["abs_rel"])
    assert not recwarn.list


def test_limits_are_the_callers_and_must_make_a_range():
    target = np.array([[2.0, 40.0]])
    predicted = np.array([[3.0, 20.0]])
    np.testing.assert_allclose(depth_errors(predicted, target, max_depth=80)["abs_rel"], 0.5)
    np.testing.assert_allclose(depth_errors(predicted, target, min_depth=5, max_depth=80)["rmse"], 20)
    with pytest.raises(ValueError, match=r"min_depth must lie in \[0, max_depth\), got 5 and max_depth 1"):
        depth_errors(predicted, target, min_depth=5, max_depth=1)


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"must share a shape \(N, ...\), got \(2, 3\) and \(2, 4\)"):
        depth_errors(np.ones((2, 3)), np.ones((2, 4)))
