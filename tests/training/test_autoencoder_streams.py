# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tokenizer's training on streams of videos and pictures."""

import json

import pytest
import torch
from stream_folders import folder, mp4, png

from hf_vdrep.training.autoencoder import main
from hf_vdrep.training.autoencoder_config import AutoencoderTrainConfig
from hf_vdrep.training.autoencoder_stream import StreamTask


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("tokenizer")
    return folder(root / "clips", mp4, 8, "mp4", corrupt=(2,)), folder(root / "pictures", png, 6, "png")


def config(data, **changes):
    settings = {"data": str(data[0]), "image_data": str(data[1]), "image_fraction": 0.25, "lanes": 2, "seed": 2}
    settings |= {"resolution": 16, "batch_size": 4, "max_corrupt": 0.5, "eval_clips": 2, **changes}
    return AutoencoderTrainConfig(**settings)


def test_every_fourth_batch_is_of_pictures(data):
    task = StreamTask(config(data))
    batches = [task.batch(step, 0, 1) for step in range(8)]
    kinds = [all(name.endswith("png") for name in batch["ids"]) for batch in batches]
    assert sum(kinds) == 2 and kinds == [task.is_pictures(step) for step in range(8)]
    for batch, pictures in zip(batches, kinds, strict=True):
        length = batch["video"].shape[1]
        assert batch["video"].shape == (4, length, 16, 16, 3) and length in ((1,) if pictures else (1, 5, 9, 17))


def test_processes_see_together_what_one_sees_and_resume(data):
    whole = StreamTask(config(data))
    expected, positions = [whole.batch(step, 0, 1) for step in range(6)], []
    tasks = [StreamTask(config(data)) for _ in range(2)]
    for step in range(6):
        if step == 3:
            kept = json.loads(json.dumps(positions))
            tasks = [StreamTask(config(data)) for _ in range(2)]
            for task in tasks:
                task.seek(task.merge_positions(kept))
        shares = [tasks[rank].batch(step, rank, 2) for rank in range(2)]
        positions = [share["position"] for share in shares]
        together = torch.stack([share["video"] for share in shares], 1).flatten(0, 1)
        assert torch.equal(together, expected[step]["video"])
        assert sum(share["skipped"] for share in shares) == expected[step]["skipped"]


def test_a_whole_run_on_videos_and_pictures_resumes(tmp_path, data, tiny_vae_config, monkeypatch):
    """Interrupted in the middle: the same weights as without, to the bit."""
    from safetensors.torch import load_file

    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    pairs = [f"{key}={json.dumps(value)}" for key, value in tiny_vae_config.items()]
    argv = ["--data", str(data[0]), "--image-data", str(data[1]), "--image-fraction", "0.25", "--lanes", "2"]
    argv += ["--max-corrupt", "0.5", "--eval-clips", "2", "--stats-clips", "3", "--resolution", "16", "--cpu"]
    argv += ["--model", *pairs, "--batch-size", "2", "--warmup-steps", "1", "--mixed-precision", "no"]
    argv += ["--lr-schedule", "constant_with_warmup", "--log-every", "1"]
    for name, lengths in (("straight", ["6"]), ("broken", ["3", "6"])):
        for steps in lengths:
            assert main([*argv, "--output-dir", str(tmp_path / name), "--steps", steps, "--debug"]) == 0
    one, other = (load_file(tmp_path / name / "checkpoint-6" / "model.safetensors") for name in ("straight", "broken"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert json.loads((tmp_path / "broken" / "checkpoint-6" / "position-0.json").read_text())["step"] == 6
    assert json.loads((tmp_path / "straight" / "summary.json").read_text())["psnr"] > 3


def test_pictures_belong_in_image_data(data):
    task = StreamTask(config((data[1], None), image_data=None, image_fraction=0.0, lengths=[5], length_weights=[1.0]))
    with pytest.raises(ValueError, match="pictures belong in image_data"):
        task.batch(0, 0, 1)
    with pytest.raises(ValueError, match="lengths must not exceed num_frames=9, got"):
        StreamTask(config(data, num_frames=9))


def test_a_missing_validation_split_is_found_before_training(data, tmp_path):
    """Not hours later, at the first validation."""
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "0.mp4").write_bytes(mp4(0))
    alone = {"lanes": 1, "image_data": None, "image_fraction": 0.0}
    with pytest.raises(ValueError, match=r"split must be a folder under.*train_split=train/fit .* keeps 5 %"):
        StreamTask(config((tmp_path, data[1]), **alone))
    # One file in twenty of one file: none.
    with pytest.raises(ValueError, match="eval_split must hold a sample, got none in train/select of"):
        StreamTask(config((tmp_path, data[1]), **alone, eval_split="train/select"))
