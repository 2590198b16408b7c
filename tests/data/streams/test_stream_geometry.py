# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Depth, cameras, tracks and boxes of the published files, in the units of the schema."""

import numpy as np
import published_layouts as layouts
import pytest
import torch

from hf_vdrep.data import open_stream
from hf_vdrep.data.streams.presence import PresenceRules, longest_gap, objects_of


@pytest.fixture(scope="module")
def scans(scannet):
    """The training scans at the size of their depth maps."""
    root, truth = scannet
    stream = open_stream("scannet", root, split="train", resolution=(24, 32), num_frames=5, stride=2)
    return {sample["id"]: sample for sample in stream}, truth, stream


def test_scannet_depth_is_metres_and_zero_where_it_is_no_measurement(scans):
    """Valid depth lies between 0.001 and 10 m (papers.md section 10)."""
    samples, truth, _ = scans
    for name in ("scene0000_00/000009", "scene0001_00/000009"):
        expected = np.stack([truth["depth"][frame] for frame in (9, 11, 13, 15, 17)])
        expected[expected >= 10] = 0
        np.testing.assert_allclose(samples[name]["depth"].numpy(), expected, atol=1e-6)
        assert (expected == 0).any() and samples[name]["depth"].dtype == torch.float32


def test_scannet_recording_and_export_say_the_same(scans):
    """A `.sens` file and the folders that the SensReader writes from it."""
    samples, truth, _ = scans
    recording, export = samples["scene0000_00/000000"], samples["scene0001_00/000000"]
    for key in ("depth", "intrinsics"):
        np.testing.assert_allclose(recording[key].numpy(), export[key].numpy(), atol=1e-6)
    np.testing.assert_allclose(recording["pose"].numpy(), truth["poses"][[0, 2, 4, 6, 8], :3], atol=1e-6)
    np.testing.assert_allclose(export["pose"].numpy(), recording["pose"].numpy(), atol=1e-5)
    assert (recording["video"].int() - export["video"].int()).abs().max() <= 2


def test_scannet_25k_frames_are_read_as_they_are_published(tmp_path):
    """Every hundredth frame, six digits in the names, intrinsics beside the folders."""
    scene = tmp_path / "scannet_frames_25k/scene0003_00"
    layouts.write_export(scene, layouts.camera_path(4))
    for folder in ("color", "depth", "pose"):
        for path in (scene / folder).iterdir():
            path.rename(path.with_name(f"{100 * int(path.stem):06d}{path.suffix}"))
    (scene / "intrinsic/intrinsic_depth.txt").rename(scene / "intrinsics_depth.txt")
    (tmp_path / "scannetv2_val.txt").write_text("scene0003_00\n")
    (sample,) = open_stream("scannet", tmp_path, resolution=(24, 32), num_frames=3, stride=1)
    assert sample["depth"][:, 10, 10].tolist() == pytest.approx([1.2, 1.21, 1.22])
    assert sample["pose"][:, 0, 3].tolist() == pytest.approx([0.0, 0.02, 0.04])


def test_scannet_intrinsics_count_from_the_corner(scans):
    """The files count from pixel centres, the schema from the corner of the first pixel: half a pixel more."""
    samples, _, _ = scans
    expected = [[30.0, 0.0, 16.0], [0.0, 30.0, 12.0], [0.0, 0.0, 1.0]]
    assert samples["scene0000_00/000000"]["intrinsics"].tolist() == expected


def test_scannet_clips_with_a_lost_camera_are_left_out(scans):
    samples, _, stream = scans
    assert not any(name.startswith("scene0002_00/000000") for name in samples)
    assert stream.report.empty == 1 and stream.report.corrupt == 0


@pytest.mark.parametrize("split", ["train", "test"])
def test_realestate_pose_is_the_inverse_of_the_file(realestate, split):
    """World-to-camera in the file, camera-to-world in the schema; frames on disk or a video."""
    root, truth = realestate
    samples = list(open_stream("realestate10k", root, split=split, resolution=48, num_frames=5, stride=4))
    assert len(samples) == {"train": 2, "test": 1}[split]
    for sample in samples:
        frames = [3, 7, 11, 15, 19]
        np.testing.assert_allclose(sample["pose"].numpy(), truth[sample["id"]][frames, :3], atol=1e-6)
        expected = [[0.9 * 64, 0, 0.5 * 64 - 8], [0, 1.2 * 48, 24], [0, 0, 1]]
        np.testing.assert_allclose(sample["intrinsics"].numpy(), expected, rtol=1e-5)
        kind = 0 if sample["id"] == "0000cc6d8b108390" else 1
        for shown, frame in zip(sample["video"].numpy(), frames, strict=True):
            written = layouts.moving(kind, 40 if split == "train" else 24)[frame][:, 8:56].astype(int)
            assert np.abs(shown.astype(int) - written).mean() < 6


def test_perception_points_are_x_y_and_visible_where_annotated(perception):
    """The files hold y before x; the track's point sits on the square, where the writer put it."""
    root, _ = perception
    for sample in open_stream("perception-test", root, resolution=48, num_frames=9, stride=2):
        assert tuple(sample["tracks"].shape) == (64, 9, 2) and tuple(sample["visible"].shape) == (64, 9)
        assert sample["visible"].any(dim=1).nonzero().flatten().tolist() == [0, 1]  # the third starts too late
        second = [frame % 4 != 3 for frame in range(0, 18, 2)]
        assert sample["visible"][1].tolist() == second
        number = int(sample["id"][6])
        frames = layouts.moving(number, 34)[0:18:2]
        left = np.array([layouts.square_left(frame) for frame in frames])
        np.testing.assert_allclose(sample["tracks"][0, :, 0], (left + 5 - 8) / 48, atol=1e-6)
        np.testing.assert_allclose(sample["tracks"][0, :, 1], (16 + 2) / 48, atol=1e-6)


def test_perception_tracks_without_a_point_in_the_first_frame_make_no_sample(tmp_path):
    """Queries come from the first frame (papers.md section 8.3)."""
    layouts.write_perception(tmp_path, videos=1)
    path = tmp_path / "point_tracking_valid.json"
    path.write_text(path.read_text().replace('"frame_ids": [0,', '"frame_ids": [5,'))
    stream = open_stream("perception-test", tmp_path, resolution=48, num_frames=5)
    assert list(stream) == [] and stream.report.empty == 1 and stream.report.corrupt == 0


def test_perception_boxes_enclose_the_square(perception):
    root, _ = perception
    samples = list(open_stream("perception-test-objects", root, resolution=48, num_frames=9))
    assert len(samples) == 3
    for sample in samples:
        assert tuple(sample["boxes"].shape) == (25, 9, 4)
        assert sample["present"][0].all() and not sample["present"][1:].any()
        assert sample["boxes"][1:].abs().sum() == 0
        left, top, right, bottom = (sample["boxes"][0, 0] * 48).round().int().tolist()
        bright = sample["video"][0].amin(-1) > 200
        assert bright[top:bottom, left:right].float().mean() > 0.9
        assert bright.sum() <= 1.1 * (bottom - top) * (right - left)


def test_masked_objects_are_not_present(tmp_path):
    """Hidden under a cup: the file has a box, nothing can be seen."""
    layouts.write_perception(tmp_path, videos=1)
    path = tmp_path / "all_valid.json"
    path.write_text(path.read_text().replace('"is_masked": [0, 0, 0', '"is_masked": [0, 1, 0'))
    (sample,) = open_stream("perception-test-objects", tmp_path, resolution=48, num_frames=4)
    assert sample["present"][0].tolist() == [True, False, True, True]


def test_waymo_keeps_what_stays_in_the_centre_crop(waymo):
    """10 to 5 frames a second, centre square, boxes of 0.5 % and objects of 70 % (papers.md section 9)."""
    root, _ = waymo
    samples = list(open_stream("waymo", root, resolution=64, num_frames=9))
    # 50 frames: starts 0, 6, ... that leave room for a span of 17.
    assert [sample["id"][-4:] for sample in samples[:6]] == ["0000", "0006", "0012", "0018", "0024", "0030"]
    for sample in samples:
        number = int(sample["id"][3])
        start = int(sample["id"][-4:])
        assert sample["present"][0].all() and not sample["present"][1:].any()
        for place in range(9):
            x, y, width, height = layouts.waymo_boxes(start + 2 * place, number)["car"]
            expected = np.array([x - width / 2 - 16, y - height / 2, x + width / 2 - 16, y + height / 2]) / 64
            np.testing.assert_allclose(sample["boxes"][0, place], expected.clip(0, 1), atol=1e-6)


def test_presence_rules_are_those_of_the_paper():
    """At least 70 % of 16 frames, gaps of at most 5, together in at least 10, in the first frame."""
    always = np.ones(16, bool)
    gap_of_five, gap_of_six, twelve, eleven, late = (always.copy() for _ in range(5))
    gap_of_five[4:9] = gap_of_six[4:10] = False
    twelve[[3, 5, 7, 9]] = eleven[[3, 5, 7, 9, 11]] = late[0] = False
    rules = PresenceRules()
    assert (longest_gap(gap_of_five), longest_gap(gap_of_six), longest_gap(always)) == (5, 6, 0)

    def kept(*rows):
        found = objects_of(np.stack(rows), rules)
        return None if found is None else found.tolist()

    assert kept(always, late, twelve) == [0, 2]
    assert kept(always, eleven) == [0]  # 11 of 16 is 69 %
    assert kept(gap_of_six) is None
    assert kept(late) is None
    assert kept(*[always] * 26) is None and kept(*[always] * 25) == list(range(25))
    first, second = always.copy(), always.copy()
    first[1:5] = second[6:10] = False
    assert kept(first, second) is None  # together in only 8
