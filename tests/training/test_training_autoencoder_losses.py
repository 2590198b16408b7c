# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tokenizer's training with every loss on: it learns, resumes to the bit, and refuses what cannot run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import ViTConfig, ViTModel

from hf_vdrep.models import AutoencoderWalt
from hf_vdrep.training.autoencoder import AutoencoderTrainConfig, ReconstructionObjective, main
from hf_vdrep.training.autoencoder_parts import build_autoencoder
from hf_vdrep.training.state import pack_optimizer, unpack_optimizer


@pytest.fixture
def argv(tmp_path: Path, tiny_vae_config: dict, stand_in_world) -> list[str]:
    """Arguments of a run with L1, L2, perceptual and adversarial loss, R1 and LeCAM; 16x16 clips."""
    torch.manual_seed(0)
    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    ViTModel(ViTConfig(**small, image_size=16, patch_size=8)).save_pretrained(tmp_path / "vit")
    pairs = [f"{key}={json.dumps(value)}" for key, value in tiny_vae_config.items()]
    words = ["--model", *pairs, "--resolution", "16", "--cpu", "--mixed-precision", "no", "--debug"]
    words += ["--pool-size", "8", "--eval-clips", "2", "--stats-clips", "2", "--batch-size", "4", "--lr", "0.01"]
    words += ["--warmup-steps", "1", "--log-every", "1", "--weight-decay", "0", "--cache-dir", str(tmp_path / "cache")]
    words += ["--perceptual-model", str(tmp_path / "vit"), "--adversarial-weight", "0.1", "--adversarial-start", "2"]
    words += ["--discriminator", "base_channels=4", "multipliers=[2,2,2]", "--lecam-weight", "0.05", "--r1-every", "2"]
    return words


def records(folder: Path) -> list[dict]:
    found = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [record for record in found if "loss" in record]


def test_all_losses_fall_together_and_resume_to_the_bit(argv: list[str], tmp_path: Path):
    """Weights, averages, both optimisers, LeCAM's means and the generators come back exactly."""
    straight, resumed = tmp_path / "straight", tmp_path / "resumed"
    run = [*argv, "--steps", "10", "--save-every", "5", "--length-weights", "1", "1", "0", "0"]
    assert main([*run, "--output-dir", str(straight)]) == 0
    shutil.copytree(straight / "checkpoint-5", resumed / "checkpoint-5")
    assert main([*run, "--output-dir", str(resumed)]) == 0
    files = ("model", "ema", "optimizer", "discriminator", "discriminator-optimizer")
    for name in files:
        first, second = (load_file(folder / "checkpoint-10" / f"{name}.safetensors") for folder in (straight, resumed))
        assert first.keys() == second.keys() and first
        assert all(torch.equal(first[key], second[key]) for key in first), name
    states = [json.loads((f / "checkpoint-10" / "state.json").read_text())["companion"] for f in (straight, resumed)]
    assert states[0] == states[1] and states[0]["steps"] == 10 and None not in states[0]["lecam"]
    log = records(straight)
    assert "gan" not in log[1] and {"l1", "l2", "perceptual", "gan", "d_loss", "d_lecam", "d_r1"} <= log[2].keys()
    assert "d_r1" not in log[3]
    assert np.mean([r["l1"] for r in log[-3:]]) < np.mean([r["l1"] for r in log[:3]])
    assert np.mean([r["perceptual"] for r in log[-3:]]) < np.mean([r["perceptual"] for r in log[:3]])
    vae = AutoencoderWalt.from_pretrained(straight / "vae")
    average = load_file(straight / "checkpoint-10" / "ema.safetensors")
    assert all(torch.equal(vae.state_dict()[name], value) for name, value in average.items())
    assert not any("discriminator" in name for name in vae.state_dict())


def test_moments_come_back_as_their_parameter_lies():
    """A fused optimiser walks through raw memory; moments in other order than the kernel are scrambled."""
    kernel = torch.randn(4, 3, 2, 3, 3).contiguous(memory_format=torch.channels_last_3d)
    twins = [torch.nn.Parameter(kernel.clone()) for _ in range(2)]
    optimizers = [torch.optim.AdamW([twin], lr=0.1, fused=True) for twin in twins]
    for step in range(2):
        for twin, optimizer in zip(twins, optimizers, strict=True):
            twin.grad = torch.sin(kernel + step)
            optimizer.step()
        tensors, groups = pack_optimizer(optimizers[0])
        stored = {name: value.clone(memory_format=torch.contiguous_format) for name, value in tensors.items()}
        unpack_optimizer(optimizers[1], stored, groups)
    assert torch.equal(*twins)


def test_the_terms_add_up_with_their_weights(tiny_vae: AutoencoderWalt, clips: np.ndarray):
    class Half(torch.nn.Module):
        def forward(self, reconstruction, original):
            return (reconstruction - original).abs().mean() * 0 + 0.5

    class Judge:
        active = True

        def challenge(self, real, fake):
            assert real.shape == fake.shape == (2, 3, 5, 16, 16)
            return torch.tensor(2.0)

    objective = ReconstructionObjective(
        tiny_vae, 1.0, 0.0, perceptual=Half(), perceptual_weight=0.1, adversary=Judge(), adversarial_weight=0.25
    )
    loss, figures = objective({"video": torch.from_numpy(clips[:2, :5])})
    assert loss.item() == pytest.approx(float(figures["l1"]) + 0.05 + 0.5, rel=1e-6)
    assert not [name for name, _ in objective.named_parameters() if not name.startswith("model.")]


def test_gradient_checkpointing_trains_the_same(argv: list[str], tmp_path: Path):
    weights = []
    for flag in ("--no-gradient-checkpointing", "--gradient-checkpointing"):
        folder = tmp_path / flag
        assert (
            main([*argv, "--steps", "3", "--output-dir", str(folder), flag, "--length-weights", "0", "1", "0", "0"])
            == 0
        )
        weights.append(load_file(folder / "checkpoint-3" / "model.safetensors"))
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, rtol=1e-4, atol=1e-6)


def config(**changes) -> AutoencoderTrainConfig:
    return AutoencoderTrainConfig(**changes)


def test_a_preset_is_the_named_first_stage_with_changes():
    with torch.device("meta"):
        model = build_autoencoder(config(preset="tiny", model={"latent_channels": 4}))
    assert model.config.block_out_channels == [16, 32, 64, 96] and model.config.latent_channels == 4


def test_training_starts_from_an_inflated_image_tokenizer(tmp_path: Path, tiny_vae_config: dict):
    flat = {**tiny_vae_config, "temporal_kernel_sizes": 1, "temporal_downsample": [False] * 3}
    image = build_autoencoder(config(model=flat))
    image.save_pretrained(tmp_path)
    video = build_autoencoder(config(model=tiny_vae_config, init_from=str(tmp_path)))
    assert video.temporal_compression_ratio == 4
    assert torch.equal(video.encoder.conv_in.weight[:, :, -1:], image.encoder.conv_in.weight)
    as_it_is = build_autoencoder(config(init_from=str(tmp_path)))
    assert as_it_is.temporal_compression_ratio == 1
    with pytest.raises(ValueError, match=r"init_from must fit the model, .* \(latent_channels 4 there, 8 wanted\)"):
        build_autoencoder(config(model={**tiny_vae_config, "latent_channels": 8}, init_from=str(tmp_path)))
    with pytest.raises(ValueError, match=r"init_from must be a saved AutoencoderWalt, got .*nowhere"):
        build_autoencoder(config(init_from=str(tmp_path / "nowhere")))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "latent_chanels=4"], "model has unknown arguments ['latent_chanels']; known: ['block_out"),
        (["--discriminator", "widht=4"], "discriminator must hold arguments of VideoDiscriminator, got an unexpected"),
        (["--preset", "k400"], "name must be one of ['imagenet'"),
        (["--r1-every", "0"], "r1_every must be at least 1, got 0"),
        (["--lecam-decay", "1"], "lecam_decay must lie in [0, 1), got 1"),
        (["--perceptual-weight", "-1"], "perceptual_weight must not be negative, got -1.0"),
        (["--discriminator-betas", "0.5"], "discriminator_betas must be two numbers, got [0.5]"),
        (["--perceptual-model", "/nowhere/at/all"], "perceptual_model must be a transformers vision model, got /nowhe"),
    ],
)
def test_a_setting_that_cannot_run_is_one_line(argv: list[str], tmp_path: Path, capsys, flags, message):
    words = [word for word in argv if word != "--debug"]
    assert main([*words, "--output-dir", str(tmp_path / "run"), *flags]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"error: {message}")
