# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Files as they are found in the wild: nothing ends a run that concerns one sample, and nothing is lost in silence."""

import errno
import gzip
import io
import struct
import tarfile
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import datasets
import numpy as np
import published_layouts as layouts
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from hf_vdrep.data import open_stream
from hf_vdrep.data.streams import SkipLimit, pictures
from hf_vdrep.data.streams.tar_members import read_tar

ANY = SkipLimit(share=None)


def encoded(index=0):
    buffer = io.BytesIO()
    Image.fromarray(layouts.picture(index, 0, (16, 16))).save(buffer, "PNG")
    return buffer.getvalue()


def tar(path, members, mode="w"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as file:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            file.addfile(entry, io.BytesIO(data))
    return path


def table(root, rows, **columns):
    (root / "data").mkdir(parents=True)
    schema = datasets.Features({"image": datasets.Image(), **columns}).arrow_schema
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), root / "data/train-00000-of-00001.parquet")
    return root


def read(name, root, **options):
    stream = open_stream(name, root, **{"split": "train", "resolution": 8, "limit": ANY, **options})
    return list(stream), stream.report


@pytest.mark.parametrize(
    "ending, bad", [("json", b"{bad"), ("cls", b"cat"), ("cls", b"4294967296"), ("txt", b"\xff\xfe"), ("cls", None)]
)
def test_a_bad_text_member_costs_its_sample_alone(tmp_path, ending, bad):
    members = {}
    for index in range(3):
        sound = {"json": b'{"caption": "fine"}', "cls": b"1", "txt": b"fine"}[ending]
        members |= {f"{index}.png": encoded(index), f"{index}.{ending}": bad if index == 1 else sound}
    tar(tmp_path / "train-0.tar", {name: data for name, data in members.items() if data is not None})
    samples, report = read("webdataset", tmp_path)
    assert [sample["id"] for sample in samples] == ["0", "2"]
    assert report.corrupt == 1 and report.problems[0][0] == "1"


@pytest.mark.parametrize(
    "damage", ["in a member", "between members", "between samples", "in a header", "header", "garbage", "empty"]
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_shard_is_counted_and_the_others_are_read_on(tmp_path, damage, packed):
    """Also where `tarfile` by itself takes what is left for a whole archive: a cut or a bad header between members."""
    members = {f"{index:03d}.{ending}": encoded(index) for index in range(20) for ending in ("png", "seg")}
    first = tar(tmp_path / "train-0.tar", members)
    tar(tmp_path / "train-1.tar", {f"{index:03d}.png": encoded(index) for index in range(20, 23)})
    whole = first.read_bytes()
    with tarfile.open(first) as file:
        starts = [member.offset for member in file]
    cuts = {"in a member": starts[9] + 600, "between members": starts[9], "between samples": starts[8],
            "in a header": starts[9] + 100}  # fmt: skip
    hurt = {"header": whole[: starts[9]] + b"x" + whole[starts[9] + 1 :], "garbage": b"garbage" * 999, "empty": b""}
    data = whole[: cuts[damage]] if damage in cuts else hurt[damage]
    first.write_bytes(gzip.compress(data) if packed else data)
    samples, report = read("webdataset", tmp_path)
    ids = [sample["id"] for sample in samples]
    assert ids[-3:] == ["020", "021", "022"] and ids == sorted(ids) and len(ids) < 20
    ((name, reason),) = report.problems
    assert name == f"{first}#{len(ids) - 3}" and f"cut short after {len(ids) - 3} samples" in reason
    assert len(ids) - 3 == (0 if damage in ("garbage", "empty") else 3 if damage == "between samples" else 4)


def test_a_shard_that_another_was_appended_to_says_so(tmp_path):
    """`cat a.tar b.tar > c.tar`: a reader stops at the end of the first, and half of the set is gone."""
    parts = [
        tar(tmp_path / f"{part}.tar", {f"{part}{index}.png": encoded(index) for index in range(5)}) for part in "ab"
    ]
    (tmp_path / "set").mkdir()
    (tmp_path / "set/train-0.tar").write_bytes(b"".join(part.read_bytes() for part in parts))
    samples, report = read("webdataset", tmp_path / "set")
    assert [sample["id"] for sample in samples] == ["a0", "a1", "a2", "a3"]
    assert report.corrupt == 1 and "more follows its end" in report.problems[0][1]


def test_shards_belong_to_the_split_of_their_folder_or_name(tmp_path):
    """train/0.tar and val/0.tar: held-out samples must not be trained on."""
    for name in ("train", "val"):
        tar(tmp_path / "folders" / name / "0.tar", {f"{name}.png": encoded()})
        tar(tmp_path / "names" / f"set-{name}-0.tar", {f"{name}.png": encoded()})
    for root in ("folders", "names"):
        for split, expected in (("train", "train"), ("validation", "val")):
            samples, _ = read("webdataset", tmp_path / root, split=split)
            assert [sample["id"] for sample in samples] == [expected]
    pattern = str(tmp_path / "folders/*/0.tar")
    assert [sample["id"] for sample in read("webdataset", pattern)[0]] == ["train"]


def test_shards_of_an_object_store_are_found_by_pattern(tmp_path):
    """s3://bucket/train-*.tar; here the store that fsspec keeps in memory."""
    import fsspec

    store = fsspec.filesystem("memory")
    for name in ("train-0", "train-1", "val-0"):
        store.pipe(f"/bucket/{name}.tar", tar(tmp_path / f"{name}.tar", {f"{name}.png": encoded()}).read_bytes())
    names = ("*.tar", "train-1.tar")
    found = [[sample["id"] for sample in read("webdataset", f"memory://bucket/{name}")[0]] for name in names]
    store.rm("/bucket", recursive=True)
    assert found == [["train-0", "train-1"], ["train-1"]]


def test_shards_may_mix_photos_and_videos_and_be_compressed(tmp_path):
    video = layouts.save_video(tmp_path / "one.mp4", layouts.moving(0, 6, (16, 16))).read_bytes()
    members = {"a.png": encoded(), "b.webp": encoded(1), "c.mp4": video, "._a.png": b"of a Mac", "d/a.seg.png": b"map"}
    tar(tmp_path / "train-0.tar", members, "w:gz")
    samples, report = read("webdataset", tmp_path, num_frames=5)
    assert [(sample["id"], "video" in sample) for sample in samples] == [("a", False), ("b", False), ("c", True)]
    assert [name for name, _ in report.problems] == ["d/a"]
    assert [sample.key for sample in read_tar(str(tmp_path / "train-0.tar"))] == ["a", "b", "c", "d/a"]


def test_shuffling_tars_holds_a_hundred_files_in_memory_not_a_thousand(tmp_path):
    """A record of a tar holds its file: a thousand videos would take gigabytes."""
    tar(tmp_path / "train-0.tar", {f"{index:03d}.png": encoded() for index in range(120)})
    samples, _ = read("webdataset", tmp_path, shuffle=True)
    ids = [sample["id"] for sample in samples]
    assert sorted(ids[:100]) == [f"{index:03d}" for index in range(100)] and ids[:100] != sorted(ids[:100])


def test_records_name_their_pictures_as_they_like(tmp_path):
    """Missing, empty, with a zero byte, two dots, or 400 letters."""
    names = ["a.png", "a\0b.png", "..", "x" * 400]
    rows = [{"image": {"bytes": encoded(index), "path": name}} for index, name in enumerate(names)]
    rows += [{"image": None}, {"image": {"bytes": b"", "path": None}}, {"image": {"bytes": None, "path": "a\0b"}}]
    samples, report = read("hub", table(tmp_path, rows))
    assert len(samples) == 4 and report.corrupt == 3


@pytest.mark.parametrize("kind", ["string", "float32"])
def test_labels_that_are_no_classes_are_refused_when_the_set_is_opened(tmp_path, kind):
    rows = [{"image": {"bytes": encoded(), "path": None}, "label": "cat" if kind == "string" else 1.5}]
    table(tmp_path, rows, label=datasets.Value(kind))
    with pytest.raises(ValueError, match=f"object as whole numbers or classes, got {kind} in 'label'"):
        read("hub", tmp_path, columns={"label": "object"})


def test_equal_names_are_counted_one_by_one(tmp_path):
    rows = [{"image": {"bytes": encoded(1) if index else b"nothing", "path": None}, "n": 7} for index in (0, 0, 1, 1)]
    _, report = read("hub", table(tmp_path, rows, n=datasets.Value("int64")), columns={"n": "id"})
    assert (report.read, report.corrupt, report.given) == (4, 2, 2)


def test_pictures_that_stay_in_archives_are_opened_by_their_address(tmp_path):
    """What `datasets` streams of a Hub data set of files: `zip://a.png::hf://...`, and no bytes."""
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("a.png", encoded(3))
    found = pictures.picture_of({"bytes": None, "path": f"zip://a.png::{tmp_path}/pictures.zip"})
    assert np.array_equal(found.numpy(), layouts.picture(3, 0, (16, 16)))


def test_a_full_disk_is_not_the_sample_s_fault(tmp_path, monkeypatch):
    """Skipping would lose sound samples, and say that they are corrupt."""
    table(tmp_path, [{"image": {"bytes": encoded(), "path": None}}])

    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    stream = open_stream("hub", tmp_path, split="train", resolution=8)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        list(stream)
    assert stream.report.corrupt == 0


def test_a_reader_that_stumbles_over_a_file_costs_that_sample_alone(tmp_path, monkeypatch):
    for index in range(3):
        layouts.save_picture(tmp_path / f"{index}.png", layouts.picture(index))
    photo = pictures.read_photo

    def stumble(path):
        if path.name == "1.png":
            raise IndexError("of some library")
        return photo(path)

    monkeypatch.setattr(pictures, "read_photo", stumble)
    samples, report = read("image-folder", tmp_path)
    assert len(samples) == 2 and report.problems == [("1.png", "IndexError: of some library")]


def test_linked_folders_are_read_and_links_that_lead_back_up_are_not(tmp_path):
    layouts.save_picture(tmp_path / "elsewhere/0.png", layouts.picture(0))
    layouts.save_picture(tmp_path / "set/train/dog/0.png", layouts.picture(1))
    layouts.save_picture(tmp_path / "set/train/dog/._0.png", layouts.picture(1))
    (tmp_path / "set/train/cat").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set/train/dog/up").symlink_to(tmp_path / "set/train")
    samples, report = read("image-folder", tmp_path / "set")
    assert [(sample["id"], sample["object"]) for sample in samples] == [("cat/0.png", 0), ("dog/0.png", 1)]
    assert report.corrupt == 0


@pytest.mark.parametrize("text", ["name,text\n0.png,hello\n", '{"file_name": "0.png"}\n{bad', "[1, 2]\n"])
def test_a_wrong_metadata_file_is_named(tmp_path, text):
    layouts.save_picture(tmp_path / "0.png", layouts.picture(0))
    name = "metadata.csv" if text.startswith("name") else "metadata.jsonl"
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=rf"{name} must hold a file_name in every row"):
        read("image-folder", tmp_path)


def write(path, frames, container, metadata=None, codec="libx264"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=container) as box:
        box.metadata.update(metadata or {})
        stream = box.add_stream(codec, rate=8)
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        for frame in frames:
            box.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        box.mux(stream.encode())
    return path


def test_a_video_of_one_frame_has_no_rate_and_is_still_a_clip(tmp_path):
    write(tmp_path / "one.mp4", [np.full((16, 16, 3), 90, np.uint8)], "mp4")
    ((sample,), _) = read("video-folder", tmp_path, num_frames=5, fps=4.0)
    assert sample["video"].shape == (5, 8, 8, 3) and len(sample["video"].unique(dim=0)) == 1


def test_frames_a_second_are_kept_in_time_where_the_rate_changes(tmp_path):
    """Eight frames in the first second and then one a second, as phones and screens record: on screen at 0, 1, 2 s."""
    times = [*range(0, 1000, 125), *range(1500, 9000, 1000)]
    with av.open(str(tmp_path / "phone.mkv"), "w", format="matroska") as box:
        stream = box.add_stream("libx264", rate=1000, options={"crf": "1"})
        stream.height, stream.width, stream.pix_fmt = 16, 16, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(times):
            picture = np.full((16, 16, 3), 20 + 12 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            box.mux(stream.encode(frame))
        box.mux(stream.encode())
    ((sample,), _) = read("video-folder", tmp_path, num_frames=5, fps=1.0, anchor="start")
    numbers = ((sample["video"][:, 0, 0, 0].float() - 20) / 12).round().int().tolist()
    assert numbers == [0, 7, 8, 9, 10]
    ((sample,), _) = read("video-folder", tmp_path, num_frames=5, stride=2, anchor="start")
    assert ((sample["video"][:, 0, 0, 0].float() - 20) / 12).round().int().tolist() == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("anchor", ["start", "center"])
def test_a_video_that_was_held_upright_is_turned_in_every_frame(tmp_path, anchor):
    """A phone writes the matrix (0 1; -1 0) into `tkhd`: the red stripe on top goes to the right, after seeking too."""
    frames = layouts.moving(0, 40, (48, 64))
    frames[:, :8] = [220, 20, 20]
    path = write(tmp_path / "held.mp4", frames, "mp4")
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    data[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30)
    path.write_bytes(data)
    ((sample,), _) = read("video-folder", tmp_path, resolution=(64, 48), num_frames=5, anchor=anchor)
    red = (sample["video"][..., 0] > 150) & (sample["video"][..., 1] < 80)
    assert red[:, :, 41:].all() and not red[:, :, :39].any()


@pytest.mark.parametrize("world_size", [1, 3])
def test_tables_resume_in_the_middle_of_a_file_and_split_over_more_processes_than_files(tmp_path, world_size):
    """Two files of seven rows: what one process read before and after, and what all read together, is the whole."""
    rows = [{"image": {"bytes": encoded(index), "path": None}, "n": f"{index:02d}"} for index in range(14)]
    table(tmp_path, rows[:7], n=datasets.Value("string"))
    table(tmp_path / "second", rows[7:], n=datasets.Value("string"))
    (tmp_path / "second/data/train-00000-of-00001.parquet").rename(tmp_path / "data/train-00001-of-00002.parquet")
    seen = []
    for rank in range(world_size):
        words = {"split": "train", "resolution": 8, "columns": {"n": "id"}, "shuffle": True, "window": 3,
                 "rank": rank, "world_size": world_size}  # fmt: skip
        stream = open_stream("hub", tmp_path, **words)
        samples = iter(stream)
        seen += [next(samples)["id"] for _ in range(2)]
        resumed = open_stream("hub", tmp_path, **words)
        resumed.load_state_dict(stream.state_dict())
        seen += [sample["id"] for sample in resumed]
    assert sorted(seen) == [row["n"] for row in rows]


def test_titles_in_any_encoding_are_borne(tmp_path):
    path = write(tmp_path / "old.mp4", layouts.moving(0, 6, (16, 16)), "mp4", {"title": "AAAABBBB"})
    path.write_bytes(path.read_bytes().replace(b"AAAABBBB", b"\xe9\xe8\xff\xfe\xe9\xe8\xff\xfe"))
    samples, _ = read("video-folder", tmp_path, num_frames=5)
    assert len(samples) == 1


def test_a_video_whose_size_changes_on_the_way_is_shown_at_its_first_size(tmp_path):
    """As browsers record calls: VP8, where any key frame may have another size."""
    with av.open(str(tmp_path / "call.mkv"), "w", format="matroska") as box:
        stream = box.add_stream("libvpx", rate=8)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "yuv420p"
        for part, side in enumerate((32, 64)):
            encoder = av.CodecContext.create("libvpx", "w")
            encoder.height, encoder.width, encoder.pix_fmt, encoder.time_base = side, side, "yuv420p", Fraction(1, 8)
            packets = []
            for time in range(4):
                frame = av.VideoFrame.from_ndarray(np.full((side, side, 3), 200, np.uint8), format="rgb24")
                frame = frame.reformat(format="yuv420p")
                frame.pts = time
                packets += encoder.encode(frame)
            for packet in packets + encoder.encode(None):
                packet.stream, packet.time_base = stream, Fraction(1, 8)
                packet.pts = packet.dts = packet.pts + 4 * part
                box.mux(packet)
    ((sample,), _) = read("video-folder", tmp_path, num_frames=8, resolution=32)
    assert sample["video"].shape == (8, 32, 32, 3) and (sample["video"].float() - 200).abs().max() < 8
