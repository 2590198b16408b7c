# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the sixteen motion classes promise: time reversal, one middle frame, and what their names say."""

import numpy as np
import pytest

from hf_vdrep.data.probeworld import MOTION_NAMES, OBJECT_NAMES, ProbeWorldConfig
from hf_vdrep.data.probeworld.outlines import boxes
from hf_vdrep.data.probeworld.render import render
from hf_vdrep.data.probeworld.scene import Scene
from hf_vdrep.data.probeworld.vocabulary import reversed_motion
from hf_vdrep.data.probeworld.world import ProbeWorld, sample_scene


def _scene(world: ProbeWorld, name: str, seed: int = 0, main: int = 1) -> Scene:
    return sample_scene(world, 0, main, MOTION_NAMES.index(name), np.random.default_rng(seed))


def _video(world: ProbeWorld, *scenes: Scene) -> np.ndarray:
    return render(scenes, world.config, world._texels).video.numpy()


def test_reversal_is_an_involution_between_the_named_twins():
    twins = [(MOTION_NAMES[k], MOTION_NAMES[reversed_motion(k)]) for k in range(0, 16, 2)]
    assert twins[0] == ("move left", "move right") and twins[4] == ("hide behind", "emerge from behind")
    assert all(reversed_motion(reversed_motion(k)) == k != reversed_motion(k) for k in range(16))


@pytest.mark.parametrize("pair", range(8))
def test_twins_are_each_other_played_backwards(world, pair):
    """The same draws for both classes of a pair give one path, and its reverse: the distributions are mirror images."""
    forward, backward = (_scene(world, MOTION_NAMES[2 * pair + k], seed=pair) for k in (0, 1))
    for name in ("position", "rotation", "camera_position", "camera_rotation"):
        np.testing.assert_array_equal(getattr(forward, name), getattr(backward, name)[::-1])
    assert forward.reversed().motion == backward.motion
    videos = _video(world, forward, backward, forward.reversed())
    np.testing.assert_array_equal(videos[0], videos[1][::-1])
    np.testing.assert_array_equal(videos[1], videos[2])


def test_the_middle_frame_says_nothing_about_the_class(world):
    """With all other draws equal, the sixteen classes share one middle frame, pixel by pixel."""
    videos = _video(world, *(_scene(world, name, seed=11) for name in MOTION_NAMES))
    middle = videos[:, world.config.num_frames // 2]
    assert (middle == middle[:1]).all()
    assert len({video.tobytes() for video in videos}) == len(MOTION_NAMES)


def _right(scene: Scene) -> np.ndarray:
    return scene.camera_rotation[len(scene.position) // 2][:, 0]


@pytest.mark.parametrize("seed", range(4))
def test_translations_go_where_their_names_say(world, seed):
    moved = {name: _scene(world, name, seed) for name in MOTION_NAMES}
    path = {name: scene.position[-1, 0] - scene.position[0, 0] for name, scene in moved.items()}
    right = _right(moved["move left"])
    assert path["move left"] @ right < -0.4 and path["move right"] @ right > 0.4
    assert path["rise"][1] > 0.4 and path["fall"][1] < -0.4
    for name, sign in (("approach", -1), ("recede", 1)):
        eye = moved[name].camera_position[world.config.num_frames // 2]
        distance = np.linalg.norm(moved[name].position[:, 0] - eye, axis=1)
        assert sign * (distance[-1] - distance[0]) > 0.4
    for name, sign in (("come together", -1), ("move apart", 1)):
        apart = (moved[name].position[:, 0] - moved[name].position[:, 2]) @ right
        assert sign * (abs(apart[-1]) - abs(apart[0])) > 0.5


@pytest.mark.parametrize("seed", range(4))
def test_start_and_stop_rest_at_one_end(world, seed):
    start = _scene(world, "start moving", seed).position[:, 0]
    assert np.abs(start[1] - start[0]).max() < 1e-12 and np.linalg.norm(start[-1] - start[-2]) > 0.1


@pytest.mark.parametrize("seed", range(4))
def test_rotation_is_clockwise_seen_from_above(world, seed):
    """Seen from above with the viewer at the bottom, x points right and -z up: clockwise turns x towards +z."""
    rotation = _scene(world, "rotate clockwise", seed).rotation[:, 0]
    turn = rotation[1] @ rotation[0].T
    assert (turn @ [1.0, 0.0, 0.0])[2] > 0.1
    np.testing.assert_allclose(turn @ [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_pans_turn_the_camera_and_leave_the_solids(world, seed):
    scene = _scene(world, "camera pans left", seed)
    assert np.abs(scene.position - scene.position[:1]).max() < 0.1
    forward = scene.camera_rotation[:, :, 2]
    assert (forward[-1] - forward[0]) @ _right(scene) < -0.1


def test_hiding_hides(world):
    """At most 0.45 of the main object's pixels are left at the end, less than 0.25 in the median."""
    scenes = [_scene(world, "hide behind", seed, main=seed % 12) for seed in range(24)]
    instance = render(scenes, world.config, world._texels).instance.numpy()
    area = (instance == 0).sum((2, 3))
    left = area[:, -1] / area[:, 0]
    assert np.median(left) < 0.25 and left.max() < 0.5


def test_the_main_object_is_large_and_in_the_frame():
    """Calibration: projected height in the middle frame, median at least 0.33 and 10th percentile 0.25."""
    config = ProbeWorldConfig(num_frames=5, photographs=False)
    world = ProbeWorld("train", 192, config)
    extents = np.stack([boxes(world.scene(index), config)[0] for index in range(192)])
    height = extents[:, 2, 3] - extents[:, 2, 1]
    assert np.median(height) >= 0.33 and np.quantile(height, 0.1) >= 0.25
    centre = (extents[..., :2] + extents[..., 2:]) / 2
    assert ((centre > 0.02) & (centre < 0.98)).all(-1).mean() > 0.99


def test_the_most_visible_object_is_nearly_always_the_main_one(world):
    found = world.batch(range(96))
    main = [int(world.scene(index).kind[0]) for index in range(96)]
    agree = np.mean([sample["object"] == kind for sample, kind in zip(found, main, strict=True)])
    assert agree > 0.9 and {sample["object"] for sample in found} == set(range(len(OBJECT_NAMES)))


@pytest.mark.parametrize(
    ("main", "motion", "words"), [(12, 0, r"main must lie in \[0, 11\], got 12"), (0, -1, "motion")]
)
def test_classes_out_of_range_are_named(world, main, motion, words):
    with pytest.raises(ValueError, match=words):
        sample_scene(world, 0, main, motion, np.random.default_rng(0))
