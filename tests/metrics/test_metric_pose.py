# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest
from scipy.linalg import polar
from scipy.spatial.transform import Rotation

from hf_vdrep.metrics.pose import DEFAULT_BOX, NEAR_BOX, box_corners, nearest_rotation, pose_errors, rotation_angle


def pose(rotation, translation):
    """(1, 3, 4) from a scipy rotation and a vector."""
    return np.concatenate([rotation.as_matrix(), np.reshape(translation, (3, 1))], axis=1)[None]


@pytest.fixture
def poses():
    rng = np.random.default_rng(0)
    rotations = Rotation.random(6, rng=rng).as_matrix()
    return np.concatenate([rotations, rng.normal(size=(6, 3, 1))], axis=2)


def test_a_shifted_pose_has_the_length_of_the_shift_as_end_point_error(poses):
    """papers.md section 10, oracle: R' = R, t' = t + e gives EPE = |e|, whatever the box."""
    shifted = poses + np.array([[0, 0, 0, 0.3], [0, 0, 0, -0.4], [0, 0, 0, 1.2]])
    for box in (DEFAULT_BOX, NEAR_BOX):
        errors = pose_errors(shifted, poses, box=box)
        np.testing.assert_allclose(errors["epe"], 1.3)
        np.testing.assert_allclose(errors["translation"], 1.3)
        np.testing.assert_allclose(errors["rotation"], 0, atol=1e-5)


def test_the_default_box_has_the_corners_of_the_public_library():
    """kauldron's PoseEndPointError: [-5, 5] x [-5, 5] x [0, 10]."""
    expected = {(x, y, z) for x in (-5, 5) for y in (-5, 5) for z in (0, 10)}
    assert {tuple(corner) for corner in box_corners()} == expected


def test_half_a_turn_about_the_axis_moves_each_corner_across_it():
    """Corners lie sqrt(50) off the optical axis: EPE = 2 sqrt(50)."""
    still = pose(Rotation.identity(), [0, 0, 0])
    errors = pose_errors(pose(Rotation.from_euler("z", 180, degrees=True), [0, 0, 0]), still)
    np.testing.assert_allclose(errors["epe"], 2 * np.sqrt(50))
    np.testing.assert_allclose(errors["rotation"], 180)


def test_end_point_error_written_out(poses):
    predicted = poses[::-1]
    expected = []
    for p, q in zip(predicted, poses, strict=True):
        corners = box_corners(NEAR_BOX)
        expected.append(np.mean([np.linalg.norm(p[:, :3] @ x + p[:, 3] - q[:, :3] @ x - q[:, 3]) for x in corners]))
    np.testing.assert_allclose(pose_errors(predicted, poses, box=NEAR_BOX)["epe"], expected)


@pytest.mark.parametrize("degrees", [0.0, 1e-6, 1e-3, 30.0, 90.0, 179.999, 180.0])
def test_rotation_error_is_the_angle_turned_by_also_near_0_and_180(degrees):
    """arccos((tr - 1) / 2) would be off by 1e-6 degrees near the ends."""
    axis = np.array([1.0, -2.0, 0.5])
    turn = Rotation.from_rotvec(np.radians(degrees) * axis / np.linalg.norm(axis)).as_matrix()
    np.testing.assert_allclose(rotation_angle(turn), degrees, atol=1e-9)


def test_the_scale_of_the_predicted_rotation_has_no_part(poses):
    """Procrustes: s R projects to R."""
    predicted = poses.copy()
    predicted[:, :, :3] *= 3.7
    np.testing.assert_allclose(pose_errors(predicted, poses)["epe"], 0, atol=1e-12)


def test_projection_is_the_polar_factor_and_a_reflection_becomes_a_rotation():
    """For det > 0 the nearest rotation is the orthogonal factor of the polar decomposition."""
    rng = np.random.default_rng(1)
    matrices = rng.normal(size=(20, 3, 3))
    positive = matrices[np.linalg.det(matrices) > 0]
    np.testing.assert_allclose(nearest_rotation(positive), [polar(m)[0] for m in positive], atol=1e-10)
    found = nearest_rotation(matrices)
    np.testing.assert_allclose(np.linalg.det(found), 1)
    np.testing.assert_allclose(found @ np.swapaxes(found, 1, 2), np.broadcast_to(np.eye(3), found.shape), atol=1e-12)


def test_no_rotation_is_nearer_than_the_projection():
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(3, 3))
    nearest = np.linalg.norm(nearest_rotation(matrix) - matrix)
    others = Rotation.random(2000, rng=rng).as_matrix()
    assert nearest <= np.linalg.norm(others - matrix, axis=(1, 2)).min()


def test_opposite_translations_are_180_degrees_apart():
    """Trap: |cos| gives 0 for t against -t."""
    still, t = Rotation.identity(), np.array([1.0, 2.0, -0.5])
    for vector, angle in ((t, 0), (3 * t, 0), (-t, 180), ([2.0, -1.0, 0.0], 90)):
        errors = pose_errors(pose(still, vector), pose(still, t))
        np.testing.assert_allclose(errors["translation_angle"], angle, atol=1e-6)


def test_no_predicted_translation_is_as_wrong_as_can_be_and_no_true_one_has_no_direction():
    still = Rotation.identity()
    nothing, something = pose(still, [0, 0, 0]), pose(still, [0, 0, 1])
    assert pose_errors(nothing, something)["translation_angle"] == 180
    assert np.isnan(pose_errors(something, nothing)["translation_angle"])
    np.testing.assert_allclose(pose_errors(something, nothing)["epe"], 1)


def test_a_target_that_is_not_known_has_no_value(poses):
    unknown = poses.copy()
    unknown[2, 1, 3] = np.nan
    errors = pose_errors(poses, unknown)
    for name in ("epe", "rotation", "translation", "translation_angle"):
        np.testing.assert_array_equal(np.isnan(errors[name]), np.arange(6) == 2)


def test_float32_labels_pass_for_rotations(poses):
    errors = pose_errors(poses, poses.astype(np.float32))
    assert errors["epe"].max() < 1e-5


def test_bad_poses_are_named(poses):
    bad = poses.copy()
    bad[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="predicted must be finite"):
        pose_errors(bad, poses)
    with pytest.raises(ValueError, match="target must hold rotations"):
        pose_errors(poses, 2 * poses)
    mirrored = poses * np.array([-1, 1, 1]).reshape(3, 1)
    with pytest.raises(ValueError, match="det R = 1"):
        pose_errors(poses, mirrored)
    with pytest.raises(ValueError, match=r"\(N, 3, 4\), got \(6, 12\)"):
        pose_errors(poses.reshape(6, 12), poses.reshape(6, 12))
    with pytest.raises(ValueError, match="target must be finite"):
        pose_errors(poses, np.where(np.arange(4) == 3, np.inf, poses))
    with pytest.raises(ValueError, match="low < high"):
        pose_errors(poses, poses, box=((0, 0), (0, 1), (0, 1)))
