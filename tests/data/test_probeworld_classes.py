# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Class labels against the scene graph read another way: through the names of things."""

import numpy as np
import pytest

from hf_vdrep.data import probeworld
from hf_vdrep.data.probeworld import ProbeWorld
from hf_vdrep.data.probeworld.classes import coarse_of_many
from hf_vdrep.data.probeworld.selection import TAIL, fine_ranks, tail_palettes
from hf_vdrep.data.probeworld.textures import FAMILIES, photograph_folder
from hf_vdrep.data.probeworld.vocabulary import SPLITS

TASKS = ("object", "scene", "fine", "action_coarse", "action_many", "action_motion")
LOOKS = {"plain": "smooth", "noise": "smooth", "stripes": "striped", "checker": "tiled", "dots": "tiled"}
STYLES = {"solid": "plain", "gradient": "plain", "stripes": "striped", "photograph": "photographic"}
ROUND, POINTED, BOXY = {"sphere", "torus", "capsule"}, {"cone", "pyramid", "octahedron"}, {"cube", "wedge", "cross"}


@pytest.fixture(scope="module")
def scenes(small_config):
    """600 scene graphs per split; nothing is rendered."""
    worlds = {split: ProbeWorld(split, 600, small_config) for split in SPLITS}
    return {split: [world.scene(index) for index in range(len(world))] for split, world in worlds.items()}


def _surface(scene, face):
    return LOOKS.get(FAMILIES[int(scene.room.family[face])], "grainy")


def _walled(scene):
    return {"smooth": "smooth", "grainy": "grainy"}.get(_surface(scene, 2), "patterned") + " wall"


def _name(task, label):
    return probeworld.TASK_NAMES[task][label]


def test_labels_say_what_the_scene_graph_holds(world, samples):
    for index, sample in enumerate(samples):
        scene = world.scene(index)
        main = probeworld.OBJECT_NAMES[scene.kind[0]]
        motion = _name("action_motion", sample["action_motion"])
        still = motion.startswith(("rotate", "camera"))
        meets = motion in ("hide behind", "emerge from behind", "come together", "move apart")
        style = STYLES.get(probeworld.PATTERN_NAMES[scene.materials.pattern[0]], "patchy")
        group = "round" if main in ROUND else "pointed" if main in POINTED else "boxy" if main in BOXY else "turned"
        assert _name("fine", sample["fine"]) == f"{style} {main}"
        assert _name("scene", sample["scene"]) == f"{_surface(scene, 0)} floor, {_surface(scene, 2)} wall"
        done = "stays" if still else "moves"
        assert _name("action_coarse", sample["action_coarse"]) == f"{group} solid {done}, {_walled(scene)}"
        done = "stays" if still else "meets another" if meets else "travels"
        assert _name("action_many", sample["action_many"]) == f"{main} {done}, {_walled(scene)}"


def test_the_texture_on_a_face_is_of_its_family(scenes, world):
    for scene in scenes["train"][:50]:
        np.testing.assert_array_equal(world.library.family[scene.room.texture], scene.room.family)


def test_vocabularies_name_every_class_once():
    sizes = {task: len(probeworld.TASK_NAMES[task]) for task in TASKS}
    assert sizes == {
        "object": 12,
        "scene": 16,
        "fine": 48,
        "action_coarse": 24,
        "action_many": 108,
        "action_motion": 16,
    }
    assert all(len(set(names)) == len(names) for names in probeworld.TASK_NAMES.values())


def test_the_many_actions_refine_the_coarse_ones(scenes):
    for scene in scenes["test"]:
        many, coarse = (
            getattr(probeworld.classes, f"{name}_class")(scene) for name in ("action_many", "action_coarse")
        )
        assert coarse_of_many(many) == coarse
    with pytest.raises(ValueError, match=r"many must lie in \[0, 107\], got 108"):
        coarse_of_many(108)


@pytest.mark.skipif(photograph_folder() is None, reason="grainy surfaces need scikit-image's photographs")
@pytest.mark.parametrize("split", SPLITS)
def test_classes_are_balanced_within_a_factor_in_every_split(split):
    """By the world's probabilities the rarest scene has 1/39 of the clips, the most frequent 1/9.8."""
    world = ProbeWorld(split, 768)
    drawn = [world.scene(index) for index in range(768)]
    for name, least, most in (("scene", 0.01, 0.15), ("action_coarse", 0.006, 0.12), ("action_many", 0.0, 0.04)):
        labels = [getattr(probeworld.classes, f"{name}_class")(scene) for scene in drawn]
        share = np.bincount(labels, minlength=len(probeworld.TASK_NAMES[name])) / len(drawn)
        assert least <= share.min() and share.max() < most, name


def test_one_frame_bounds_the_appearance_led_actions(scenes):
    """A reader of one frame knows actor and wall; its best guess at the motion is right for 3/4 and 1/2 of clips."""
    every = [scene for split in SPLITS for scene in scenes[split]]
    for name, bound in (("action_coarse", 0.75), ("action_many", 0.5)):
        cells: dict[tuple, list[int]] = {}
        for scene in every:
            key = (int(scene.kind[0]), _walled(scene))
            cells.setdefault(key, []).append(getattr(probeworld.classes, f"{name}_class")(scene))
        best = sum(np.bincount(found).max() for found in cells.values()) / len(every)
        assert abs(best - bound) < 0.03
    assert len(every) == 1800


def test_fine_is_long_tailed_in_train_and_level_in_test(small_config):
    shares = {}
    for split in ("train", "test"):
        world = ProbeWorld(split, 3000, small_config)
        found = [probeworld.classes.fine_class(world.scene(i)) for i in world.task_indices("fine", 500)]
        counts = np.bincount(found, minlength=48)
        shares[split] = counts[counts > 0] / 500
    assert shares["train"].max() > 10 * shares["train"].min()
    assert shares["test"].max() < 6 * shares["test"].min()
    assert np.sort(shares["train"])[-12:].sum() > 0.5 > 0.45 > np.sort(shares["test"])[-12:].sum()


def test_rare_classes_share_no_combination_between_splits(scenes, small_config):
    rare = np.flatnonzero(fine_ranks(0) >= 48 - TAIL)
    for fine in rare.tolist():
        sets = [set(tail_palettes(0, fine, split)) for split in SPLITS]
        assert sum(map(len, sets)) == len(set.union(*sets)) == 10
    seen = {split: set() for split in SPLITS}
    for split in SPLITS:
        for index in ProbeWorld(split, 600, small_config).task_indices("fine"):
            scene = scenes[split][index]
            if (fine := probeworld.classes.fine_class(scene)) in rare:
                seen[split].add((fine, scene.palette))
    assert all(seen.values())
    assert not (seen["train"] & seen["test"] or seen["train"] & seen["validation"] or seen["validation"] & seen["test"])


def test_longer_selections_begin_with_shorter_ones(world):
    fine = world.task_indices("fine", 60)
    assert fine[:20] == world.task_indices("fine", 20) and fine == sorted(set(fine))
    assert world.task_indices("object", 5) == [0, 1, 2, 3, 4] and len(world.task_indices("depth")) == 1000


def test_wrong_selections_are_named(small_config):
    world = ProbeWorld("train", 30, small_config)
    with pytest.raises(ValueError, match="task must be one of"):
        world.task_indices("colour")
    with pytest.raises(ValueError, match="size must be positive, got 0"):
        world.task_indices("fine", 0)
    with pytest.raises(ValueError, match=r"size must be at most \d+, the clips for 'fine' in a world of 30, got 30"):
        world.task_indices("fine", 30)
