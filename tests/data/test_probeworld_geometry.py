# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Depth, pose, tracks, visibility and boxes against geometry that is worked out here, in float64."""

import dataclasses

import numpy as np
import pytest
from implicit_solids import INSIDE
from plane_depth import plane_depth

from hf_vdrep.data.probeworld.labels import make_samples
from hf_vdrep.data.probeworld.packing import pack
from hf_vdrep.data.probeworld.render import render
from hf_vdrep.data.probeworld.scene import Scene
from hf_vdrep.data.probeworld.tracks import point_tracks
from hf_vdrep.data.probeworld.vocabulary import OBJECT_NAMES, SHAPE_NAMES


def _pixel_rays(sample: dict) -> np.ndarray:
    """Directions (H, W, 3) of pixel centres with z = 1, from the labelled intrinsics."""
    side = sample["depth"].shape[-1]
    inverse = np.linalg.inv(sample["intrinsics"].double().numpy())
    x, y = np.meshgrid(np.arange(side) + 0.5, np.arange(side) + 0.5)
    return np.stack([x, y, np.ones_like(x)], -1) @ inverse.T


def test_depth_of_the_floor_is_the_plane_y_0(samples, world):
    checked = 0
    for index, sample in enumerate(samples):
        room = world.scene(index).room.bounds
        rays = _pixel_rays(sample)
        for t in range(len(sample["depth"])):
            pose = sample["pose"][t].double().numpy()
            heading = rays @ pose[:, :3].T
            with np.errstate(divide="ignore"):
                z = np.where(heading[..., 1] < 0, -pose[1, 3] / heading[..., 1], np.inf)
            x, _, far = np.moveaxis(pose[:, 3] + z[..., None] * heading, -1, 0)
            floor = (x > room[0] + 0.01) & (x < room[1] - 0.01) & (far > room[4] + 0.01) & (far < room[5] - 0.01)
            floor &= sample["instance"][t].numpy() == 255
            np.testing.assert_allclose(sample["depth"][t].numpy()[floor], z[floor], rtol=1e-4)
            checked += floor.sum()
    assert checked > 5000


def test_pose_is_a_rigid_motion(samples):
    for sample in samples:
        rotation = sample["pose"][:, :, :3].double().numpy()
        np.testing.assert_allclose(
            rotation @ rotation.transpose(0, 2, 1), np.broadcast_to(np.eye(3), rotation.shape), atol=1e-6
        )
        np.testing.assert_allclose(np.linalg.det(rotation), 1.0, atol=1e-6)


def _project(sample: dict, t: int, world_point: np.ndarray) -> np.ndarray:
    """Normalised x, y."""
    pose = sample["pose"][t].double().numpy()
    pixel = sample["intrinsics"].double().numpy() @ (pose[:, :3].T @ (world_point - pose[:, 3]))
    return pixel[:2] / pixel[2] / sample["depth"].shape[-1]


def test_tracks_reproject_through_depth_intrinsics_and_pose(samples, world):
    """Lift a point with frame 0's depth, move it with its body, project it into every frame: within 0.1 pixels."""
    checked = {True: 0, False: 0}
    for index, sample in enumerate(samples):
        scene, side = world.scene(index), sample["depth"].shape[-1]
        for track in sample["tracks"].double().numpy():
            depth = plane_depth(sample, 0, track[0])
            if depth is None:
                continue
            pose = sample["pose"][0].double().numpy()
            pixel = np.array([*(track[0] * side), 1.0])
            start = pose[:, :3] @ (np.linalg.inv(sample["intrinsics"].double().numpy()) @ pixel * depth) + pose[:, 3]
            column, row = np.floor(track[0] * side).astype(int)
            slot = int(sample["instance"][0, row, column])
            for t in range(len(track)):
                point = start
                if slot != 255:
                    local = scene.rotation[0, slot].T @ (start - scene.position[0, slot])
                    point = scene.rotation[t, slot] @ local + scene.position[t, slot]
                assert np.abs(_project(sample, t, point) - track[t]).max() * side < 0.1
                checked[slot != 255] += 1
    assert checked[True] > 200 and checked[False] > 200


def test_visible_points_agree_with_the_depth_map(samples, world):
    """Where the depth map is a plane, a visible point of the room lies on it."""
    checked = 0
    for sample in samples:
        for track, seen in zip(sample["tracks"].double().numpy(), sample["visible"].numpy(), strict=True):
            first = plane_depth(sample, 0, track[0])
            slot = int(sample["instance"][0].numpy()[tuple((track[0, ::-1] * 48).astype(int))])
            if first is None or slot != 255:
                continue
            ray = np.linalg.inv(sample["intrinsics"].double().numpy()) @ [*(track[0] * 48), 1.0]
            pose = sample["pose"].double().numpy()
            start = pose[0, :, :3] @ (ray * first) + pose[0, :, 3]
            for t in np.flatnonzero(seen):
                depth = plane_depth(sample, t, track[t])
                if depth is not None:
                    own = (pose[t, :, :3].T @ (start - pose[t, :, 3]))[2]
                    assert abs(own - depth) < 5e-3 * depth
                    checked += 1
    assert checked > 200


def _spheres_only(scene: Scene) -> Scene:
    """The same clip with a sphere in every slot, so that occlusion has a closed form."""
    sphere = OBJECT_NAMES.index("sphere")
    return dataclasses.replace(scene, kind=np.full_like(scene.kind, sphere), active=np.ones_like(scene.active))


def _first_sphere(scene: Scene, t: int, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest crossing (R,) of world rays from the eye with the spheres, and its slot; closed form."""
    offset = scene.camera_position[t] - scene.position[t]
    a = (rays**2).sum(1)[:, None]
    b = rays @ offset.T
    disc = b * b - a * ((offset**2).sum(1) - scene.scale**2)
    z = np.where(disc > 0, (-b - np.sqrt(np.maximum(disc, 0))) / a, np.inf)
    return z.min(1), z.argmin(1)


@pytest.mark.parametrize("index", range(6))
def test_visibility_agrees_with_closed_form_spheres(world, sphere_config, index):
    scene = _spheres_only(world.scene(index))
    frames = render([scene], sphere_config, world._texels)
    rngs = [np.random.default_rng(index)]
    found = point_tracks([scene], pack([scene]), frames.instance[:, 0].numpy(), sphere_config, rngs)
    screen, slots = found.places[0].astype(np.float64), found.slot[0]
    on_sphere = np.flatnonzero(slots != 255)
    agree = []
    ray = np.concatenate([(screen[:, 0] - 0.5) / sphere_config.focal, np.ones((len(slots), 1))], 1)
    world_ray = ray @ scene.camera_rotation[0].T
    depth, nearest = _first_sphere(scene, 0, world_ray)
    assert (nearest[on_sphere] == slots[on_sphere]).mean() > 0.97
    for n in on_sphere[np.isfinite(depth[on_sphere])]:
        slot = slots[n]
        start = scene.camera_position[0] + depth[n] * world_ray[n]
        local = scene.rotation[0, slot].T @ (start - scene.position[0, slot])
        for t in range(sphere_config.num_frames):
            point = scene.rotation[t, slot] @ local + scene.position[t, slot]
            to_point = point - scene.camera_position[t]
            blocked = _first_sphere(scene, t, to_point[None])[0][0] < 1.0 - 5e-3
            inside = ((screen[n, t] >= 0) & (screen[n, t] < 1)).all()
            agree.append((inside and not blocked) == found.visible[0, n, t])
    assert len(agree) > 200 and np.mean(agree) > 0.985


def _occupied(scene: Scene, slot: int, t: int, points: np.ndarray) -> np.ndarray:
    """Which world points lie inside the solid of a slot at frame t."""
    local = (points - scene.position[t, slot]) @ scene.rotation[t, slot] / scene.scale[slot]
    return INSIDE[SHAPE_NAMES[scene.kind[slot]]](local)


def test_instances_agree_with_the_solids_occupancy(samples, world):
    """Just behind the depth map's surface of a solid lies its inside; in front of it, the outside of every solid."""
    for index, sample in enumerate(samples):
        scene = world.scene(index)
        depth = sample["depth"][2].double().numpy()[..., None]
        pose = sample["pose"][2].double().numpy()
        rays = _pixel_rays(sample) @ pose[:, :3].T
        for slot in np.flatnonzero(scene.active):
            own = sample["instance"][2].numpy() == slot
            step = 0.006 * scene.scale[slot]
            assert not _occupied(scene, slot, 2, pose[:, 3] + rays * (depth - step)).any()
            if own.sum() > 30:
                assert _occupied(scene, slot, 2, pose[:, 3] + rays * (depth + step))[own].mean() > 0.9


def test_boxes_hold_all_pixels_of_their_solids_tightly(samples, world):
    """No pixel centre of a solid lies outside its box; where the solid is whole, the box is at most a pixel wider."""
    for index, sample in enumerate(samples):
        scene = world.scene(index)
        for slot in np.flatnonzero(scene.active):
            alone = dataclasses.replace(scene, active=np.arange(4) == slot)
            mask = render([alone], world.config, world._texels).instance[0, 2].numpy() == slot
            rows, columns = np.nonzero(mask)
            x1, y1, x2, y2 = sample["boxes"][slot, 2].numpy() * mask.shape[0]
            assert x1 - 0.55 < columns.min() and columns.max() + 1 < x2 + 0.55
            assert y1 - 0.55 < rows.min() and rows.max() + 1 < y2 + 0.55
            assert columns.min() - x1 < 1.6 and x2 - columns.max() - 1 < 1.6
            assert rows.min() - y1 < 1.6 and y2 - rows.max() - 1 < 1.6


def test_samples_follow_a_reversed_scene(world):
    """Labels are functions of the scene: the reversed clip has the reversed depth."""
    scene = world.scene(3)
    both = [scene, scene.reversed()]
    forward, backward = make_samples(both, render(both, world.config, world._texels), world.config)
    assert (forward["depth"] == backward["depth"].flip(0)).all()
    assert (forward["boxes"] == backward["boxes"].flip(1)).all()
    assert forward["object"] == backward["object"]
