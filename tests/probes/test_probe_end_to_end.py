# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import json

import pytest
import torch

from hf_vdrep.probes.end_to_end import EndToEndReference
from hf_vdrep.probes.point_refiner import PointRefiner, look_up, sample_maps
from hf_vdrep.probes.reference_files import load_reference, save_reference
from hf_vdrep.probes.reference_trunk import TemporalUnit


def network(**changes) -> EndToEndReference:
    torch.manual_seed(0)
    options = {"num_frames": 5, "widths": (8, 8, 16), "depth": 1, "track_width": 16, "track_rounds": 2, **changes}
    return EndToEndReference(3, 4, **options).eval()


def batch(count: int = 2) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    return {
        "video": torch.randint(0, 256, (count, 5, 32, 32, 3), generator=draw, dtype=torch.uint8),
        "object": torch.randint(3, (count,), generator=draw),
        "action_motion": torch.randint(4, (count,), generator=draw),
        "depth": 1 + torch.rand(count, 5, 32, 32, generator=draw),
        "tracks": torch.rand(count, 6, 5, 2, generator=draw),
        "visible": torch.ones(count, 6, 5, dtype=torch.bool),
    }


def test_predictions_have_the_shapes_of_the_labels():
    labels = batch()
    found = network().predict(labels["video"], labels["tracks"][:, :, 0])
    for name in ("depth", "tracks", "visible"):
        assert found[name].shape == labels[name].shape
    assert found["object"].shape == (2, 3)
    assert found["action_motion"].shape == (2, 4)
    assert (found["depth"] > 0).all()


def test_the_object_is_read_from_one_frame():
    """The image task's probes see one frame: so does their upper reference."""
    model, labels = network(), batch()
    other = labels["video"].clone()
    other[:, [0, 1, 3, 4]] = 255 - other[:, [0, 1, 3, 4]]
    query = labels["tracks"][:, :, 0]
    first, second = model.predict(labels["video"], query), model.predict(other, query)
    torch.testing.assert_close(first["object"], second["object"])
    torch.testing.assert_close(first["object"], model.predict_objects(labels["video"][:, 2]), rtol=1e-4, atol=1e-5)
    assert (first["depth"] - second["depth"])[:, 2].abs().max() > 1e-6  # depth may look at the other frames


def test_evaluation_does_not_depend_on_the_batch():
    model, labels = network(), batch(3)
    query = labels["tracks"][:, :, 0]
    whole = model.predict(labels["video"], query)
    alone = model.predict(labels["video"][1:2], query[1:2])
    for name in ("object", "action_motion", "depth", "tracks"):
        torch.testing.assert_close(whole[name][1:2], alone[name], rtol=1e-4, atol=1e-5)


def test_losses_fall_when_trained_on_one_batch():
    """Every head's loss has a gradient that reaches it."""
    model, labels = network().train(), batch()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    history = []
    for _ in range(25):
        parts = model.loss(labels)
        parts["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
        history.append({name: value.item() for name, value in parts.items()})
    for name in ("object", "action_motion", "depth", "point_tracks"):
        assert history[-1][name] < 0.9 * history[0][name], name


def test_sub_samples_of_frames_and_tracks_are_the_parts_of_the_whole():
    model, labels = network(), batch()
    with torch.no_grad():
        parts = [
            model.loss(labels, depth_frames=torch.tensor([f]), track_choice=torch.full((2, 1), n))
            for f, n in ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (4, 5))
        ]
        whole = model.loss(labels)
    torch.testing.assert_close(
        torch.stack([p["depth"] for p in parts[:5]]).mean(), whole["depth"], rtol=1e-4, atol=1e-4
    )
    tracks = torch.stack([part["point_tracks"] for part in parts]).mean()
    torch.testing.assert_close(tracks, whole["point_tracks"], rtol=1e-4, atol=1e-4)


def test_temporal_unit_equals_a_3d_convolution():
    """Frames along the height of a 2-D convolution: the same as a (3, 1, 1) convolution of the clip."""
    torch.manual_seed(0)
    unit = TemporalUnit(4, 5).eval()
    frames = torch.randn(10, 4, 3, 3)
    weight = unit.unit[0].weight[..., None]
    clip = frames.unflatten(0, (2, 5)).transpose(1, 2)
    mixed = torch.nn.functional.conv3d(clip, weight, padding=(1, 0, 0)).transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(unit(frames), frames + torch.relu(unit.unit[1](mixed)))


def test_maps_are_sampled_at_pixel_centres():
    """Point (j + 0.5) / W is column j."""
    maps = torch.arange(12.0).view(1, 1, 1, 3, 4)
    points = torch.tensor([[[[1.5 / 4, 2.5 / 3]]]])
    assert sample_maps(maps, points).item() == pytest.approx(9.0, abs=1e-4)
    seen = look_up([maps[0]], points)[0, 0, 0].view(7, 7)
    assert seen[3, 3].item() == pytest.approx(9.0, abs=1e-4)
    assert seen[2, 4].item() == pytest.approx(6.0, abs=1e-4)


def test_untrained_tracker_stands_still():
    torch.manual_seed(0)
    points = torch.rand(1, 4, 2)
    found = PointRefiner(8, 8, width=16)(torch.randn(1, 3, 8, 16, 16), torch.randn(1, 3, 8, 8, 8), points)
    assert len(found) == 3
    torch.testing.assert_close(found[-1].positions, points[:, :, None].expand(-1, -1, 3, -1))


def test_saved_network_predicts_the_same(tmp_path):
    model, labels = network(), batch()
    query = labels["tracks"][:, :, 0]
    save_reference(model, tmp_path / "reference", dtype=torch.float32, record={"seed": 0})
    again = load_reference(tmp_path / "reference").predict(labels["video"], query)
    for name, value in model.predict(labels["video"], query).items():
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
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_objects": 9}))
    with pytest.raises(ValueError, match="does not fit"):
        load_reference(tmp_path)


def test_wrong_videos_are_named():
    with pytest.raises(ValueError, match=r"video must be uint8 \(B, 5, H, W, 3\)"):
        network().predict(torch.zeros(1, 4, 32, 32, 3, dtype=torch.uint8), torch.zeros(1, 1, 2))
