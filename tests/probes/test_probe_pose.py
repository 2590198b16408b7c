# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Camera pose: geometry against closed forms and SciPy, and what the readout says before it is trained."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hf_vdrep.probes import ProbeData, Readout, get_task, nearest_rotation, pose_loss, predict, relative_pose
from hf_vdrep.probes.pose import PoseReadout

SPANS = torch.tensor([[0, 1], [1, 5]])


def cameras(count: int, frames: int, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    rotation = Rotation.random(count * frames, random_state=seed).as_matrix().reshape(count, frames, 3, 3)
    pose = np.concatenate([rotation, rng.normal(size=(count, frames, 3, 1))], -1)
    return torch.from_numpy(pose).float()


def data(count: int = 12) -> ProbeData:
    values = torch.randn(count, 2, 3, 3, 8, generator=torch.Generator().manual_seed(0))
    return ProbeData(values, {"pose": cameras(count, 5)}, SPANS, 5)


def test_the_relative_pose_carries_points_of_the_last_camera_to_the_first():
    pose = cameras(6, 4)
    points = torch.randn(6, 3, 10)
    world = pose[:, -1, :, :3] @ points + pose[:, -1, :, 3:]
    in_first = torch.linalg.solve(pose[:, 0, :, :3], world - pose[:, 0, :, 3:])
    relative = relative_pose(pose)
    torch.testing.assert_close(relative[..., :3] @ points + relative[..., 3:], in_first, rtol=1e-4, atol=1e-4)


def test_a_camera_at_rest_has_the_identity():
    still = cameras(3, 1).expand(-1, 7, -1, -1)
    identity = torch.eye(3, 4).expand(3, -1, -1)
    torch.testing.assert_close(relative_pose(still), identity, rtol=0, atol=1e-6)


def test_the_nearest_rotation_is_the_one_that_scipy_finds():
    """Procrustes: the rotation that best maps the unit axes to the columns of the matrix (Kabsch)."""
    matrices = torch.randn(50, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    for matrix, found in zip(matrices, nearest_rotation(matrices), strict=True):
        expected = Rotation.align_vectors(matrix.numpy().T, np.eye(3))[0].as_matrix()
        np.testing.assert_allclose(found, expected, atol=1e-8)


def test_a_reflection_becomes_a_rotation():
    found = nearest_rotation(torch.diag(torch.tensor([1.0, 0.9, -0.5])))
    torch.testing.assert_close(found, torch.diag(torch.tensor([1.0, 1.0, 1.0])))


def test_untrained_it_says_the_mean_pose_of_the_training_set():
    task, clips = get_task("camera_pose"), data()
    found = predict(task, task.make(clips, width=16, num_heads=2), clips)
    targets = relative_pose(clips.labels["pose"])
    assert found["predictions"].shape == found["references"].shape == (12, 3, 4)
    np.testing.assert_allclose(found["references"], targets, atol=1e-6)
    np.testing.assert_allclose(found["predictions"][:, :, 3], targets[:, :, 3].mean(0).expand(12, -1), atol=1e-5)
    rotation = nearest_rotation(targets[:, :, :3].mean(0))
    np.testing.assert_allclose(found["predictions"][:, :, :3], rotation.expand(12, -1, -1), atol=1e-5)


def test_decoding_inverts_normalising():
    readout, relative = PoseReadout(8, 2, width=16, num_heads=2), relative_pose(cameras(20, 3))
    relative[..., 3] *= 100
    readout.start_at(relative)
    torch.testing.assert_close(readout.decode(readout.normalise(relative)), relative, rtol=1e-4, atol=1e-4)
    unit = readout.normalise(relative).view(-1, 3, 4)
    assert unit[..., :3].square().mean().sqrt().item() == pytest.approx(1, abs=1e-4)
    assert unit[..., 3].square().mean().sqrt().item() == pytest.approx(1, abs=1e-4)


def test_the_unit_of_length_changes_no_training(tmp_path):
    """Metres or millimetres: the same loss, the same rotations, translations a thousand times as long."""
    task, clips = get_task("camera_pose"), data()
    longer = ProbeData(clips.features, {"pose": clips.labels["pose"].clone()}, SPANS, 5)
    longer.labels["pose"][..., 3] *= 1000
    draw = torch.Generator()
    losses = []
    for source in (clips, longer):
        torch.manual_seed(0)
        readout = task.make(source, width=16, num_heads=2)
        torch.nn.init.normal_(readout.head.weight)
        losses.append(task.loss(readout, readout.standardise(source.features), dict(source.labels), draw).item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    readout.save_pretrained(tmp_path)
    again = Readout.from_pretrained(tmp_path)
    assert torch.equal(again.target_mean, readout.target_mean)
    assert torch.equal(again(clips.features), readout(clips.features))


def test_folded_and_plain_attention_agree_for_several_queries():
    torch.manual_seed(0)
    readout = PoseReadout(12, 2, width=16, num_heads=2, num_queries=3).double()
    for parameter in readout.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    values = torch.randn(3, 2, 3, 3, 12, dtype=torch.float64)
    folded = readout(values)
    readout.folded = False
    torch.testing.assert_close(folded, readout(values), rtol=0, atol=1e-9)


def test_the_loss_is_the_mean_square_and_leaves_out_what_is_not_finite():
    found, target = torch.zeros(3, 12), torch.full((3, 12), 2.0)
    target[1, 4] = math.nan
    assert pose_loss(found, target).item() == 4.0
    assert pose_loss(found, torch.full((3, 12), math.inf)).item() == 0.0


def test_poses_that_are_no_numbers_do_not_reach_the_mean():
    clips = data()
    clips.labels["pose"][3, -1] = math.nan
    readout = get_task("camera_pose").make(clips, width=16, num_heads=2)
    assert readout.target_mean.isfinite().all()
    assert readout.target_scale.isfinite().all()
