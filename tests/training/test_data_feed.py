# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The samples of a training's places: one order for any number of processes and workers, exact after a resumption."""

import itertools
import json
import os
import signal
import subprocess

import datasets
import pytest
import torch
from stream_folders import folder, mp4, picture, png, tars

from hf_vdrep.training.data_config import DataConfig
from hf_vdrep.training.data_feed import Feed, merge_positions
from hf_vdrep.training.data_places import picture_places
from hf_vdrep.training.data_sources import resolve

# datasets sleeps this long whenever a parquet iterator is closed early.
datasets.config.SLEEP_TIME_ON_THREADS_SHUTDOWN = 0


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return folder(tmp_path_factory.mktemp("feed") / "pictures", png, 30, "png", corrupt=(3, 17))


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    return tars(tmp_path_factory.mktemp("tars") / "set", png, [1, 5, 2, 4], "png")


class Config(DataConfig):
    batch_size, seed, accumulation = 4, 1, 1


def feed(data, accumulation=1, **changes):
    settings = {"data": str(data), "resolution": 16, "shuffle_buffer": 4, "lanes": 4, "max_corrupt": 0.5, **changes}
    config = Config(**settings)
    config.accumulation = accumulation
    return Feed(config)


def read(stream, steps, part=0, parts=1, start=0, keep=None):
    """Per step the items of a process's places, place -> item."""
    batches = []
    for step in range(start, start + steps):
        places = stream.begin(step, part, parts)
        kinds = ["pictures" if chosen else "clips" for chosen in stream.pictures(step)]
        batches.append({p: stream.take(kinds[p], step, p, part, parts) for p in places})
        if keep is not None:
            keep.append(json.loads(json.dumps(stream.position())))
    return batches


def ids(batches):
    return [{place: item.id for place, item in batch.items()} for batch in batches]


@pytest.mark.parametrize("parts", [2, 4])
def test_processes_see_together_what_one_sees(pictures, parts):
    """Same samples at the same places, corrupt ones left out by whichever process meets them."""
    whole = ids(read(feed(pictures), 12))
    shares = [ids(read(feed(pictures), 12, part, parts)) for part in range(parts)]
    assert [
        dict(sorted({k: v for s in step for k, v in s.items()}.items())) for step in zip(*shares, strict=True)
    ] == whole


def test_micro_batches_of_one_process_are_its_places_too(pictures):
    whole = ids(read(feed(pictures), 6))
    stream = feed(pictures, accumulation=2)
    halves = []
    for step in range(6):
        found = {}
        for part in range(2):
            found.update(ids(read(stream, 1, part, 2, start=step))[0])
        halves.append(dict(sorted(found.items())))
    assert halves == whole


def test_a_pass_holds_every_sound_sample_once_and_the_next_in_another_order(pictures):
    stream = feed(pictures)
    items = [item for batch in read(stream, 24) for item in batch.values()]
    for lane in range(4):
        mine = [item for place, item in enumerate(items) if place % 4 == lane]
        first = [item.id for item in mine if item.epoch == 0]
        second = [item.id for item in mine if item.epoch == 1]
        assert len(set(first)) == len(first) and sorted(first) == sorted(second) and first != second
    assert len({item.id for item in items}) == 28
    assert stream.skipped() >= 2


@pytest.mark.parametrize("steps", [1, 9])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_resumed_feed_gives_exactly_the_rest(pictures, steps, parts):
    """The position passes through JSON; pixels of random crops and counts go on as well."""
    options = {"data_options": {"crop": "random", "flip": True}}
    straight = feed(pictures, **options)
    positions = []
    whole = read(straight, 18, parts - 1, parts, keep=positions)
    resumed = feed(pictures, **options)
    resumed.seek(positions[steps - 1])
    rest = read(resumed, 18 - steps, parts - 1, parts, start=steps)
    assert ids(rest) == ids(whole[steps:])
    for batch, expected in zip(rest, whole[steps:], strict=True):
        assert all(torch.equal(batch[place].frames, expected[place].frames) for place in batch)
    assert resumed.skipped() == straight.skipped()


def test_a_run_goes_on_with_another_number_of_processes(pictures):
    whole = ids(read(feed(pictures), 10))
    positions = []
    for part in range(2):
        kept = []
        read(feed(pictures), 5, part, 2, keep=kept)
        positions.append(kept[-1])
    one = feed(pictures)
    one.seek(merge_positions(positions))
    assert ids(read(one, 5, start=5)) == whole[5:]
    again = feed(pictures)
    again.seek(merge_positions(positions))
    read(again, 1, 1, 2, start=5)
    lanes = again.position()["clips"]
    assert set(lanes) == {"1", "3"}, "a process saves its own lanes only"


def test_the_order_does_not_depend_on_the_workers(pictures):
    """Decoded by processes, interrupted, and gone on with none: `workers` may change at any resumption."""
    expected = ids(read(feed(pictures), 10))
    positions = []
    assert ids(read(feed(pictures, workers=2), 5, keep=positions)) == expected[:5]
    alone = feed(pictures)
    alone.seek(positions[-1])
    assert ids(read(alone, 5, start=5)) == expected[5:]


def test_workers_leave_the_random_generators_alone(pictures):
    """Else a resumed run, which starts workers anew, would draw other dropout masks."""
    torch.manual_seed(0)
    before = torch.get_rng_state()
    read(feed(pictures, workers=1), 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_killed_worker_is_a_clear_error(pictures):
    stream = feed(pictures, workers=1)
    read(stream, 1)
    source = next(iter(stream._readers.values()))._sources[0]
    os.kill(source._items._workers[0].pid, signal.SIGKILL)
    with pytest.raises(ChildProcessError, match=r"worker that decodes the data was killed \(DataLoader worker"):
        read(stream, 500, start=1)


def test_a_worker_killed_while_its_tensors_are_fetched_is_the_same_error(pictures):
    stream = feed(pictures, workers=1)
    read(stream, 1)
    source = next(iter(stream._readers.values()))._sources[0]

    def cut():
        raise ConnectionResetError(104, "Connection reset by peer")
        yield

    source._items = cut()
    with pytest.raises(ChildProcessError, match=r"was killed .DataLoader worker: .*Connection reset"):
        read(stream, 500, start=1)


def test_a_worker_outlives_a_signal_to_the_whole_group(pictures):
    """Slurm, torchrun and terminals signal every process; the step in progress still needs its batch."""
    stream = feed(pictures, workers=1)
    first = ids(read(stream, 1))
    worker = next(iter(stream._readers.values()))._sources[0]._items._workers[0]
    for number in (signal.SIGTERM, signal.SIGINT):
        subprocess.run(["kill", f"-{number:d}", str(worker.pid)], check=True)
    assert first + ids(read(stream, 100, start=1)) == ids(read(feed(pictures), 101))
    worker.terminate()
    worker.join(timeout=5)
    assert worker.exitcode == 0


def test_uneven_files_repeat_so_that_no_process_waits(uneven):
    """Four tar files of 1, 5, 2 and 4 pictures, one a lane: each begins again when it is through."""
    shares = [read(feed(uneven), 12, part, 4) for part in range(4)]
    epochs = [share[-1][part].epoch for part, share in enumerate(shares)]
    assert sorted(epochs) == [2, 2, 5, 11]
    assert all(len(batch) == 1 for share in shares for batch in share)


def test_more_lanes_than_files_divide_the_records(uneven):
    stream = feed(uneven, lanes=8, shuffle_buffer=1)
    found = read(stream, 20)
    assert {item.id for batch in found for item in batch.values()} == {f"{i:06d}" for i in range(12)}
    items = [(place % 8, item) for place, item in enumerate(i for batch in found for i in batch.values())]
    by_lane = [{item.id for at, item in items if at == lane and item.epoch == 0} for lane in range(8)]
    assert not any(a & b for a, b in itertools.combinations(by_lane, 2))


def test_tar_files_may_be_named_by_a_pattern(uneven):
    stream = feed(f"{uneven}/train-00000[12].tar", lanes=2)
    assert {i for batch in ids(read(stream, 6)) for i in batch.values()} == {f"{i:06d}" for i in range(1, 8)}


def test_parquet_files_are_streamed(tmp_path):
    rows = {"image": [{"bytes": png(i), "path": None} for i in range(6)], "name": [str(i) for i in range(6)]}
    table = datasets.Dataset.from_dict(
        rows, features=datasets.Features({"image": datasets.Image(), "name": datasets.Value("string")})
    )
    table.to_parquet(tmp_path / "train-00000-of-00001.parquet")
    stream = feed(tmp_path, lanes=0, data_options={"columns": {"name": "id"}})
    assert stream.lanes == 1
    assert {i for batch in ids(read(stream, 3)) for i in batch.values()} == {str(i) for i in range(6)}


def test_pictures_take_their_share_in_every_lane(tmp_path, pictures):
    """WALT §3.1 trains on images and videos together. Ratio 1 : 3, in the long run and in each lane."""
    clips = folder(tmp_path / "clips", mp4, 8, "mp4")
    settings = {"image_data": str(pictures), "image_fraction": 0.25}
    found = read(feed(clips, **settings), 16)
    kinds = [len(batch[place].frames) == 1 for batch in found for place in sorted(batch)]
    assert sum(kinds) == 16
    assert all(sum(kinds[lane::4]) == 4 for lane in range(4))
    shares = [ids(read(feed(clips, **settings), 16, part, 2)) for part in range(2)]
    assert [dict(sorted((a | b).items())) for a, b in zip(*shares, strict=True)] == ids(found)


@pytest.mark.parametrize(("fraction", "batch_size", "run"), [(0.1, 10, 1), (0.25, 6, 4), (0.3, 8, 1), (1 / 3, 12, 2)])
def test_the_ratio_of_pictures_is_exact_over_many_batches(fraction, batch_size, run):
    steps = 60
    total = sum(picture_places(fraction, step, batch_size, run).sum() for step in range(steps))
    assert abs(total - fraction * steps * batch_size) <= run
    assert not picture_places(0.0, 3, batch_size, run).any() and picture_places(1.0, 3, batch_size, run).all()


def test_frames_are_the_pictures_of_the_files(pictures):
    for batch in read(feed(pictures), 3):
        for item in batch.values():
            assert torch.equal(item.frames[0], torch.from_numpy(picture(int(item.id[:3]))))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lanes": 3}, "lanes must be a multiple of processes x accumulation = 2, got 3"),
        ({"lanes": 64}, "lanes must not exceed the 30 samples of"),
        ({"data": "nowhere at all"}, "data must be probeworld, an existing folder"),
        ({"max_corrupt": 0.0, "data_options": {"resolution": 0}}, "resolution must be at least 1 pixel"),
    ],
)
def test_what_cannot_be_read_is_a_clear_error(pictures, changes, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        feed(changes.pop("data", pictures), **changes).begin(0, 0, 2)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="data must hold videos, pictures, tar or parquet files, got none in"):
        feed(tmp_path)


def test_a_stream_whose_every_sample_is_corrupt_is_refused(tmp_path):
    root = folder(tmp_path / "bad", png, 8, "png", corrupt=range(8))
    with pytest.raises(ValueError, match="all 2 samples are corrupt"):
        read(feed(root), 1)


def test_lanes_without_a_sample_are_refused(uneven):
    """Twelve records in tar files, whose number nobody knows before they are read."""
    with pytest.raises(ValueError, match=r"data must hold a sample for each of 16 lanes, got none in lane 1[2-5] of"):
        read(feed(uneven, lanes=16), 4)


def test_probeworld_is_streamed_as_it_is_rendered(stand_in_world, blobs):
    items = [item for batch in read(feed("probeworld-stream", pool_size=6, lanes=2), 3) for item in batch.values()]
    assert {item.id for item in items} == {f"probeworld-train-{index}" for index in range(6)}
    for item in items:
        assert torch.equal(item.frames, blobs("train", 6).render_batch([int(item.id.rpartition("-")[2])])[0])


def test_a_set_smaller_than_a_batch_repeats(tmp_path):
    root = folder(tmp_path / "few", png, 2, "png")
    stream = feed(root, lanes=0)
    assert stream.lanes == 2
    assert sorted(ids(read(stream, 1))[0].values()) == ["000.png", "000.png", "001.png", "001.png"]


def test_batches_come_in_order_only(pictures):
    stream = feed(pictures)
    read(stream, 2)
    with pytest.raises(ValueError, match="must be read in order, from step 2 on, got step 5"):
        stream.begin(5, 0, 1)


def test_a_position_of_another_division_is_refused(pictures):
    kept = []
    read(feed(pictures, lanes=2), 1, keep=kept)
    with pytest.raises(ValueError, match="lanes must be 2 as in the saved position, got 4"):
        feed(pictures).seek(kept[0])


def test_a_folder_is_known_by_what_it_holds(tmp_path, pictures, uneven):
    assert resolve("data", str(pictures)) == ("image-folder", str(pictures))
    assert resolve("data", str(uneven)) == ("webdataset", str(uneven))
    assert resolve("data", "owner/name") == ("hub", "owner/name")
    assert resolve("data", "kinetics-400", "/k400") == ("kinetics-400", "/k400")
    (tmp_path / "clip.mp4").touch()
    (tmp_path / "still.png").touch()
    assert resolve("data", str(tmp_path))[0] == "video-folder"
    assert resolve("image_data", str(tmp_path))[0] == "image-folder"
