# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training data: folders, captions, WebDataset shards, parquet files."""

import dataclasses
import io
import json
import tarfile

import datasets
import numpy as np
import published_layouts as layouts
import pytest
from PIL import Image

from hf_vdrep.data import list_streams, open_stream
from hf_vdrep.data.streams import SPECS, get_spec
from hf_vdrep.data.streams.source import Source

TASKS = {
    "object", "scene", "fine", "action_coarse", "action_many", "action_motion", "depth", "camera_pose",
    "point_tracks", "box_tracks",
}  # fmt: skip


def encoded(label, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(layouts.picture(label, 0, (16, 16))).save(buffer, kind)
    return buffer.getvalue()


def test_plain_folders_have_no_labels(tmp_path):
    for index in range(3):
        layouts.save_picture(tmp_path / f"{index}.jpg", layouts.picture(index))
    stream = open_stream("image-folder", tmp_path, split="train", resolution=8)
    assert [sorted(sample) for sample in stream] == [["id", "image"]] * 3
    assert stream.classes == {}
    with pytest.raises(ValueError, match="split must be a folder under"):
        open_stream("image-folder", tmp_path, split="validation")


def test_a_class_has_one_number_in_every_split(tmp_path):
    """Classes a, b, c in train, of which validation shows a and c only."""
    for split, names in (("train", "abc"), ("validation", "ac")):
        for name in names:
            layouts.save_picture(tmp_path / split / name / "0.jpg", layouts.picture(1))
    for split, numbers in (("train", [0, 1, 2]), ("validation", [0, 2])):
        stream = open_stream("image-folder", tmp_path, split=split, resolution=8)
        assert [sample["object"] for sample in stream] == numbers


def test_training_takes_nothing_that_another_split_is_named_for(tmp_path):
    layouts.save_picture(tmp_path / "val" / "a" / "0.jpg", layouts.picture(1))
    with pytest.raises(ValueError, match="split must be a folder under"):
        open_stream("image-folder", tmp_path, split="train")
    shards = tmp_path / "shards"
    shards.mkdir()
    write_shards(shards, False)
    (shards / "train-000000.tar").rename(shards / "val-0.tar")
    (shards / "train-000001.tar").rename(shards / "shard-1.tar")
    kept = open_stream("webdataset", shards, split="train", resolution=8)
    assert [sample["id"] for sample in kept] == ["000002", "000003"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_captions_come_from_a_metadata_file(tmp_path, kind):
    for index in range(2):
        layouts.save_video(tmp_path / f"train/run/{index}.mp4", layouts.moving(index, 6, (16, 16)))
    rows = [{"file_name": f"run/{index}.mp4", "words": f'take {index}, "fast"'} for index in range(2)]
    if kind == "csv":
        layouts.write_csv(tmp_path / "train/metadata.csv", [list(rows[0]), *[list(row.values()) for row in rows]])
    else:
        (tmp_path / "train/metadata.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    stream = open_stream(
        "video-folder", tmp_path, split="train", resolution=8, num_frames=5, columns={"words": "caption"}
    )
    assert [sample["caption"] for sample in stream] == ['take 0, "fast"', 'take 1, "fast"']
    assert all(sample["action_coarse"] == 0 for sample in stream)


def write_shards(root, video):
    for shard in range(2):
        with tarfile.open(root / f"train-{shard:06d}.tar", "w") as tar:
            for index in range(2):
                stem = f"{shard * 2 + index:06d}"
                if video:
                    path = layouts.save_video(root / "one.mp4", layouts.moving(index, 6, (16, 16)))
                    members = {"mp4": path.read_bytes()}
                else:
                    members = {"png": encoded(index)}
                members |= {"txt": f"caption {stem}".encode(), "cls": str(index).encode()}
                members["json"] = json.dumps({"scene": {"words": f"seen {stem}"}}).encode()
                for end, data in members.items():
                    entry = tarfile.TarInfo(f"{stem}.{end}")
                    entry.size = len(data)
                    tar.addfile(entry, io.BytesIO(data))


@pytest.mark.parametrize("video", [False, True])
def test_webdataset_shards_give_pictures_or_clips_with_captions(tmp_path, video):
    write_shards(tmp_path, video)
    stream = open_stream("webdataset", tmp_path, split="train", resolution=8, num_frames=5)
    samples = list(stream)
    assert [sample["id"] for sample in samples] == ["000000", "000001", "000002", "000003"]
    assert [sample["caption"] for sample in samples] == [f"caption {sample['id']}" for sample in samples]
    assert [sample["object"] for sample in samples] == [0, 1, 0, 1]
    shape = (5, 8, 8, 3) if video else (8, 8, 3)
    assert all(tuple(sample["video" if video else "image"].shape) == shape for sample in samples)


def test_columns_reach_into_json(tmp_path):
    write_shards(tmp_path, False)
    columns = {"json.scene.words": "caption", "txt": ""}
    stream = open_stream("webdataset", tmp_path, split="train", resolution=8, columns=columns)
    assert next(iter(stream))["caption"] == "seen 000000"
    with pytest.raises(ValueError, match=r"columns must be among \['__key__', .* got \['text'\]"):
        open_stream("webdataset", tmp_path, split="train", columns={"text": "caption"})
    with pytest.raises(ValueError, match=r"WebDataset shards \(validation\*\.tar\)"):
        open_stream("webdataset", tmp_path, split="validation")  # training shards are not validation
    with pytest.raises(ValueError, match=r"columns must name media, id, caption or one of .* got \['title'\]"):
        open_stream("webdataset", tmp_path, split="train", columns={"txt": "title"})


def test_shards_resume_and_split_over_processes(tmp_path):
    write_shards(tmp_path, False)
    options = {"split": "train", "resolution": 8, "shuffle": True}
    whole = [sample["id"] for sample in open_stream("webdataset", tmp_path, **options)]
    stream = open_stream("webdataset", tmp_path, **options)
    iterator = iter(stream)
    first = [next(iterator)["id"] for _ in range(2)]
    resumed = open_stream("webdataset", tmp_path, **options)
    resumed.load_state_dict(stream.state_dict())
    assert first + [sample["id"] for sample in resumed] == whole
    parts = [open_stream("webdataset", tmp_path, rank=rank, world_size=2, **options) for rank in range(2)]
    assert sorted(sample["id"] for part in parts for sample in part) == sorted(whole)


def test_parquet_copies_of_hub_data_sets_keep_their_classes(tmp_path):
    """The Hub's own layout: data/<split>-*.parquet with embedded pictures and typed columns."""
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["tench", "goldfish"])})
    rows = [{"image": {"bytes": encoded(index), "path": None}, "label": index % 2} for index in range(3)]
    (tmp_path / "data").mkdir()
    for split in ("train", "validation"):
        table = datasets.Dataset.from_list(rows, features=features)
        table.to_parquet(tmp_path / f"data/{split}-00000-of-00001.parquet")
    for name, columns, split in (("hub", {"label": "object"}, "train"), ("imagenet-1k", None, "validation")):
        stream = open_stream(name, tmp_path, split=split, resolution=16, columns=columns, share=1.0)
        samples = list(stream)
        assert [sample["object"] for sample in samples] == [0, 1, 0]
        assert stream.classes == {"object": ("tench", "goldfish")}
        assert len({sample["id"] for sample in samples}) == 3  # named by content
        for index, sample in enumerate(samples):
            assert np.array_equal(sample["image"].numpy(), layouts.picture(index, 0, (16, 16)))


def test_without_a_root_the_owners_hub_data_set_is_streamed(monkeypatch):
    """Its id, our split name and streaming, as the Hub's page says; what comes back is read by column."""
    asked = []

    def load_dataset(source, name=None, split=None, streaming=None):
        asked.append((source, name, split, streaming))
        features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
        rows = [{"image": {"bytes": encoded(1), "path": None}, "label": 1}]
        return datasets.Dataset.from_list(rows, features=features).to_iterable_dataset()

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    (sample,) = open_stream("imagenet-1k", resolution=8)
    assert asked == [("ILSVRC/imagenet-1k", None, "validation", True)]
    assert sample["object"] == 1 and tuple(sample["image"].shape) == (8, 8, 3)


def test_a_spec_of_ones_own_works_wherever_a_name_does(tmp_path):
    """The same reader for another copy: its own split name and clip length."""
    layouts.write_kinetics(tmp_path, 2)
    (tmp_path / "val").rename(tmp_path / "dev")
    (tmp_path / "annotations/val.csv").rename(tmp_path / "annotations/dev.csv")
    spec = dataclasses.replace(
        get_spec("kinetics-400"), name="mine", splits={"train": "train", "test": "dev"}, defaults={"num_frames": 9}
    )
    samples = list(open_stream(spec, tmp_path, split="test", resolution=16))
    assert [tuple(sample["video"].shape) for sample in samples] == [(9, 16, 16, 3)] * 2


def test_every_task_has_a_data_set_and_every_spec_says_where_from_on_what_terms_and_how():
    """tasks.md, last section."""
    assert {task for spec in SPECS.values() for task in spec.tasks} == TASKS
    assert list_streams("depth") == ["scannet"] and "waymo" in list_streams("box_tracks")
    for name, spec in SPECS.items():
        assert spec.name == name and issubclass(spec.reader(), Source)
        for words in (spec.title, spec.source, spec.label_space, spec.licence, spec.obtain, spec.layout):
            assert len(words) > 3
        assert set(spec.splits) <= {"train", "validation", "test"} and "train" in spec.splits
    with pytest.raises(ValueError, match="data set must be one of"):
        get_spec("mnist")
