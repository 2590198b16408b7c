# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The end-to-end reference: its heads, losses and files."""

import json

import pytest
import torch

from hf_vdrep.probes.end_to_end import EndToEndReference
from hf_vdrep.probes.reference_files import load_reference, save_reference
from hf_vdrep.probes.reference_heads import CLIP_TASKS, IMAGE_TASKS, FocusedPool
from hf_vdrep.probes.reference_losses import reference_loss, rounds_loss, velocity_loss
from hf_vdrep.probes.reference_trunk import Neighbours, TemporalUnit

CLASSES = {"object": 3, "scene": 4, "fine": 6, "action_coarse": 6, "action_many": 7, "action_motion": 4}
TASKS = (*CLASSES, "depth", "camera_pose", "point_tracks", "box_tracks")


def network(**changes) -> EndToEndReference:
    torch.manual_seed(0)
    options = {"num_frames": 5, "widths": (8, 8, 16), "depth": 1, "image_width": 8, "track_width": 16, **changes}
    return EndToEndReference(CLASSES, **options).eval()


def scrambled(**changes) -> EndToEndReference:
    """Heads that start at zero say the same to everything; these do not."""
    model = network(**changes)
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def batch(count: int = 2) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    low = 0.5 * torch.rand(count, 2, 5, 2, generator=draw)
    pose = torch.eye(4)[:3].expand(count, 5, 3, 4) + 0.1 * torch.rand(count, 5, 3, 4, generator=draw)
    return {
        "video": torch.randint(0, 256, (count, 5, 32, 32, 3), generator=draw, dtype=torch.uint8),
        **{name: torch.randint(size, (count,), generator=draw) for name, size in CLASSES.items()},
        "depth": 1 + torch.rand(count, 5, 32, 32, generator=draw),
        "pose": pose,
        "tracks": torch.rand(count, 6, 5, 2, generator=draw),
        "visible": torch.ones(count, 6, 5, dtype=torch.bool),
        "boxes": torch.cat([low, low + 0.3], -1),
        "present": torch.ones(count, 2, 5, dtype=torch.bool),
    }


def predict(model: EndToEndReference, labels: dict[str, torch.Tensor], rows: slice = slice(None)) -> dict:
    points, boxes = model.queries(labels)
    return model.predict(labels["video"][rows], points[rows], boxes[rows])


def test_predictions_have_the_shapes_of_the_labels():
    labels = batch()
    found = predict(scrambled(), labels)
    for name in ("depth", "tracks", "visible", "boxes"):
        assert found[name].shape == labels[name].shape, name
    for name, size in CLASSES.items():
        assert found[name].shape == (2, size)
        torch.testing.assert_close(found[name].sum(1), torch.ones(2))
    assert (found["depth"] > 0).all()
    rotation = found["pose"][:, :, :3]
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3).expand(2, 3, 3), rtol=1e-4, atol=1e-5)


def test_image_tasks_are_read_from_one_frame():
    """The image tasks' probes see one frame: so does their upper reference."""
    model, labels = scrambled(), batch()
    other = {**labels, "video": labels["video"].clone()}
    other["video"][:, [0, 1, 3, 4]] = 255 - other["video"][:, [0, 1, 3, 4]]
    first, second = predict(model, labels), predict(model, other)
    alone = model.classify_images(labels["video"][:, 2])
    for name in IMAGE_TASKS:
        torch.testing.assert_close(first[name], second[name])
        torch.testing.assert_close(first[name], alone[name].softmax(-1), rtol=1e-4, atol=1e-5)
    assert (first["depth"] - second["depth"])[:, 2].abs().max() > 1e-6  # depth may look at the other frames


def test_what_actions_conclude_from_other_heads_does_not_teach_those():
    model, labels = scrambled(), batch()
    found = model(labels["video"], *model.queries(labels))
    found["action_many"].sum().backward()
    assert all(parameter.grad is None for parameter in model.image_heads.parameters())
    assert all(parameter.grad is None for parameter in model.clip_heads.motion.parameters())
    assert model.clip_heads.sums["action_many"].weight.grad.abs().sum() > 0


def test_a_fine_class_is_a_category_and_a_surface():
    """Logits that depend on the surface alone are the same for each category: class = category * surfaces + surface."""
    heads = scrambled().image_heads
    for layer in (heads.heads["fine"].weight, heads.heads["fine"].bias, heads.kinds.weight):
        torch.nn.init.zeros_(layer)
    maps = [torch.randn(2, channels, side, side) for channels, side in ((8, 16), (8, 8), (16, 4))]
    logits = heads(*maps)["fine"].unflatten(1, (3, 2))
    torch.testing.assert_close(logits, logits[:, :1].expand(-1, 3, -1))
    assert (logits[:, 0, 0] - logits[:, 0, 1]).abs().min() > 0


def test_focused_pools_are_means_maxima_and_weighted_means():
    """A head that looks at one cell alone gives that cell; one that looks nowhere gives the mean."""
    pool = FocusedPool(4, heads=2)
    torch.nn.init.zeros_(pool.look.weight)
    torch.nn.init.zeros_(pool.look.bias)
    maps = torch.randn(1, 4, 3, 3)
    maps[:, 0] = torch.arange(9.0).view(3, 3) * 100
    pool.look.weight.data[0, 0] = 1
    mean, largest, focused = pool(maps)[0].split(4)
    torch.testing.assert_close(mean, maps[0].mean((1, 2)))
    torch.testing.assert_close(largest, maps[0].amax((1, 2)))
    torch.testing.assert_close(focused, torch.cat([maps[0, :2, 2, 2], mean[2:]]))


def test_evaluation_does_not_depend_on_the_batch():
    model, labels = scrambled(), batch(3)
    whole, alone = predict(model, labels), predict(model, labels, slice(1, 2))
    for name in (*CLASSES, "depth", "pose", "tracks", "boxes"):
        torch.testing.assert_close(whole[name][1:2], alone[name], rtol=1e-3, atol=1e-4)


def test_losses_fall_when_trained_on_one_batch():
    """Every head's loss has a gradient that reaches it."""
    model, labels = network().train(), batch()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    history = []
    for _ in range(25):
        parts = reference_loss(model, labels)
        parts["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
        history.append({name: value.item() for name, value in parts.items()})
    assert set(history[0]) == {"loss", "velocity", *TASKS}
    for name in (*TASKS, "velocity"):
        assert history[-1][name] < 0.95 * history[0][name], name


def test_depth_of_some_frames_is_that_part_of_all():
    model, labels = scrambled(), batch()
    with torch.no_grad():
        asked = model.queries(labels)
        whole = model(labels["video"], *asked)["log_depth"]
        part = model(labels["video"], *asked, depth_frames=torch.tensor([3, 0]))["log_depth"]
    torch.testing.assert_close(part, whole[:, [3, 0]], rtol=1e-4, atol=1e-4)


def test_further_images_weigh_as_much_as_the_clips_middle_frames():
    model, labels = scrambled(), batch(3)
    images = {name: labels[name][:2] for name in ("object", "scene", "fine")} | {"image": labels["video"][:2, 1]}
    with torch.no_grad():
        parts = reference_loss(model, labels, images=images)
        logits = model.classify_images(torch.cat([labels["video"][:, 2], labels["video"][:2, 1]]))["fine"]
    expected = torch.nn.functional.cross_entropy(logits, torch.cat([labels["fine"], labels["fine"][:2]]))
    torch.testing.assert_close(parts["fine"], expected, rtol=1e-3, atol=1e-4)


def test_clips_with_nothing_to_follow_leave_losses_finite():
    """All points hidden, no object in frame 0, boxes of no area, no valid depth."""
    model, labels = scrambled().train(), batch()
    labels["visible"][:], labels["present"][:] = False, False
    labels["boxes"][..., 2:] = labels["boxes"][..., :2]
    labels["depth"][:] = 0
    parts = reference_loss(model, labels)
    parts["loss"].backward()
    for name in ("depth", "point_tracks", "velocity", "box_tracks"):
        assert parts[name].item() == 0, name
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_rounds_count_more_the_later_they_are():
    """Weights 0.7 and 1 on the two rounds of one and the same prediction."""
    model, labels = scrambled(), batch()
    with torch.no_grad():
        rounds = model(labels["video"], *model.queries(labels))["point_tracks"]
        tracks, visible = labels["tracks"], labels["visible"]
        one = rounds_loss(rounds[-1:], tracks, visible)
        assert rounds_loss([rounds[-1]] * 2, tracks, visible).item() == pytest.approx(1.7 * one.item(), rel=1e-5)


def test_velocity_loss_of_a_network_that_says_rest_is_the_mean_step():
    """In pixels of 64, over the points seen in both frames."""
    model, labels = network(), batch()
    labels["visible"][:, :, 2] = False
    with torch.no_grad():
        maps = model(labels["video"], *model.queries(labels))["maps"]
        found = velocity_loss(model.point_head, maps, labels["tracks"], labels["visible"])
    steps = labels["tracks"].diff(dim=2).abs().sum(-1) * 64
    assert found.item() == pytest.approx(steps[:, :, [0, 3]].mean().item(), rel=1e-4)


def test_temporal_unit_equals_a_3d_convolution():
    """Frames along the height of a 2-D convolution: the same as a (3, 1, 1) convolution of the clip."""
    torch.manual_seed(0)
    unit = TemporalUnit(4, 5).eval()
    frames = torch.randn(10, 4, 3, 3)
    weight = unit.unit[0].weight[..., None]
    clip = frames.unflatten(0, (2, 5)).transpose(1, 2)
    mixed = torch.nn.functional.conv3d(clip, weight, padding=(1, 0, 0)).transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(unit(frames), frames + torch.relu(unit.unit[1](mixed)))


def test_neighbours_are_products_with_the_places_around_in_the_next_frame():
    """Computed here place by place; beyond the border, and after the last frame, there is nothing."""
    torch.manual_seed(0)
    unit = Neighbours(3, 2, match_width=4, radius=1).eval()
    maps = torch.randn(4, 3, 3, 4)
    looks = unit.embed(maps)
    expected = torch.zeros(4, 9, 3, 4)
    for clip in (0, 2):
        for row in range(3):
            for column in range(4):
                for place, (down, across) in enumerate((d, a) for d in (-1, 0, 1) for a in (-1, 0, 1)):
                    if 0 <= row + down < 3 and 0 <= column + across < 4:
                        there = looks[clip + 1, :, row + down, column + across]
                        expected[clip, place, row, column] = looks[clip, :, row, column] @ there / 2
    torch.testing.assert_close(unit(maps), unit.mix(expected), rtol=1e-4, atol=1e-5)


def test_saved_network_predicts_the_same(tmp_path):
    model, labels = scrambled(), batch()
    save_reference(model, tmp_path / "reference", dtype=torch.float32, record={"seed": 0})
    again = predict(load_reference(tmp_path / "reference"), labels)
    for name, value in predict(model, labels).items():
        assert torch.equal(value, again[name])
    assert json.loads((tmp_path / "reference" / "config.json").read_text())["record"] == {"seed": 0}
    assert sorted(path.name for path in (tmp_path / "reference").iterdir()) == ["config.json", "model.safetensors"]


def test_damaged_folders_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"folder must hold config\.json"):
        load_reference(tmp_path)
    save_reference(network(), tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"folder must hold config\.json and model\.safetensors"):
        load_reference(tmp_path)
    save_reference(network(), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "classes": {**CLASSES, "scene": 9}}))
    with pytest.raises(ValueError, match="does not fit"):
        load_reference(tmp_path)


def test_wrong_videos_and_classes_are_named():
    with pytest.raises(ValueError, match=r"video must be uint8 \(B, 5, H, W, 3\)"):
        network().predict(torch.zeros(1, 4, 32, 32, 3, dtype=torch.uint8), torch.zeros(1, 1, 2), torch.zeros(1, 1, 4))
    with pytest.raises(ValueError, match=r"classes\['fine'\] must be a multiple of 3, got 5"):
        EndToEndReference({**CLASSES, "fine": 5})
    with pytest.raises(ValueError, match=r"classes must name the six classification tasks, missing \['scene'\]"):
        EndToEndReference({name: 2 for name in CLASSES if name != "scene"})


def test_every_task_has_a_head():
    assert {*IMAGE_TASKS, *CLIP_TASKS} == set(CLASSES)
