# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Crops: whatever is measured in the picture moves with it."""

import numpy as np
import pytest
import torch

from hf_vdrep.data import CropWindow, apply_window
from hf_vdrep.data.crop_policy import center_window, random_window, view_windows, whole_window
from hf_vdrep.data.sample_window import clip_boxes

SOURCE = (40, 60)


def close(found, expected):
    np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-6)


def windows(count=12):
    """Random crops of all aspects, mirrored or not, and the plain ones."""
    rng = np.random.default_rng(0)
    drawn = [random_window(SOURCE, (24, 20), rng, scale=(0.1, 1.0)) for _ in range(count)]
    drawn = [window.mirrored() if place % 2 else window for place, window in enumerate(drawn)]
    plain = [center_window(SOURCE, (24, 24)), whole_window(SOURCE, (20, 44)), whole_window(SOURCE, (20, 44)).mirrored()]
    return [*drawn, *plain, *view_windows(SOURCE, (24, 24), 3)]


def random_camera(rng):
    """World points (N, 3) in front of a camera-to-world pose (3, 4) with skewed intrinsics (3, 3)."""
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    pose = np.concatenate([rotation, rng.normal(size=(3, 1))], axis=1)
    matrix = np.array([[50.0, 1.5, 27.0], [0, 45.0, 22.0], [0, 0, 1]])
    camera = np.concatenate([rng.uniform(-1, 1, (50, 2)), rng.uniform(2, 5, (50, 1))], axis=1)
    return camera @ rotation.T + pose[:, 3], torch.from_numpy(pose), torch.from_numpy(matrix)


def project(world, pose, intrinsics):
    """Pixels (N, 2) and z-depth (N,) of world points, by the definition of the schema."""
    pose, intrinsics = pose.numpy(), intrinsics.numpy()
    camera = (world - pose[:, 3]) @ pose[:, :3]
    pixels = camera @ intrinsics.T
    return pixels[:, :2] / pixels[:, 2:], camera[:, 2]


@pytest.mark.parametrize("window", windows(), ids=lambda window: f"{window.box[0]:.0f}-{window.size}-{window.flip}")
def test_transform_then_project_is_project_then_transform(window):
    """Intrinsics and pose of the crop put every world point where the crop puts its pixel.

    A mirrored crop shows the mirrored world, x -> -x.
    """
    world, pose, intrinsics = random_camera(np.random.default_rng(1))
    pixels, depth = project(world, pose, intrinsics)
    moved = window.points(torch.from_numpy(pixels / [SOURCE[1], SOURCE[0]])).numpy()
    mirrored = world * [-1, 1, 1] if window.flip else world
    pixels_after, depth_after = project(mirrored, window.pose(pose), window.intrinsics(intrinsics))
    np.testing.assert_allclose(pixels_after, moved * [window.size[1], window.size[0]], atol=1e-9)
    np.testing.assert_allclose(depth_after, depth, atol=1e-12)
    rotation = window.pose(pose)[:, :3]
    close(rotation @ rotation.T, torch.eye(3, dtype=torch.float64))
    assert torch.linalg.det(rotation) > 0


@pytest.mark.parametrize("window", windows(6), ids=lambda window: f"{window.box[0]:.0f}-{window.size}-{window.flip}")
def test_points_stay_on_what_they_were_painted_on(window):
    """Pixels and points take the same way: a bright disc is found again at its transformed centre."""
    rows, columns = np.mgrid[: SOURCE[0], : SOURCE[1]] + 0.5
    centre = np.array([(window.box[0] + window.box[2]) / 2 + 1.5, (window.box[1] + window.box[3]) / 2 - 1.0])
    bright = np.exp(-((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2) / (2 * 2.0**2))
    picture = np.repeat((bright * 250).astype(np.uint8)[..., None], 3, axis=2)
    shown = window.picture(picture)[..., 0].astype(float) ** 2
    found = [(shown * (np.arange(n) + 0.5)[:, None].T).sum() / shown.sum() for n in [shown.shape[1]]]
    found.append((shown * (np.arange(shown.shape[0]) + 0.5)[:, None]).sum() / shown.sum())
    expected = window.points(torch.from_numpy(centre / [SOURCE[1], SOURCE[0]])).numpy() * [*window.size[::-1]]
    np.testing.assert_allclose(found, expected, atol=0.35)


@pytest.mark.parametrize("window", windows(6), ids=lambda window: f"{window.box[0]:.0f}-{window.size}-{window.flip}")
def test_depth_is_taken_from_the_nearest_pixel_and_never_mixed(window):
    """Every output value stands in the source at the place its centre maps to."""
    depth = torch.from_numpy(np.random.default_rng(2).uniform(1, 9, SOURCE))
    moved = window.grid(depth)
    assert tuple(moved.shape) == window.size
    height, width = window.size
    for row, column in [(0, 0), (height - 1, width - 1), (height // 2, width // 3)]:
        place = width - 1 - column if window.flip else column
        x = window.box[0] + (place + 0.5) / width * (window.box[2] - window.box[0])
        y = window.box[1] + (row + 0.5) / height * (window.box[3] - window.box[1])
        assert moved[row, column] == depth[int(y), int(x)]


def test_depth_of_another_resolution_follows_the_same_rectangle():
    window = center_window(SOURCE, (10, 10))
    fine = torch.arange(80 * 120, dtype=torch.float32).reshape(80, 120)
    coarse = fine[::2, ::2]
    assert torch.equal((window.grid(fine) // 240), (window.grid(coarse) // 240))


def test_flipping_twice_is_nothing():
    rng = np.random.default_rng(3)
    _, pose, intrinsics = random_camera(rng)
    window = whole_window(SOURCE, SOURCE).mirrored()
    close(window.pose(window.pose(pose)), pose)
    close(window.intrinsics(window.intrinsics(intrinsics)), intrinsics)
    points = torch.rand(5, 2, dtype=torch.float64)
    close(window.points(window.points(points)), points)


def make_sample(**more):
    return {"id": "a", "video": torch.zeros(2, *SOURCE, 3, dtype=torch.uint8), **more}


def test_tracks_that_leave_the_crop_are_not_visible_but_keep_their_place():
    """A point outside the frame is invisible there (architecture.md, Sample)."""
    tracks = torch.tensor([[[0.5, 0.5], [0.05, 0.5]], [[0.5, 0.2], [0.5, 1.4]]])
    sample = make_sample(tracks=tracks, visible=torch.tensor([[True, True], [False, True]]))
    moved = apply_window(sample, center_window(SOURCE, (20, 20)))
    assert moved["visible"].tolist() == [[True, False], [False, False]]
    close(moved["tracks"][0, 1], torch.tensor([(0.05 * 60 - 10) / 40, 0.5]))


def test_tracks_that_are_no_numbers_are_hidden_and_do_no_harm():
    """A loss that is masked by multiplying must not meet one."""
    tracks = torch.tensor([[[0.5, 0.5], [float("nan"), 0.5]], [[float("inf"), 0.2], [0.5, 0.5]]])
    moved = apply_window(
        make_sample(tracks=tracks, visible=torch.ones(2, 2, dtype=torch.bool)), whole_window(SOURCE, SOURCE)
    )
    assert moved["visible"].tolist() == [[True, False], [False, True]]
    assert torch.isfinite(moved["tracks"]).all()


def test_boxes_are_clipped_and_tiny_rests_are_dropped():
    """Less than 0.5 % of the crop is absent (Waymo protocol, papers.md section 9)."""
    boxes = torch.tensor(
        [
            [[0.0, 0.25, 0.5, 0.75]],  # half of it left of the crop
            [[0.0, 0.0, 0.18, 1.0]],  # 0.8 of 40 columns are left: 2 %
            [[0.0, 0.0, 0.17, 0.4]],  # 0.2 columns: 0.2 %
            [[0.0, 0.0, 0.1, 1.0]],  # nothing is left
            [[0.4, 0.4, 0.4, 0.6]],  # no area to begin with
        ]
    )
    sample = make_sample(boxes=boxes, present=torch.ones(5, 1, dtype=torch.bool))
    moved = apply_window(sample, center_window(SOURCE, (20, 20)))
    assert moved["present"][:, 0].tolist() == [True, True, False, False, False]
    close(moved["boxes"][0, 0], torch.tensor([0.0, 0.25, 0.5, 0.75]))
    assert moved["boxes"][2:].abs().sum() == 0


@pytest.mark.parametrize("share, kept", [(0.0049, False), (0.0051, True)])
def test_the_limit_is_half_a_per_cent_of_the_crop(share, kept):
    side = share**0.5
    _, present = clip_boxes(torch.tensor([[0.1, 0.1, 0.1 + side, 0.1 + side]]), torch.tensor([True]), 0.005)
    assert bool(present[0]) is kept


def test_boxes_that_are_no_numbers_are_absent():
    boxes, present = clip_boxes(torch.tensor([[float("nan"), 0, 1, 1]]), torch.tensor([True]), 0.0)
    assert not present.any() and boxes.abs().sum() == 0


def test_depth_that_is_no_distance_becomes_unknown():
    """NaN, infinite and negative depth is 0, the schema's unknown."""
    depth = torch.full((2, *SOURCE), 2.0)
    depth[0, 20, 30], depth[0, 20, 31], depth[1] = float("nan"), -1.0, float("inf")
    moved = apply_window(make_sample(depth=depth), whole_window(SOURCE, SOURCE))
    assert (moved["depth"][0] == 0).sum() == 2 and (moved["depth"][1] == 0).all()


def test_three_views_cover_the_longer_side():
    """V-JEPA's three crops: left, centre, right."""
    wide, tall = view_windows(SOURCE, (20, 20), 3), view_windows(SOURCE[::-1], (20, 20), 3)
    assert [window.box for window in wide] == [(0, 0, 40, 40), (10, 0, 50, 40), (20, 0, 60, 40)]
    assert [window.box for window in tall] == [(0, 0, 40, 40), (0, 10, 40, 50), (0, 20, 40, 60)]


def test_random_crops_keep_to_their_share_and_aspect():
    rng = np.random.default_rng(4)
    for _ in range(200):
        window = random_window(SOURCE, (16, 16), rng, scale=(0.2, 0.5), aspect=(0.8, 1.25))
        width, height = window.box[2] - window.box[0], window.box[3] - window.box[1]
        assert 0.2 * 2400 - 1e-6 <= width * height <= 0.5 * 2400 + 1e-6
        assert 0.8 - 1e-9 <= width / height <= 1.25 + 1e-9


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((SOURCE, (0, 0, 61, 40), (8, 8)), "inside 40x60"),
        ((SOURCE, (5, 5, 5, 10), (8, 8)), "inside 40x60"),
        ((SOURCE, (0, 0, 60, 40), (0, 8)), "at least 1x1"),
    ],
)
def test_impossible_windows_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        CropWindow(*arguments)


def test_pictures_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"must be \(40, 60\) pixels"):
        center_window(SOURCE, (8, 8)).picture(np.zeros((8, 8, 3), np.uint8))
