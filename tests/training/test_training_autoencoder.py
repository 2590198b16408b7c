# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tokenizer's training: batches, PSNR, latent statistics, and a whole tiny run."""

import json
import math

import numpy as np
import pytest
import torch

from hf_vdrep.training.autoencoder import (
    AutoencoderTask,
    AutoencoderTrainConfig,
    ReconstructionObjective,
    latent_statistics,
    main,
    replace_folder,
)
from hf_vdrep.training.pixels import psnr, to_pixel_values


def test_psnr_has_the_closed_form():
    """A constant error of a on [-1, 1] is a/2 on [0, 1]: PSNR = -20 log10(a/2)."""
    original = torch.zeros(2, 3, 1, 4, 4)
    off = original + torch.tensor([0.1, 0.5]).view(-1, 1, 1, 1, 1)
    expected = [-20 * math.log10(0.05), -20 * math.log10(0.25)]
    torch.testing.assert_close(psnr(off, original), torch.tensor(expected), rtol=1e-4, atol=1e-4)


def test_psnr_clamps_what_no_screen_can_show():
    assert float(psnr(torch.full((1, 3), 7.0), torch.ones(1, 3))) == pytest.approx(120)


def test_pixels_span_minus_one_to_one():
    video = torch.tensor([0, 255]).to(torch.uint8).view(1, 2, 1, 1, 1).expand(1, 2, 4, 4, 3)
    pixels = to_pixel_values(video)
    assert pixels.shape == (1, 3, 2, 4, 4)
    assert pixels[:, :, 0].eq(-1).all() and pixels[:, :, 1].eq(1).all()


def config(tmp_path, **changes):
    return AutoencoderTrainConfig(output_dir=str(tmp_path / "tokenizer"), batch_size=4, **changes)


def test_crops_are_frames_of_the_clip_they_name(tmp_path, clips):
    task = AutoencoderTask(config(tmp_path), clips, clips[:1])
    lengths = set()
    for step in range(12):
        batch = task.batch(step, 0, 1)
        length = batch["video"].shape[1]
        lengths.add(length)
        for video, index in zip(batch["video"].numpy(), batch["ids"], strict=True):
            starts = range(17 - length + 1)
            assert any(np.array_equal(video, clips[index, start : start + length]) for start in starts)
    assert lengths <= {1, 5, 9, 17} and len(lengths) > 1


def test_shards_together_are_the_whole_batch(tmp_path, clips):
    task = AutoencoderTask(config(tmp_path), clips, clips[:1])
    whole = task.batch(5, 0, 1)["video"]
    shards = [task.batch(5, part, 2)["video"] for part in range(2)]
    assert torch.equal(torch.stack(shards, 1).flatten(0, 1), whole)


def test_loss_is_l1_plus_l2_on_pixels():
    class Grey(torch.nn.Module):
        def forward(self, pixels):
            return type("Output", (), {"sample": torch.zeros_like(pixels)})

    white = {"video": torch.full((1, 1, 2, 2, 3), 255, dtype=torch.uint8)}
    loss, figures = ReconstructionObjective(Grey(), 1.0, 0.5)(white)
    assert float(loss) == 1.5 and float(figures["l1"]) == float(figures["l2"]) == 1


def test_normalised_latents_have_zero_mean_and_unit_variance(tiny_vae, clips):
    """WALT Table 3e: latents are normalised per channel. One-frame clips leave no choice of frame: exact moments."""
    stills = clips[:, :1]
    mean, std = latent_statistics(tiny_vae, stills, seed=0, batch_size=4)
    with torch.no_grad():
        latents = tiny_vae.encode(to_pixel_values(torch.from_numpy(stills))).latent_dist.mode()
    normalised = (latents - torch.tensor(mean).view(1, -1, 1, 1, 1)) / torch.tensor(std).view(1, -1, 1, 1, 1)
    torch.testing.assert_close(normalised.mean((0, 2, 3, 4)), torch.zeros(4), rtol=0, atol=1e-4)
    torch.testing.assert_close(normalised.var((0, 2, 3, 4), correction=0), torch.ones(4), rtol=0, atol=1e-3)


def test_a_whole_run_saves_what_loads(tmp_path, stand_in_world, tiny_vae_config):
    """Train, resume to more steps, load `vae/`; loss falls and statistics are in the config."""
    from hf_vdrep.models import AutoencoderWalt

    pairs = [f"{key}={json.dumps(value)}" for key, value in tiny_vae_config.items()]
    argv = ["--output-dir", str(tmp_path / "tokenizer"), "--model", *pairs, "--resolution", "16", "--cpu"]
    argv += ["--pool-size", "8", "--eval-clips", "2", "--stats-clips", "4", "--batch-size", "4", "--lr", "0.01"]
    argv += ["--warmup-steps", "2", "--log-every", "1", "--mixed-precision", "no", "--weight-decay", "0"]
    assert main([*argv, "--steps", "4", "--debug"]) == 0
    assert main([*argv, "--steps", "12", "--debug"]) == 0
    vae = AutoencoderWalt.from_pretrained(tmp_path / "tokenizer" / "vae")
    assert len(vae.config.latents_std) == 4 and min(vae.config.latents_std) > 0
    records = [json.loads(line) for line in (tmp_path / "tokenizer" / "log.jsonl").read_text().splitlines()]
    losses = [record["loss"] for record in records if "loss" in record]
    assert len(losses) == 12 and np.mean(losses[-3:]) < np.mean(losses[:3])
    assert (tmp_path / "tokenizer" / "loss.png").read_bytes().startswith(b"\x89PNG")
    summary = json.loads((tmp_path / "tokenizer" / "summary.json").read_text())
    assert summary["clips"] == 48 and summary["psnr"] > 5


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--lengths", "4"], "length_weights must match lengths"),
        (["--lengths", "1", "5", "--length-weights", "0", "0"], "length_weights must not be negative nor all 0"),
        (["--stats-clips", "0"], "stats_clips must be at least 1, got 0"),
        (["--lengths", "4", "--length-weights", "1"], "lengths must be 1 + 4k, got [4]"),
        (["--resume", "nowhere"], "resume must be auto, none or a folder with checkpoints, got nowhere"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(tmp_path, stand_in_world, capsys, flags, message):
    argv = ["--output-dir", str(tmp_path / "t"), "--cpu", "--mixed-precision", "no", "--pool-size", "2"]
    model = ["--model", "block_out_channels=[8,8,8,8]", "norm_num_groups=4", "layers_per_block=0"]
    assert main([*argv, "--eval-clips", "1", "--resolution", "16", *model, *flags]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and "Traceback" not in error


def test_a_folder_is_replaced_whole(tmp_path):
    target = tmp_path / "vae"
    target.mkdir()
    (target / "old").touch()

    def fill(path):
        path.mkdir()
        (path / "new").touch()
        assert (target / "old").exists()

    replace_folder(target, fill)
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["vae"]
