# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The twins on streams and on kept latents: same samples, same order, same tokens; caches that cannot be wrong."""

import errno
import json
import os
import shutil
import threading

import numpy as np
import pytest
import torch
from stream_folders import folder, mp4, png

from hf_vdrep.data import open_stream
from hf_vdrep.features.process_share import ProcessShare
from hf_vdrep.training import latent_fill
from hf_vdrep.training.data_feed import open_training_data
from hf_vdrep.training.latent_cache import CachedLatents
from hf_vdrep.training.latent_encoding import Encoder
from hf_vdrep.training.latent_fill import LatentFiller
from hf_vdrep.training.latent_store import LatentStore
from hf_vdrep.training.pixels import to_pixel_values
from hf_vdrep.training.walt_config import WaltTrainConfig
from hf_vdrep.training.walt_task import WaltTask, open_pools


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Ten clips, one damaged, and seven pictures."""
    root = tmp_path_factory.mktemp("latents")
    return folder(root / "clips", mp4, 10, "mp4", corrupt=(4,)), folder(root / "pictures", png, 7, "png")


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(latent_fill, "SAMPLES_PER_SHARD", 4)
    monkeypatch.setattr(latent_fill, "are_progress_bars_disabled", lambda: True)


def config(data, tmp_path, **changes):
    settings = {"output_dir": str(tmp_path / "run"), "data": str(data[0]), "image_data": str(data[1]), "seed": 1}
    settings |= {"image_fraction": 0.5, "lanes": 2, "resolution": 16, "batch_size": 4, "max_corrupt": 0.6}
    return WaltTrainConfig(**{**settings, "latent_dtype": "float32", "eval_clips": 2, **changes})


def task(vae, *arguments, **changes):
    settings = config(*arguments, **changes)
    return WaltTask(settings, *open_pools(settings, vae))


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("pictures", [True, False])
def test_twins_see_the_same_samples_and_equally_many_tokens(tiny_vae, data, tmp_path, cached, pictures):
    """WALT's study: I-WALT takes random frames of V-WALT's clips, and the same pictures. F = 5, 2x2 latents."""
    changes = {"latent_cache": cached, "image_fraction": 0.5 if pictures else 0.0}
    changes |= {} if pictures else {"image_data": None}
    twins = [task(tiny_vae, data, tmp_path, objective=objective, **changes) for objective in ("video", "image")]
    for step in range(5):
        one, other = (twin.batch(step, 0, 1) for twin in twins)
        assert one["ids"] == other["ids"] and one["items"] == other["items"] == 4
        assert one["tokens"] == other["tokens"] == 4 * 5 * 2 * 2
        sizes = [sum(batch[k].numel() for k in ("video", "image") if k in batch) for batch in (one, other)]
        assert sizes == [4 * 4 * 20] * 2
        assert one["ids"] and ("image" in one) == pictures and other["image"].shape == (20, 4, 1, 2, 2)
        if pictures:
            shared = {tuple(row.flatten().tolist()) for row in one["image"]}
            assert shared < {tuple(row.flatten().tolist()) for row in other["image"]}


def test_latents_are_those_of_the_clip_that_the_batch_names(tiny_vae, data, tmp_path):
    frames = {s["id"]: s["video"] for s in open_stream("video-folder", data[0], split="train", resolution=16)}
    for cached in (False, True):
        batch = task(tiny_vae, data, tmp_path, image_data=None, image_fraction=0.0, latent_cache=cached).batch(0, 0, 1)
        pixels = to_pixel_values(torch.stack([frames[name] for name in batch["ids"]]))
        with torch.no_grad():
            expected = tiny_vae.normalize(tiny_vae.encode(pixels).latent_dist.mode())
        torch.testing.assert_close(batch["video"], expected, rtol=1e-4, atol=1e-4)


def test_an_image_twin_s_frames_are_frames_of_its_clips(tiny_vae, data, tmp_path):
    frames = {s["id"]: s["video"] for s in open_stream("video-folder", data[0], split="train", resolution=16)}
    settings = {"image_data": None, "image_fraction": 0.0, "objective": "image"}
    for cached in (False, True):
        batch = task(tiny_vae, data, tmp_path, latent_cache=cached, **settings).batch(0, 0, 1)
        for name, stack in zip(batch["ids"], batch["image"].unflatten(0, (4, 5)), strict=True):
            pixels = to_pixel_values(frames[name][:, None])
            with torch.no_grad():
                singles = tiny_vae.normalize(tiny_vae.encode(pixels).latent_dist.mode())
            gaps = (stack[:, None] - singles[None]).flatten(2).abs().amax(2)
            assert gaps.amin(1).max() < 1e-4, "every image is some frame, encoded alone"


@pytest.mark.parametrize("cached", [False, True])
def test_two_processes_see_together_what_one_sees(tiny_vae, data, tmp_path, cached):
    """Clean latents, noise and timesteps; on a stream each process has its own task."""
    whole = task(tiny_vae, data, tmp_path, latent_cache=cached)
    parts = [task(tiny_vae, data, tmp_path, latent_cache=cached) for _ in range(2)]
    for step in range(3):
        one, shares = whole.batch(step, 0, 1), [parts[rank].batch(step, rank, 2) for rank in range(2)]
        assert sorted(one["ids"]) == sorted(shares[0]["ids"] + shares[1]["ids"])
        for key in [key for key in one if isinstance(one[key], torch.Tensor)]:
            both = torch.cat([share[key] for share in shares if key in share]).flatten(1 if one[key].ndim > 1 else 0)
            mine = one[key].flatten(1 if one[key].ndim > 1 else 0)
            order = [np.lexsort(np.atleast_2d(t.double().numpy().round(3).T)) for t in (both, mine)]
            torch.testing.assert_close(both[order[0]], mine[order[1]], rtol=1e-3, atol=1e-3)


def test_a_resumed_stream_of_latents_gives_exactly_the_rest(tiny_vae, data, tmp_path):
    straight = task(tiny_vae, data, tmp_path, objective="image")
    batches = [straight.batch(step, 0, 1) for step in range(6)]
    resumed = task(tiny_vae, data, tmp_path, objective="image")
    resumed.seek(json.loads(json.dumps(batches[2]["position"])))
    for step in range(3, 6):
        batch = resumed.batch(step, 0, 1)
        assert batch["ids"] == batches[step]["ids"] and torch.equal(batch["image"], batches[step]["image"])
        assert batch["skipped"] == batches[step]["skipped"]


def test_validation_reads_the_split_that_is_held_out(tiny_vae, data, tmp_path):
    from hf_vdrep.models import WaltTransformer3DModel

    pair = {}
    for objective in ("video", "image"):
        found = task(tiny_vae, data, tmp_path, objective=objective)
        assert found.held_out.video.shape == (2, 4, 5, 2, 2) and found.held_out.images.shape == (2, 5, 4, 1, 2, 2)
        torch.manual_seed(0)
        sizes = {"in_channels": 4, "sample_frames": 5, "sample_size": 2, "num_layers": 2, "num_attention_heads": 2}
        windows = {"spatial_window": [2, 2], "spatiotemporal_window": [2, 2], "attention_head_dim": 8}
        with torch.no_grad():
            pair[objective] = found.evaluate(WaltTransformer3DModel(**sizes, **windows, objective="video"))
    assert pair["video"]["v_loss_image"] == pytest.approx(pair["image"]["v_loss"], rel=1e-5)


def test_the_cache_is_filled_once_and_shared_by_the_twins(tiny_vae, data, tmp_path):
    first = task(tiny_vae, data, tmp_path, latent_cache=True)
    batch = first.batch(0, 0, 1)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("shard-*")}
    assert len(files) == 3 + 2 and batch["skipped"] == 1
    index = json.loads(next((tmp_path / "cache").glob("latents-clips-*/index.json")).read_text())
    assert index["samples"] == 9 and [shard["samples"] for shard in index["shards"]] in ([3, 2, 4], [3, 3, 3])
    task(tiny_vae, data, tmp_path, objective="image", latent_cache=True).batch(0, 0, 1)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("shard-*")} == files


def test_another_tokenizer_file_or_setting_is_another_cache(tiny_vae, data, tmp_path):
    import copy

    other = copy.deepcopy(tiny_vae)
    with torch.no_grad():
        next(other.parameters())[0] += 1e-3
    changed = shutil.copytree(data[0], tmp_path / "changed")
    (changed / "train" / "000.mp4").write_bytes(mp4(40))
    moved = shutil.copytree(data[0], tmp_path / "moved")
    settings = {"image_data": None, "image_fraction": 0.0}

    def digest(vae=tiny_vae, root=data[0], **changes):
        wanted = config((root, None), tmp_path, **settings | changes)
        return CachedLatents(wanted, vae, tmp_path).stores()["clips"].digest

    first = digest()
    assert digest() == first == digest(root=moved) == digest(objective="image")
    others = [digest(vae=other), digest(root=changed), digest(latents_seed=1), digest(latent_dtype="float16")]
    others += [digest(data_options={"stride": 2}), digest(data_options={"crop": "random"})]
    assert len({first, *others}) == 7


def test_damaged_and_missing_shards_are_encoded_again_and_the_rest_is_kept(tiny_vae, data, tmp_path):
    """As after a kill in the middle: what has its name is whole, what has not is left-over."""
    expected = task(tiny_vae, data, tmp_path, latent_cache=True).batch(0, 0, 1)
    folder_of = next((tmp_path / "cache").glob("latents-clips-*"))
    shards = sorted(folder_of.glob("shard-*"))
    shards[0].write_bytes(shards[0].read_bytes()[:-7])
    shards[1].unlink()
    leftover = folder_of / f".{shards[1].name}.0.claim.tmp"
    leftover.touch()
    os.utime(leftover, (1, 1))
    kept = shards[2].stat().st_mtime_ns
    again = task(tiny_vae, data, tmp_path, latent_cache=True).batch(0, 0, 1)
    assert again["ids"] == expected["ids"] and torch.equal(again["video"], expected["video"])
    assert shards[2].stat().st_mtime_ns == kept


def test_processes_fill_a_cache_together(tiny_vae, data, tmp_path, monkeypatch):
    """Both write, and both end with all; a shard that both happen to take is written twice alike."""
    written = []
    fill, together, met = LatentFiller._fill, threading.Barrier(2), set()

    def counted(self, shard):
        if self.share.rank not in met:
            met.add(self.share.rank)
            together.wait(timeout=60)
        written.append((self.share.rank, shard))
        fill(self, shard)

    monkeypatch.setattr(LatentFiller, "_fill", counted)
    settings = config((data[0], None), tmp_path, image_data=None, image_fraction=0.0)
    opened = open_training_data(settings)["clips"]
    stores = [CachedLatents(settings, tiny_vae, tmp_path / "shared").stores()["clips"] for _ in range(2)]

    def process(rank):
        encoder = Encoder(tiny_vae, 16, 17)
        LatentFiller(stores[rank], opened, encoder, settings, ProcessShare(rank, 2)).run()

    threads = [threading.Thread(target=process, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {shard for _, shard in written} == {0, 1, 2} and {rank for rank, _ in written} == {0, 1}
    assert stores[0].ids == stores[1].ids and len(stores[0]) == 9


def test_a_quota_is_kept_before_anything_is_written(tiny_vae, data, tmp_path):
    wanted = task(tiny_vae, data, tmp_path, latent_cache=True, latent_quota=1e-6)
    with pytest.raises(OSError, match=r"latent_quota must leave room: .* got 1e-06 GB"):
        wanted.batch(0, 0, 1)
    assert not list((tmp_path / "cache").rglob("shard-*"))


def test_a_full_disk_is_a_clear_error_and_loses_nothing(tiny_vae, data, tmp_path, monkeypatch):
    write = LatentStore.write

    def full(self, shard, rows, facts):
        if shard == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, shard, rows, facts)

    monkeypatch.setattr(LatentStore, "write", full)
    with pytest.raises(
        OSError, match=r"cache_dir must take the latents, but writing failed .* complete shards are kept"
    ):
        task(tiny_vae, data, tmp_path, latent_cache=True).batch(0, 0, 1)
    kept = list((tmp_path / "cache").rglob("*.safetensors*"))
    assert [path.name for path in kept] == ["shard-00000.safetensors"]
    monkeypatch.undo()
    assert len(task(tiny_vae, data, tmp_path, latent_cache=True).batch(0, 0, 1)["ids"]) >= 4


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_latents_may_be_kept_in_half_the_bytes(tiny_vae, data, tmp_path, dtype):
    settings = {"image_data": None, "image_fraction": 0.0, "latent_cache": True}
    full = task(tiny_vae, data, tmp_path, **settings).batch(0, 0, 1)["video"]
    half = task(tiny_vae, data, tmp_path, latent_dtype=dtype, **settings).batch(0, 0, 1)["video"]
    assert torch.equal(half, full.to(getattr(torch, dtype)).float())


def test_pictures_alone_train_an_image_denoiser(tiny_vae, data, tmp_path):
    settings = {"image_data": str(data[1]), "image_fraction": 1.0, "objective": "image"}
    alone = task(tiny_vae, data, tmp_path, **settings)
    assert alone.batch(0, 0, 1)["image"].shape == (20, 4, 1, 2, 2) and alone.held_out.images.shape == (2, 1, 4, 1, 2, 2)
    with pytest.raises(ValueError, match="objective must be image where image_fraction is 1"):
        task(tiny_vae, data, tmp_path, **{**settings, "objective": "video"})


def test_pictures_in_the_place_of_clips_are_refused(tiny_vae, data, tmp_path):
    wrong = task(tiny_vae, (data[1], None), tmp_path, image_data=None, image_fraction=0.0)
    with pytest.raises(ValueError, match="data must hold clips of 17 frames, got a picture in"):
        wrong.batch(0, 0, 1)


@pytest.mark.parametrize("cached", [False, True])
def test_labels_of_classes_come_along(tiny_vae, tmp_path, cached):
    """Folders are classes: every place of a batch says which."""
    for name in ("run", "walk"):
        for split in ("train", "validation"):
            (tmp_path / "set" / split / name).mkdir(parents=True)
            for index in range(2):
                (tmp_path / "set" / split / name / f"{index}.mp4").write_bytes(mp4(index))
    settings = {"image_data": None, "image_fraction": 0.0, "latent_cache": cached, "condition": "action_coarse"}
    batch = task(tiny_vae, (tmp_path / "set", None), tmp_path, **settings).batch(0, 0, 1)
    assert [row["action_coarse"] for row in batch["labels"]] == [int(name.startswith("walk")) for name in batch["ids"]]


def test_twins_share_the_fingerprint_of_their_data(tiny_vae, data, tmp_path):
    settings = [(data, "video"), (data, "image"), ((data[1], data[1]), "image")]
    found = [task(tiny_vae, where, tmp_path, objective=name).fingerprint() for where, name in settings]
    assert found[0] == found[1] != found[2]


def test_one_condition_cannot_speak_for_several_pictures(tiny_vae, data, tmp_path):
    with pytest.raises(ValueError, match="condition must be none where image_data is mixed in, got action_coarse"):
        task(tiny_vae, data, tmp_path, condition="action_coarse")


def test_a_pair_of_runs_on_a_stream_sees_the_same(tiny_vae, tiny_denoiser_config, data, tmp_path, monkeypatch):
    """Through the command line: V-WALT on a stream, stopped and resumed, and its twin on the same tokens."""
    from hf_vdrep.training.walt import main

    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    tiny_vae.save_pretrained(tmp_path / "vae")
    pairs = [f"{key}={json.dumps(value)}" for key, value in tiny_denoiser_config.items()]
    argv = ["--output-dir", str(tmp_path / "v-walt"), "--vae", str(tmp_path / "vae"), "--model", *pairs, "--cpu"]
    argv += ["--data", str(data[0]), "--image-data", str(data[1]), "--image-fraction", "0.5", "--lanes", "2"]
    argv += ["--resolution", "16", "--eval-clips", "2", "--batch-size", "4", "--max-corrupt", "0.6"]
    argv += ["--warmup-steps", "0", "--log-every", "1", "--mixed-precision", "no", "--lr-schedule"]
    argv += ["constant_with_warmup"]
    assert main([*argv, "--steps", "2", "--debug"]) == 0
    assert main([*argv, "--steps", "4", "--debug"]) == 0
    assert main(["--twin-of", str(tmp_path / "v-walt"), "--debug"]) == 0
    summaries = [json.loads((tmp_path / name / "summary.json").read_text()) for name in ("v-walt", "i-walt")]
    for key in ("parameters", "clips", "tokens", "steps"):
        assert summaries[0][key] == summaries[1][key]
    rows = [json.loads(line) for line in (tmp_path / "v-walt" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == [1, 2, 3, 4]
    assert max(row.get("skipped_samples", 0) for row in rows) >= 1
