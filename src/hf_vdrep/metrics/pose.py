# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Camera pose errors per sample: end-point error, rotation, translation (papers.md section 10)."""

import itertools
from collections.abc import Sequence

import numpy as np

Array = np.ndarray

# Eight corners of a box in front of the camera: (low, high) in x, y and z, in the unit of the translation.
DEFAULT_BOX = ((-5.0, 5.0), (-5.0, 5.0), (0.0, 10.0))
# Of the third-party port that measures close to the camera.
NEAR_BOX = ((-0.5, 0.5), (-0.5, 0.5), (1.0, 1.5))

# Labels are float32: a rotation may miss orthogonality by rounding, not by more.
_ORTHOGONAL = 1e-3
_NO_TRANSLATION = 1e-9


def nearest_rotation(matrices: Array) -> Array:
    """The rotation nearest to each matrix in the Frobenius norm (Procrustes): U diag(1, 1, det(U V^T)) V^T.

    Args:
        matrices: (..., 3, 3), finite.

    Returns:
        float64 (..., 3, 3), orthogonal with determinant 1. A matrix of rank below 2 has several nearest rotations; one
        of them is returned, the same one every time.

    Raises:
        ValueError: another shape, or entries that are not finite.
    """
    matrices = np.asarray(matrices, dtype=np.float64)
    if matrices.shape[-2:] != (3, 3) or not np.isfinite(matrices).all():
        raise ValueError(f"matrices must be finite and (..., 3, 3), got {matrices.shape}")
    left, _, right = np.linalg.svd(matrices)
    signs = np.ones(matrices.shape[:-1])
    signs[..., 2] = np.where(np.linalg.det(left @ right) < 0, -1.0, 1.0)
    return (left * signs[..., None, :]) @ right


def rotation_angle(rotations: Array) -> Array:
    """Angle of each rotation in degrees, [0, 180].

    From sine and cosine together: arccos((tr - 1) / 2) alone loses half the digits near 0 and near 180 degrees.

    Args:
        rotations: (..., 3, 3).
    """
    rotations = np.asarray(rotations, dtype=np.float64)
    skew = (rotations - np.swapaxes(rotations, -1, -2)) / 2
    sine = np.sqrt(skew[..., 2, 1] ** 2 + skew[..., 0, 2] ** 2 + skew[..., 1, 0] ** 2)
    cosine = (np.trace(rotations, axis1=-2, axis2=-1) - 1) / 2
    return np.degrees(np.arctan2(sine, cosine))


def box_corners(box: Sequence[Sequence[float]] = DEFAULT_BOX) -> Array:
    """float64 (8, 3): the corners of a box given as (low, high) in x, y and z.

    Raises:
        ValueError: not three pairs of finite numbers with low < high.
    """
    limits = np.asarray(box, dtype=np.float64)
    if limits.shape != (3, 2) or not np.isfinite(limits).all() or not (limits[:, 0] < limits[:, 1]).all():
        raise ValueError(f"box must be (low, high) in x, y and z with low < high, got {box}")
    return np.array(list(itertools.product(*limits)))


def pose_errors(predicted: Array, target: Array, *, box: Sequence[Sequence[float]] = DEFAULT_BOX) -> dict[str, Array]:
    """Errors of each sample's relative pose [R | t]; the predicted R is first projected to the nearest rotation.

    Args:
        predicted: (N, 3, 4), finite; the left 3 x 3 may be any matrix.
        target: (N, 3, 4), a rotation beside a translation; NaN anywhere means that the pose is not known.
        box: (low, high) in x, y and z of the box whose eight corners X_k carry the end-point error.

    Returns:
        float64 arrays (N,): `epe` mean_k |(R' X_k + t') - (R X_k + t)| and `translation` |t' - t|, in the unit of the
        target (metres), `rotation` the angle of R' R^T in degrees, `translation_angle` the angle between t' and t in
        degrees, [0, 180]: 180 for t against -t and for a prediction of no translation at all, NaN where the target has
        none. All are NaN where the target is not known.

    Raises:
        ValueError: shapes disagree, a prediction is not finite, or a target is not a rotation.
    """
    predicted, target = np.asarray(predicted, dtype=np.float64), np.asarray(target, dtype=np.float64)
    _check(predicted, target)
    corners = box_corners(box)
    target = np.where(np.isnan(target).any(axis=(1, 2), keepdims=True), np.nan, target)
    rotation, true_rotation = nearest_rotation(predicted[..., :3]), target[..., :3]
    shift, true_shift = predicted[..., 3], target[..., 3]
    moved = corners @ np.swapaxes(rotation - true_rotation, -1, -2) + (shift - true_shift)[:, None]
    return {
        "epe": np.linalg.norm(moved, axis=-1).mean(axis=-1),
        "rotation": rotation_angle(rotation @ np.swapaxes(true_rotation, -1, -2)),
        "translation": np.linalg.norm(shift - true_shift, axis=-1),
        "translation_angle": _direction_error(shift, true_shift),
    }


def _direction_error(shift: Array, true_shift: Array) -> Array:
    across = np.linalg.norm(np.cross(shift, true_shift), axis=-1)
    angle = np.degrees(np.arctan2(across, (shift * true_shift).sum(axis=-1)))
    # No direction at all would read as 0 degrees, the best value: saying nothing must not pay.
    angle = np.where(np.linalg.norm(shift, axis=-1) < _NO_TRANSLATION, 180.0, angle)
    return np.where(np.linalg.norm(true_shift, axis=-1) < _NO_TRANSLATION, np.nan, angle)


def _check(predicted: Array, target: Array) -> None:
    if predicted.shape != target.shape or predicted.ndim != 3 or predicted.shape[1:] != (3, 4):
        raise ValueError(f"predicted and target must both be (N, 3, 4), got {predicted.shape} and {target.shape}")
    if not np.isfinite(predicted).all():
        raise ValueError("predicted must be finite, got NaN or infinity")
    if np.isinf(target).any():
        raise ValueError("target must be finite, or NaN where it is not known, got infinity")
    rotations = target[~np.isnan(target).any(axis=(1, 2)), :, :3]
    off = np.abs(rotations @ np.swapaxes(rotations, -1, -2) - np.eye(3)).max(axis=(-2, -1), initial=0.0)
    wrong = (off > _ORTHOGONAL) | (np.linalg.det(rotations) < 0)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise ValueError(f"target must hold rotations (R R^T = 1, det R = 1), got {rotations[index].tolist()}")
