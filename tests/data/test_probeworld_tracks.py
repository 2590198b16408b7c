# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tracks, depth, pose and intrinsics are one geometry: each is worked out here from the others."""

import dataclasses

import numpy as np
import pytest
import torch
from plane_depth import plane_depth

from hf_vdrep.data.probeworld.packing import pack
from hf_vdrep.data.probeworld.passes import cast
from hf_vdrep.data.probeworld.render import surfaces_of

FINE = 8  # how much finer the masks are that boxes are compared with


@pytest.fixture(scope="module")
def clips(world, samples):
    """Six clips: scene graph, sample, and depth and instance at eight times the resolution."""
    config = dataclasses.replace(world.config, resolution=FINE * world.config.resolution)
    scenes = [world.scene(index) for index in range(6)]
    depth, instance = surfaces_of(scenes, config)
    return list(zip(scenes, samples, depth.double().numpy(), instance.numpy(), strict=False))


def _lift(sample, t, place, depth):
    """World points (N, 3) seen at normalised places (N, 2) at z-depths (N,)."""
    side = sample["depth"].shape[-1]
    pose = sample["pose"][t].double().numpy()
    rays = (
        np.concatenate([place * side, np.ones((len(place), 1))], 1)
        @ np.linalg.inv(sample["intrinsics"].double().numpy()).T
    )
    return rays * depth[:, None] @ pose[:, :3].T + pose[:, 3]


def _pixels(sample, t, points):
    """World points (N, 3) in pixels (N, 2)."""
    pose = sample["pose"][t].double().numpy()
    seen = (points - pose[:, 3]) @ pose[:, :3] @ sample["intrinsics"].double().numpy().T
    return seen[:, :2] / seen[:, 2:]


def _carried(scene, points, slots, start, end):
    """World points of frame `start` on the bodies `slots` (255: the room), where frame `end` has them."""
    out = points.copy()
    for slot in range(4):
        own = slots == slot
        local = (points[own] - scene.position[start, slot]) @ scene.rotation[start, slot]
        out[own] = local @ scene.rotation[end, slot].T + scene.position[end, slot]
    return out


def _look_up(maps, place):
    """Values of (H, W) maps at normalised places inside the frame."""
    column, row = (np.clip(place * maps.shape[-1], 0, maps.shape[-1] - 1)).astype(int).T
    return maps[row, column]


def _surface(packed, t, place, config):
    """Depth (N,) and body (N,) of what is seen at normalised places (N, 2) of frame t: one exact ray each."""
    ray = torch.from_numpy(((place - 0.5) / config.focal).astype(np.float32))
    room, solids = cast(packed, torch.full((len(place),), t, dtype=torch.int32), *ray.T.contiguous())
    slot = torch.where(solids.depth < room.depth, solids.slot.long(), 255)
    return torch.minimum(solids.depth, room.depth).double().numpy(), slot.numpy()


def test_rays_through_pixel_centres_see_the_depth_map(clips, world):
    """What lies between pixels, needed below at a solid's very rim, is the depth map's own continuation."""
    scene, sample, _, _ = clips[0]
    side = world.config.resolution
    y, x = np.mgrid[:side, :side]
    place = (np.stack([x, y], -1).reshape(-1, 2) + 0.5) / side
    depth, slot = _surface(pack([scene]), 3, place, world.config)
    np.testing.assert_allclose(depth, sample["depth"][3].numpy().reshape(-1), rtol=1e-4)
    assert (slot == sample["instance"][3].numpy().reshape(-1)).mean() > 0.999


def test_every_visible_point_reprojects_within_half_a_pixel_on_the_same_surface(clips, world):
    """From every frame in which a point is seen into every frame: by depth, intrinsics, pose and its body's motion."""
    checked = 0
    for scene, sample, _, _ in clips:
        tracks, visible = sample["tracks"].double().numpy(), sample["visible"].numpy()
        packed, side = pack([scene]), sample["depth"].shape[-1]
        slots = _surface(packed, 0, tracks[:, 0], world.config)[1]
        for t in range(tracks.shape[1]):
            seen = visible[:, t]
            depth, shown = _surface(packed, t, tracks[seen, t], world.config)
            np.testing.assert_array_equal(shown, slots[seen])
            start = _lift(sample, t, tracks[seen, t], depth)
            for end in range(tracks.shape[1]):
                found = _pixels(sample, end, _carried(scene, start, slots[seen], t, end))
                assert np.abs(found - tracks[seen, end] * side).max() < 0.5
                checked += len(found)
    assert checked > 6000


def _procrustes(start, end):
    """Rotation and translation that carry points (N, 3) onto others, by the SVD of their covariance."""
    first, second = start - start.mean(0), end - end.mean(0)
    u, _, vt = np.linalg.svd(second.T @ first)
    rotation = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    return rotation, end.mean(0) - rotation @ start.mean(0)


def _camera_points(sample, t, tracks):
    """Camera coordinates (N, 3) of the tracks at frame t by its depth map; NaN where the map is no plane there."""
    inverse = np.linalg.inv(sample["intrinsics"].double().numpy())
    side = sample["depth"].shape[-1]
    out = np.full((len(tracks), 3), np.nan)
    for row, place in enumerate(tracks[:, t]):
        if (place > 0).all() and (place < 1).all() and (found := plane_depth(sample, t, place)) is not None:
            out[row] = inverse @ [*(place * side), 1.0] * found
    return out


def test_the_pose_follows_from_tracks_and_depth(clips):
    """Points of the resting room, lifted by depth in the first and the last frame: Procrustes gives the motion."""
    solved = 0
    for _, sample, _, instance in clips:
        tracks = sample["tracks"].double().numpy()
        still = (_look_up(instance[0], tracks[:, 0]) == 255) & sample["visible"][:, -1].numpy()
        start, end = (_camera_points(sample, t, tracks[still]) for t in (0, -1))
        both = ~np.isnan(start[:, 0] + end[:, 0])
        if both.sum() < 5:
            continue
        rotation, translation = _procrustes(end[both], start[both])
        first, last = (np.vstack([pose, [0, 0, 0, 1]]) for pose in sample["pose"][[0, -1]].double().numpy())
        relative = np.linalg.inv(first) @ last
        np.testing.assert_allclose(rotation, relative[:3, :3], atol=1e-3)
        np.testing.assert_allclose(translation, relative[:3, 3], atol=1e-3)
        solved += 1
    assert solved >= 4


def test_boxes_agree_with_the_masks_of_whole_solids(clips, world):
    """In every frame: the box around a solid drawn alone at eight times the resolution, within a fifth of a pixel."""
    side = world.config.resolution
    config = dataclasses.replace(world.config, resolution=FINE * side)
    for scene, sample, _, _ in clips[:3]:
        for slot in np.flatnonzero(scene.active):
            alone = dataclasses.replace(scene, active=np.arange(4) == slot)
            masks = surfaces_of([alone], config)[1][0].numpy() == slot
            for t, mask in enumerate(masks):
                rows, columns = np.nonzero(mask)
                found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / FINE
                np.testing.assert_allclose(sample["boxes"][slot, t].numpy() * side, found, atol=0.2)


def test_presence_is_four_pixels_of_the_mask(samples):
    for sample in samples:
        counts = np.stack([(sample["instance"].numpy() == slot).sum((1, 2)) for slot in range(4)])
        np.testing.assert_array_equal(sample["present"].numpy(), counts >= 4)
