# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training the decoder alone: reconstructions improve, latents stay to the bit."""

import copy
import json

import pytest
import torch
from safetensors import safe_open

from hf_vdrep.models import AutoencoderWalt
from hf_vdrep.training.autoencoder import main
from hf_vdrep.training.pixels import psnr, to_pixel_values


@pytest.fixture
def start(tmp_path, tiny_vae):
    """The tokenizer as it is shipped: in half precision."""
    folder = tmp_path / "start"
    copy.deepcopy(tiny_vae).to(torch.float16).save_pretrained(folder)
    return folder


def run(tmp_path, start, *more):
    argv = ["--output-dir", str(tmp_path / "tuned"), "--resolution", "16", "--cpu", "--mixed-precision", "no"]
    argv += ["--pool-size", "8", "--eval-clips", "2", "--batch-size", "4", "--lr", "0.003", "--warmup-steps", "1"]
    argv += ["--init-from", str(start), "--train-only", "decoder", "--storage-dtype", "float16", "--steps", "12"]
    return main([*argv, "--ema-decay", "0.5", *more, "--debug"])


def test_a_decoder_alone_improves_and_the_latents_stay(tmp_path, stand_in_world, start, clips):
    """Bit-identical encoder weights and statistics, so that a denoiser trained on the latents fits as before."""
    assert run(tmp_path, start) == 0
    before, after = (AutoencoderWalt.from_pretrained(path).eval() for path in (start, tmp_path / "tuned" / "vae"))
    kept = before.encoder.state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in after.encoder.state_dict().items())
    assert after.config.latents_mean == before.config.latents_mean
    assert after.config.latents_std == before.config.latents_std
    pixels = to_pixel_values(torch.from_numpy(clips))
    with torch.no_grad():
        latents = [vae.encode(pixels).latent_dist.mode() for vae in (before, after)]
        scores = [
            psnr(vae.decode(own).sample, pixels).mean() for vae, own in zip((before, after), latents, strict=True)
        ]
    assert torch.equal(*latents)
    assert scores[1] > scores[0] + 0.5
    summary = json.loads((tmp_path / "tuned" / "summary.json").read_text())
    assert summary["latents_std"] == before.config.latents_std
    with safe_open(tmp_path / "tuned" / "checkpoint-12" / "ema.safetensors", "pt") as file:
        assert all(name.startswith("decoder.") for name in file.offset_keys()), "what does not train is not averaged"


@pytest.mark.parametrize("missing", ["init_from", "statistics"])
def test_a_decoder_alone_needs_a_finished_tokenizer(tmp_path, stand_in_world, tiny_vae_config, capsys, missing):
    argv = ["--output-dir", str(tmp_path / "t"), "--cpu", "--mixed-precision", "no", "--train-only", "decoder"]
    if missing == "statistics":
        AutoencoderWalt(**tiny_vae_config).save_pretrained(tmp_path / "raw")
        argv += ["--init-from", str(tmp_path / "raw")]
    assert main([*argv, "--resolution", "16", "--pool-size", "2", "--eval-clips", "1"]) == 2
    assert "error: init_from must" in capsys.readouterr().err
