# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What is broken is counted, named and skipped, until there is too much of it."""

import json
import logging
import shutil

import published_layouts as layouts
import pytest

from hf_vdrep.data import open_stream
from hf_vdrep.data.clip_sampling import ShortClip
from hf_vdrep.data.streams import SkipLimit, StreamReport, TooManyCorrupt


def make_videos(root, count=6, broken=(), short=()):
    for index in range(count):
        frames = layouts.moving(index, 3 if index in short else 12, (32, 32))
        path = layouts.save_video(root / f"{index}.mp4", frames)
        if index in broken:
            path.write_bytes(path.read_bytes()[:200])
    return root


def test_corrupt_videos_are_counted_named_in_the_log_and_skipped(tmp_path, caplog):
    root = make_videos(tmp_path, broken=(1, 4))
    stream = open_stream("video-folder", root, split="train", resolution=16, num_frames=5)
    with caplog.at_level(logging.WARNING):
        ids = [sample["id"] for sample in stream]
    assert ids == ["0.mp4", "2.mp4", "3.mp4", "5.mp4"]
    assert (stream.report.read, stream.report.given, stream.report.corrupt) == (6, 4, 2)
    assert [name for name, _ in stream.report.problems] == ["1.mp4", "4.mp4"]
    assert "1.mp4" in caplog.text and "4.mp4" in caplog.text and "cut short" in caplog.text


def test_more_corrupt_samples_than_the_count_allows_stop_the_run(tmp_path):
    root = make_videos(tmp_path, broken=(1, 2, 4))
    stream = open_stream("video-folder", root, split="train", resolution=16, num_frames=5, limit=SkipLimit(count=1))
    seen = []
    with pytest.raises(TooManyCorrupt, match=r"2 of 3 samples are corrupt, at most 1 are allowed; 1\.mp4: .*2\.mp4"):
        seen += [sample["id"] for sample in stream]
    assert stream.report.corrupt == 2 and stream.report.given == 1  # the report outlives the run


def test_a_share_counts_only_after_its_grace(tmp_path):
    """3 of 6 are broken: allowed at 40 % only while fewer than `grace` were read."""
    root = make_videos(tmp_path, broken=(0, 1, 5))
    options = {"split": "train", "resolution": 16, "num_frames": 5}
    list(open_stream("video-folder", root, limit=SkipLimit(share=0.4, grace=7), **options))
    with pytest.raises(TooManyCorrupt, match=r"3 of 6 samples are corrupt, at most 40\.0% are allowed"):
        list(open_stream("video-folder", root, limit=SkipLimit(share=0.4, grace=4), **options))


def test_a_data_set_of_nothing_but_corrupt_samples_is_an_error(tmp_path):
    root = make_videos(tmp_path, 2, broken=(0, 1))
    with pytest.raises(TooManyCorrupt, match="all 2 samples are corrupt"):
        list(open_stream("video-folder", root, split="train", resolution=16, num_frames=5))


def test_a_short_video_repeats_its_last_frame_by_default(tmp_path):
    root = make_videos(tmp_path, 2, short=(1,))
    samples = list(open_stream("video-folder", root, split="train", resolution=16, num_frames=9))
    assert [tuple(sample["video"].shape) for sample in samples] == [(9, 16, 16, 3)] * 2
    short = samples[1]["video"]
    assert (short[3:] == short[2]).all() and not (short[2] == short[1]).all()


def test_a_short_video_can_be_skipped_and_is_not_corrupt(tmp_path):
    root = make_videos(tmp_path, 3, short=(1,))
    options = {"split": "train", "resolution": 16, "num_frames": 9}
    stream = open_stream("video-folder", root, short="skip", limit=SkipLimit(count=0), **options)
    assert [sample["id"] for sample in stream] == ["0.mp4", "2.mp4"]
    assert (stream.report.short, stream.report.corrupt) == (1, 0)


def test_a_short_video_can_end_the_run(tmp_path):
    root = make_videos(tmp_path, 3, short=(1,))
    with pytest.raises(ShortClip, match=r"1\.mp4 has 3 frames; a clip spans 9"):
        list(open_stream("video-folder", root, split="train", resolution=16, num_frames=9, short="error"))


def test_labels_out_of_range_are_corrupt_samples(tmp_path):
    """Places365 numbers its classes itself; 7 is none of two."""
    layouts.write_places(tmp_path)
    path = tmp_path / "places365_val.txt"
    path.write_text(path.read_text().replace("00000002.jpg 1", "00000002.jpg 7"))
    stream = open_stream("places365", tmp_path, resolution=16)
    assert len(list(stream)) == 3
    ((name, reason),) = stream.report.problems
    assert "00000002" in name and reason == "scene must lie in [0, 1], got 7"


def test_unknown_class_names_are_corrupt_samples(tmp_path):
    layouts.write_kinetics(tmp_path, 2)
    path = tmp_path / "annotations/val.csv"
    path.write_text(path.read_text().replace("abseiling", "abseilng"))
    stream = open_stream("kinetics-400", tmp_path, resolution=16, num_frames=5)
    assert len(list(stream)) == 1 and stream.report.corrupt == 1
    assert stream.report.problems[0][1] == "action_coarse must lie in [0, 1], got -1"


@pytest.mark.parametrize("damage", ["picture", "pose", "depth", "recording"])
def test_damaged_scans_are_corrupt_samples(tmp_path, damage):
    layouts.write_scannet(tmp_path, 6)
    scan = tmp_path / "scans/scene0001_00"
    if damage == "picture":
        (scan / "color/2.jpg").write_bytes(b"\xff\xd8\xff nothing")
    elif damage == "pose":
        (scan / "pose/2.txt").write_text("1 0 0")
    elif damage == "depth":
        (scan / "depth/2.png").unlink()
    else:
        path = tmp_path / "scans/scene0000_00/scene0000_00.sens"
        path.write_bytes(path.read_bytes()[:-40])
    stream = open_stream("scannet", tmp_path, split="train", resolution=16, num_frames=5, stride=1)
    given = [sample["id"] for sample in stream]
    left = "scene0001_00" if damage == "recording" else "scene0000_00"
    assert given == [f"{left}/000000"] and stream.report.corrupt == 1


@pytest.mark.parametrize("damage", ["words", "columns", "frame", "empty"])
def test_damaged_camera_files_are_corrupt_samples(tmp_path, damage):
    layouts.write_realestate(tmp_path, 6)
    name = "00028da87cc5a4c4"
    path = tmp_path / f"RealEstate10K/train/{name}.txt"
    text = path.read_text()
    if damage == "words":
        path.write_text(text.replace(" 0.9 ", " wide "))
    elif damage == "columns":
        path.write_text(text.replace(" 0.9 ", " "))
    elif damage == "frame":
        (tmp_path / f"frames/train/{name}/200000.jpg").unlink()
    else:
        path.write_text(text.splitlines()[0])
    options = {"split": "train", "resolution": 16, "num_frames": 5, "stride": 1}
    stream = open_stream("realestate10k", tmp_path, **options)
    assert [sample["id"] for sample in stream] == ["0000cc6d8b108390"] and stream.report.corrupt == 1


def test_tracks_whose_numbers_disagree_are_corrupt_samples(tmp_path):
    layouts.write_perception(tmp_path, videos=2)
    path = tmp_path / "point_tracking_valid.json"
    entries = json.loads(path.read_text())
    entries["video_0valid"]["point_tracking"][1]["frame_ids"].pop()
    path.write_text(json.dumps(entries))
    stream = open_stream("perception-test", tmp_path, resolution=16, num_frames=5)
    assert [sample["id"] for sample in stream] == ["video_1valid"] and stream.report.corrupt == 1


@pytest.mark.parametrize("part", ["camera_box", "camera_image", "camera_calibration"])
def test_a_damaged_waymo_segment_is_a_corrupt_sample(tmp_path, part):
    layouts.write_waymo(tmp_path, 20, segments=2)
    first = sorted((tmp_path / "validation" / part).iterdir())[0]
    first.write_bytes(b"PAR1 this is none PAR1")
    stream = open_stream("waymo", tmp_path, resolution=32, num_frames=9)
    assert len(list(stream)) >= 1 and stream.report.corrupt == 1


@pytest.mark.parametrize("content", [b'{"x"', b"\xff"])
@pytest.mark.parametrize(
    "name, writer, file",
    [
        ("places365", layouts.write_places, "places365_val.txt"),
        ("inaturalist-2018", layouts.write_inaturalist, "val2018.json"),
        ("something-something-v2", layouts.write_something, "labels/labels.json"),
        ("something-something-v2", layouts.write_something, "labels/validation.json"),
        ("perception-test", layouts.write_perception, "point_tracking_valid.json"),
    ],
)
def test_annotations_of_a_split_that_cannot_be_read_are_named(tmp_path, name, writer, file, content):
    """They are every sample's: the run does not begin."""
    writer(tmp_path, 2)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ValueError, match=rf"root must hold sound annotations, got .*{file}, which cannot be read \("):
        open_stream(name, tmp_path)


def test_a_cut_line_of_a_kinetics_table_is_named_and_too_few_classes_are_told(tmp_path, caplog):
    layouts.write_kinetics(tmp_path, 2)
    open_stream("kinetics-400", tmp_path)
    assert "kinetics-400 has 2 of the 400 published classes of action_coarse" in caplog.text
    path = tmp_path / "annotations/val.csv"
    whole = path.read_text()
    path.write_text(whole[:-10])
    with pytest.raises(ValueError, match=r"got .*annotations/val\.csv, which cannot be read \(TypeError: int\("):
        open_stream("kinetics-400", tmp_path)
    path.write_text(whole)
    (tmp_path / "annotations/train.csv").write_text("label,youtube_id,time_start,time_end,split\n")
    with pytest.raises(ValueError, match=r"root must hold the classes of kinetics-400, .* no names of action_coarse"):
        open_stream("kinetics-400", tmp_path)


def test_a_scan_with_a_foreign_picture_is_a_corrupt_sample(tmp_path):
    """A thumbnail among numbered frames must not keep the others from being opened."""
    layouts.write_scannet(tmp_path, 6)
    layouts.save_picture(tmp_path / "scans/scene0001_00/color/thumb.jpg", layouts.picture(0))
    stream = open_stream("scannet", tmp_path, split="train", resolution=16, num_frames=5, stride=1)
    assert [sample["id"] for sample in stream] == ["scene0000_00/000000"] and stream.report.corrupt == 1


def test_a_root_without_the_data_set_says_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match=r"root must hold places365 .* no categories_places365\.txt"):
        open_stream("places365", tmp_path)
    with pytest.raises(ValueError, match="no such folder"):
        open_stream("places365", tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"root must be the folder of waymo, got None\. How to get it: Accept"):
        open_stream("waymo")


def test_a_data_set_whose_files_are_all_gone_says_so(tmp_path):
    layouts.write_kinetics(tmp_path, 2)
    shutil.rmtree(tmp_path / "val")
    (tmp_path / "val").mkdir()
    with pytest.raises(ValueError, match=r"kinetics-400 \(val split\).*no samples were found"):
        open_stream("kinetics-400", tmp_path)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"name": "imagenet"}, "data set must be one of"),
        ({"split": "dev"}, r"split must be one of \['train', 'validation'\] for imagenet-1k, got 'dev'"),
        ({"frames": 3}, "options must be among .* got \\['frames'\\]"),
        ({"views": 3, "crop": "random"}, "views=3 needs crop='center'"),
        ({"resolution": 0}, "resolution must be at least 1 pixel"),
        ({"split": "train/half"}, "split must end in '/fit' or '/select'"),
        ({"limit": lambda: SkipLimit(share=1.5)}, r"share in \[0, 1\]"),
    ],
)
def test_wrong_words_are_refused(imagenet, arguments, words):
    with pytest.raises(ValueError, match=words):
        given = {key: value() if callable(value) else value for key, value in arguments.items()}
        open_stream(given.pop("name", "imagenet-1k"), imagenet[0], **given)


@pytest.mark.parametrize("options", [{"segments": 2}, {"fps": 5.0}])
@pytest.mark.parametrize("name", ["scannet", "waymo"])
def test_recordings_cut_side_by_side_refuse_other_cuts(name, options, request):
    root, _ = request.getfixturevalue(name)
    with pytest.raises(ValueError, match=f"segments must be 1 and fps None for {name}"):
        open_stream(name, root, **options)


def test_reports_of_several_processes_add_up():
    first = StreamReport(read=5, given=3, corrupt=1, short=1, missing=2, problems=[("a", "b")])
    second = StreamReport(read=4, given=3, empty=1, missing=2)
    together = first.merge(second)
    assert together.to_dict() == {
        "read": 9, "given": 6, "corrupt": 1, "short": 1, "empty": 1, "missing": 2, "problems": [["a", "b"]],
    }  # fmt: skip
    assert StreamReport.from_dict(together.to_dict()) == together
    assert str(first) == "5 read, 3 given, 1 corrupt, 1 too short, 0 without labels, 2 files missing"
