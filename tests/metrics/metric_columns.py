# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Inputs for every metric of the package, the same in every process."""

import numpy as np

ROWS = 9
OPTIONS = {"kernel_distance": {"subsets": 4, "subset_size": 5}, "paired_bootstrap": {"resamples": 200}}


def columns(name):
    """Columns of `ROWS` samples; some without a value where the metric knows such."""
    rng = np.random.default_rng(0)
    return {
        "top_k_accuracy": _classes,
        "depth_error": _depth,
        "pose_error": _poses,
        "average_jaccard": _tracks,
        "box_iou": _boxes,
        "frechet_distance": _features,
        "kernel_distance": _features,
        "precision_recall": _features,
        "paired_bootstrap": _values,
        "psnr": _pixels,
        "ssim": _pixels,
        "flicker": _pixels,
    }[name](rng)


def part(name, rows):
    """Some rows of each column."""
    return {key: value[rows] for key, value in columns(name).items()}


def _classes(rng):
    return {"predictions": rng.normal(size=(ROWS, 6)).astype(np.float32), "references": rng.integers(0, 3, ROWS)}


def _depth(rng):
    depth = rng.uniform(0.5, 12, size=(ROWS, 2, 4, 4)).astype(np.float32)
    predicted = depth * rng.uniform(0.7, 1.4, depth.shape).astype(np.float32)
    depth[3] = 0
    return {"predictions": predicted, "references": depth}


def _poses(rng):
    rotations = np.linalg.qr(rng.normal(size=(ROWS, 3, 3)))[0]
    rotations *= np.linalg.det(rotations)[:, None, None]
    poses = np.concatenate([rotations, rng.normal(size=(ROWS, 3, 1))], axis=2)
    predicted = poses + 0.1 * rng.normal(size=poses.shape)
    poses[3] = np.nan
    return {"predictions": predicted, "references": poses}


def _tracks(rng):
    tracks = rng.random((ROWS, 4, 7, 2)).astype(np.float32)
    visible, said = rng.random((2, ROWS, 4, 7)) < 0.6
    visible[3] = said[3] = False
    return {
        "predictions": tracks + rng.normal(size=tracks.shape).astype(np.float32) * 0.02,
        "predicted_visible": said,
        "references": tracks,
        "visible": visible,
        "query_frames": rng.integers(0, 4, (ROWS, 4)),
    }


def _boxes(rng):
    low = rng.random((ROWS, 3, 6, 2))
    boxes = np.concatenate([low, low + 0.2 + rng.random(low.shape)], axis=-1).astype(np.float32)
    present = rng.random((ROWS, 3, 6)) < 0.7
    present[3] = False
    predicted = boxes + rng.normal(size=boxes.shape).astype(np.float32) * 0.1
    return {
        "predictions": predicted,
        "references": boxes,
        "present": present,
        "query_frames": rng.integers(0, 3, (ROWS, 3)),
    }


def _features(rng):
    return {"predictions": rng.normal(size=(ROWS, 3)), "references": rng.normal(0.5, 1, size=(ROWS, 3))}


def _values(rng):
    return {"predictions1": rng.random((ROWS, 2)), "predictions2": rng.random((ROWS, 3)) + 0.2}


def _pixels(rng):
    reference = rng.integers(0, 256, size=(ROWS, 2, 12, 11, 3)).astype(np.uint8)
    noisy = reference / 255 + rng.normal(0, 0.1, reference.shape)
    return {"predictions": np.clip(noisy, 0, 1), "references": reference}
