# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Crops of rendered clips: the labels still fit each other."""

import numpy as np
import pytest
import torch

from hf_vdrep.data import apply_window
from hf_vdrep.data.crop_policy import random_window


def unproject(sample, point, frame):
    """World point of a normalised image point, and the spread of depth around it, by the schema's definition."""
    height, width = sample["depth"].shape[1:]
    column, line = int(point[0] * width), int(point[1] * height)
    patch = sample["depth"][frame, max(0, line - 1) : line + 2, max(0, column - 1) : column + 2]
    pixel = torch.tensor([float(point[0]) * width, float(point[1]) * height, 1.0])
    camera = torch.linalg.solve(sample["intrinsics"], pixel) * sample["depth"][frame, line, column]
    pose = sample["pose"][frame]
    return pose[:, :3] @ camera + pose[:, 3], float(patch.max() - patch.min())


@pytest.mark.parametrize("flip", [False, True])
def test_visible_points_of_a_crop_unproject_to_the_same_place_in_the_world(samples, flip):
    """Tracks, depth, pose and intrinsics of the crop together mean the same point of the (mirrored) world."""
    checked = 0
    for place, sample in enumerate(samples):
        side = sample["video"].shape[1]
        window = random_window((side, side), (60, 66), np.random.default_rng(place), scale=(0.5, 0.9))
        moved = apply_window(sample, window.mirrored() if flip else window)
        for row, frame in torch.nonzero(moved["visible"]).tolist():
            before, spread = unproject(sample, sample["tracks"][row, frame], frame)
            after, _ = unproject(moved, moved["tracks"][row, frame], frame)
            if spread > 0.05:
                continue  # at an edge the nearest pixel may be of another surface
            mirrored = before * torch.tensor([-1.0 if flip else 1.0, 1, 1])
            assert (after - mirrored).norm() <= 0.02 + 1.5 * spread
            checked += 1
    assert checked >= 200
