# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training of the end-to-end reference: pool, augmentation, resuming."""

import itertools
import json
import math

import pytest
import torch
from safetensors.torch import load_file, save_file

from hf_vdrep.data.probeworld import MOTION_NAMES, ProbeWorld
from hf_vdrep.data.sample import CLASS_LABELS, stack_samples
from hf_vdrep.probes.pose import relative_pose
from hf_vdrep.training.reference import learning_rate, main
from hf_vdrep.training.reference_augment import MIRRORED, augment, augment_images, mirrored, reversed_in_time
from hf_vdrep.training.reference_pool import LABELS, ReferencePool


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pool")


@pytest.fixture(scope="module")
def pool(folder) -> ReferencePool:
    return ReferencePool(folder, ProbeWorld("train", 6))


def test_a_pool_holds_the_world_s_own_samples(pool):
    truth, found = stack_samples(list(ProbeWorld("train", 6).samples([4, 1]))), pool.read([4, 1])
    assert set(found) == set(LABELS)
    for name in LABELS:
        if name == "fine_counts":
            expected = torch.tensor([row in ProbeWorld("train", 6).task_indices("fine") for row in (4, 1)])
        else:
            expected = truth[name]
        torch.testing.assert_close(found[name].to(expected.dtype), expected, rtol=1e-3, atol=0)
    images = pool.read_images([4, 1], [8, 3])
    assert torch.equal(images["image"], torch.stack([truth["video"][0, 8], truth["video"][1, 3]]))
    assert torch.equal(images["scene"], truth["scene"])


def test_a_pool_is_rendered_once_and_named_after_its_world(pool, folder):
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    ReferencePool(folder, ProbeWorld("train", 6))
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert len(before) == 1 and next(iter(before)).name.startswith("train-")


def test_mirrored_points_lie_on_mirrored_pixels(pool):
    """What is drawn at x lies at 1 - x in the mirror; twice mirrored is as before."""
    batch = pool.read([0, 1])
    once = mirrored(batch)
    assert torch.equal(once["video"][:, :, :, 0], batch["video"][:, :, :, -1])
    torch.testing.assert_close(once["tracks"][..., 0], 1 - batch["tracks"][..., 0])
    assert (once["boxes"][..., 0] <= once["boxes"][..., 2]).all()
    twice = mirrored({**batch, **once})
    for name in once:
        torch.testing.assert_close(twice[name], batch[name])


def test_mirrored_cameras_see_mirrored_points(pool):
    """A point in front of the first camera, taken to the last one: mirroring before or after is the same."""
    batch = pool.read([0, 1, 2])
    flip = torch.tensor([-1.0, 1.0, 1.0])
    point = torch.tensor([0.7, -0.3, 4.0])

    def taken(pose: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
        relative = relative_pose(pose)
        return relative[..., :3] @ where + relative[..., 3]

    found = taken(mirrored(batch)["pose"], flip * point)
    torch.testing.assert_close(found, flip * taken(batch["pose"], point), rtol=1e-4, atol=1e-5)


def test_motions_are_named_as_the_mirror_shows_them():
    """Only words of side change: left with right, clockwise with counter-clockwise."""
    for index, name in enumerate(MOTION_NAMES):
        words = name.split()
        swap = {"left": "right", "right": "left", "clockwise": "counter-clockwise", "counter-clockwise": "clockwise"}
        assert MOTION_NAMES[int(MIRRORED[index])] == " ".join(swap.get(word, word) for word in words)


def test_backwards_is_the_reverse_of_everything_that_has_time(pool):
    batch = pool.read([0, 1])
    back = {**batch, **reversed_in_time(batch)}
    assert torch.equal(back["video"][:, 0], batch["video"][:, -1])
    assert torch.equal(back["tracks"][:, :, 3], batch["tracks"][:, :, -4])
    assert torch.equal(back["present"][:, :, 0], batch["present"][:, :, -1])
    there, again = (torch.nn.functional.pad(relative_pose(each["pose"]), (0, 0, 0, 1)) for each in (batch, back))
    there[:, 3, 3] = again[:, 3, 3] = 1
    torch.testing.assert_close(there @ again, torch.eye(4).expand(2, 4, 4), rtol=1e-4, atol=1e-4)
    assert ((batch["action_motion"] ^ 1) == back["action_motion"]).all()


def test_augmentation_follows_its_generator_and_keeps_what_it_does_not_change(pool):
    batch = pool.read([0, 1, 2, 3])
    found = [augment(batch, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(found[0]["video"], found[1]["video"])
    assert not torch.equal(found[0]["video"], found[2]["video"])
    for name in set(CLASS_LABELS) - {"action_motion"}:
        assert torch.equal(found[0][name], batch[name])
    images = augment_images(batch["video"][:, 8], torch.Generator().manual_seed(0))
    assert images.shape == (4, 64, 64, 3) and images.dtype == torch.uint8


def test_the_rate_warms_up_stays_and_falls_and_the_plateau_knows_no_end():
    rates = [learning_rate(step, 1000, 1.0) for step in range(1000)]
    assert rates[0] == pytest.approx(1 / 50) and rates[100] == rates[600] == 1
    assert rates[-1] < 0.01 and all(a >= b for a, b in itertools.pairwise(rates[650:]))
    assert rates[:600] == [learning_rate(step, 2000, 1.0) for step in range(600)]


def run(out, folder, clips: int) -> dict:
    words = ["--out", str(out), "--pool", str(folder), "--pool-size", "6", "--validation-size", "2", "--batch", "2"]
    words += ["--images", "2", "--tracks", "4", "--save-every", "2", "--eval-every", "100", "--no-bf16"]
    main([*words, "--clips", str(clips)])
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return next(row for row in reversed(rows) if "loss" in row)


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(pool, folder, tmp_path, monkeypatch):
    monkeypatch.setattr("hf_vdrep.training.reference.DECAY", 1e-9)
    run(tmp_path / "whole", folder, 8)
    run(tmp_path / "parts", folder, 4)
    run(tmp_path / "parts", folder, 8)
    whole, parts = (load_file(tmp_path / name / "state.safetensors") for name in ("whole", "parts"))
    assert whole.keys() == parts.keys() and int(whole["step"]) == 4
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, rtol=1e-4, atol=1e-5)
    config = json.loads((tmp_path / "whole" / "config.json").read_text())
    assert config["record"]["step"] == 4
    assert {"object", "abs_rel", "epe", "average_jaccard", "mean_iou"} <= set(config["record"]["validation"])


def test_a_run_starts_from_the_weights_of_another(pool, folder, tmp_path):
    run(tmp_path / "first", folder, 2)
    words = ["--out", str(tmp_path / "second"), "--pool", str(folder), "--pool-size", "6", "--validation-size", "2"]
    words += ["--batch", "2", "--clips", "2", "--images", "2", "--lr", "0", "--no-bf16"]
    main([*words, "--start-from", str(tmp_path / "first")])
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in ("first", "second"))
    learned = [name for name in first if name.endswith(("weight", "bias")) and first[name].ndim > 1]
    assert learned and all(torch.equal(first[name], second[name]) for name in learned)
    other = {"a.weight": torch.zeros(2, 2)}
    (tmp_path / "other").mkdir()
    save_file(other, tmp_path / "other" / "model.safetensors")
    with pytest.raises(ValueError, match=r"start_from must hold weights of a reference, got .*other"):
        main([*words, "--out", str(tmp_path / "third"), "--start-from", str(tmp_path / "other")])


def test_a_run_killed_at_its_last_evaluation_evaluates_when_started_again(pool, folder, tmp_path, monkeypatch):
    """The state is written last; otherwise the run would count as finished without its weights saved."""
    import hf_vdrep.training.reference as reference

    def killed(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(reference, "evaluate", killed)
        run(tmp_path, folder, 2)
    assert not (tmp_path / "config.json").exists()
    monkeypatch.setattr(reference, "evaluate", lambda *args, **options: {"object": 0.5})
    run(tmp_path, folder, 2)
    assert json.loads((tmp_path / "config.json").read_text())["record"]["step"] == 1
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines() if "loss" in line]
    assert steps == [1]


def test_a_gradient_that_is_not_finite_reaches_neither_weights_nor_state(pool, folder, tmp_path, monkeypatch):
    import hf_vdrep.training.reference as reference

    broken = lambda *args, **options: {"loss": next(args[0].parameters()).sum() * math.nan}  # noqa: E731
    monkeypatch.setattr(reference, "reference_loss", broken)
    with pytest.raises(FloatingPointError, match="gradients must stay finite, got norm nan at step 0"):
        run(tmp_path, folder, 4)
    assert not (tmp_path / "state.safetensors").exists()


def test_a_batch_larger_than_the_data_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"batch must lie in \[1, 4\], got 12"):
        main(["--out", str(tmp_path), "--pool-size", "4", "--batch", "12"])
