# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Picture and action data sets: every sample with its own label, at the size asked for."""

import sys

import datasets
import numpy as np
import published_layouts as layouts
import pytest
import torch

from hf_vdrep.data import open_stream
from hf_vdrep.data.streams.index import RecordIndex

CASES = {
    "imagenet-1k": ("imagenet", "object", ("tench, Tinca tinca", "dog, domestic dog")),
    "places365": ("places", "scene", ("a/airfield", "b/bus_station/indoor")),
    "inaturalist-2018": ("inaturalist", "fine", ("0", "1", "2")),
    "kinetics-400": ("kinetics", "action_coarse", ("abseiling", "zumba")),
    "kinetics-700": ("kinetics", "action_many", ("abseiling", "zumba")),
    "something-something-v2": (
        "something",
        "action_motion",
        ("Pushing something from left to right", "Pushing something from right to left"),
    ),
}


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("name", CASES)
def test_published_layout_gives_every_sample_with_its_label(name, split, request):
    """The fixture's writer says which file has which class."""
    fixture, key, classes = CASES[name]
    root, truth = request.getfixturevalue(fixture)
    stream = open_stream(name, root, split=split, resolution=32, num_frames=5, stride=2)
    samples = list(stream)
    assert {sample["id"]: sample[key] for sample in samples} == truth[split]
    assert stream.classes == {key: classes}
    for sample in samples:
        assert sorted(sample) == sorted(["id", key, "video" if stream.spec.reads == "clip" else "image"])
        pixels = sample.get("video", sample.get("image"))
        assert pixels.dtype == torch.uint8
        assert tuple(pixels.shape) == ((5, 32, 32, 3) if "video" in sample else (32, 32, 3))
    assert stream.report.corrupt == 0 and stream.report.given == len(samples)


def test_pixels_are_those_of_the_file(imagenet):
    """The class's colour, and the bright square where it was painted."""
    root, truth = imagenet
    for sample in open_stream("imagenet-1k", root, resolution=40, share=1.0):
        label = truth["validation"][sample["id"]]
        assert np.abs(sample["image"][-2:, -2:].numpy().astype(int) - layouts.COLOURS[label]).max() < 12
        # The crop is 40 of 56 columns: it begins at column 8, inside the square of columns 6 to 16.
        assert sample["image"][11:13, 1:6].min() > 200


def test_imagenet_with_one_folder_per_class_needs_no_lists(tmp_path):
    for synset, label in (("n01440764", 0), ("n02084071", 1)):
        for split in ("train", "val"):
            layouts.save_picture(tmp_path / split / synset / f"{split}{label}.JPEG", layouts.picture(label))
    stream = open_stream("imagenet-1k", tmp_path)
    assert {sample["id"]: sample["object"] for sample in stream} == {"val0": 0, "val1": 1}
    assert stream.classes == {"object": ("n01440764", "n02084071")}


def test_kinetics_clips_gone_from_youtube_count_as_missing_not_as_corrupt(kinetics, caplog):
    stream = open_stream("kinetics-400", kinetics[0], resolution=16, num_frames=5)
    assert "kinetics-400 lacks 1 files: gone_forever_000001_000011" in caplog.text
    assert stream.report.missing == 1 and stream.report.corrupt == 0
    assert stream.source.missing == ["gone_forever_000001_000011"]


def test_a_broken_torchcodec_does_no_harm(kinetics, monkeypatch):
    """`datasets` takes it for installed, and its import fails."""
    monkeypatch.setattr(datasets.config, "TORCHCODEC_AVAILABLE", True)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    root, truth = kinetics
    stream = open_stream("kinetics-400", root, resolution=16, num_frames=5)
    assert {sample["id"]: sample["action_coarse"] for sample in stream} == truth["validation"]


def test_kinetics_in_class_folders_is_the_same_data_set(tmp_path):
    truth = layouts.write_kinetics(tmp_path, 2, nested=True)
    stream = open_stream("kinetics-400", tmp_path, resolution=16, num_frames=5)
    assert {sample["id"]: sample["action_coarse"] for sample in stream} == truth["validation"]


def test_kinetics_takes_the_owners_replacements_of_damaged_videos(tmp_path):
    """k400_extractor.sh puts 1,400 of them beside the splits; the first 11 letters are the video's name."""
    truth = layouts.write_kinetics(tmp_path, 3)
    names = sorted(truth["validation"])
    for name in names[:2]:
        (tmp_path / f"val/{name}.mp4").write_bytes(b"damaged")
    layouts.save_video(
        tmp_path / f"replacement/replacement_for_corrupted_k400/{names[0][:11]}_000000_000010.mp4", layouts.moving(0)
    )
    stream = open_stream("kinetics-400", tmp_path, resolution=16, num_frames=5)
    assert [sample["id"] for sample in stream] == [names[0], names[2]]
    assert [name for name, _ in stream.report.problems] == [names[1]]


def test_something_test_split_reads_the_answers(something):
    (sample,) = open_stream("something-something-v2", something[0], split="test", resolution=16, num_frames=5)
    assert (sample["id"], sample["action_motion"]) == ("1", 0)


def test_multi_view_gives_segments_times_views_of_every_video(kinetics):
    """V-JEPA's evaluation: clips spread over time, crops spread along the longer side."""
    stream = open_stream("kinetics-400", kinetics[0], resolution=24, num_frames=5, stride=2, segments=2, views=3)
    samples = list(stream)
    assert [sample["id"].partition("#")[2] for sample in samples[:6]] == ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2"]
    assert len(samples) == 4 * 6
    early, late = samples[0]["video"].float(), samples[3]["video"].float()
    bright = [torch.nonzero(clip[0].amin(-1) > 200)[:, 1].float().mean() for clip in (early, late)]
    assert not torch.isclose(*bright, atol=3)  # the square has moved from one segment to the next


def test_mirroring_is_refused_where_it_changes_the_class(something, kinetics):
    """ "From left to right" is another class in the mirror."""
    with pytest.raises(ValueError, match="flip must be False for something-something-v2"):
        open_stream("something-something-v2", something[0], flip=True)
    open_stream("kinetics-400", kinetics[0], flip=True)


def test_training_set_parts_for_fitting_and_selecting_are_disjoint_and_complete(tmp_path):
    layouts.write_places(tmp_path, 100)
    parts = {name: open_stream("places365", tmp_path, split=f"train/{name}") for name in ("fit", "select")}
    ids = {name: {row["id"] for row in stream.source.index} for name, stream in parts.items()}
    assert not ids["fit"] & ids["select"]
    assert len(ids["fit"] | ids["select"]) == 200 and 1 <= len(ids["select"]) <= 25


def test_a_part_without_samples_is_refused(tmp_path):
    """5 % of two scenes are none."""
    layouts.write_places(tmp_path, 1)
    with pytest.raises(ValueError, match="split must hold samples, got 'train/select': none of "):
        open_stream("places365", tmp_path, split="train/select")


def test_windows_of_one_recording_stay_in_one_part():
    """Neighbouring windows share frames: a recording in both parts would let the choice see what was trained on."""
    rows = [{"id": f"{group}/{window}", "group": f"scene{group:04d}"} for group in range(200) for window in range(5)]
    index = RecordIndex.from_rows(rows)
    parts = {name: list(index.part(name)) for name in ("fit", "select")}
    groups = {name: {row["group"] for row in found} for name, found in parts.items()}
    assert not groups["fit"] & groups["select"]
    assert len(parts["fit"]) + len(parts["select"]) == 1000 and 1 <= len(groups["select"]) <= 25
