# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""transformers' Trainer on a head: it trains, saves folders of ours, and goes on from them."""

from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from tiny_heads import make
from transformers import Trainer, TrainingArguments

from hf_vdrep.heads import load_head


def trainer(folder: Path) -> Trainer:
    generator = torch.Generator().manual_seed(0)
    data: Any = [{"pixel_values": torch.rand(3, 32, 32, generator=generator), "labels": k % 2} for k in range(4)]
    arguments = TrainingArguments(
        str(folder), max_steps=2, per_device_train_batch_size=2, save_steps=1, learning_rate=1e-3, use_cpu=True,
        report_to=[], disable_tqdm=True,
    )  # fmt: skip
    return Trainer(make("image_classification").train(), arguments, train_dataset=data)


def test_a_training_that_goes_on_from_a_checkpoint_ends_where_the_whole_one_ends(tmp_path: Path):
    """The backbone is trained too; the Trainer reads checkpoints by the names in the files."""
    whole = trainer(tmp_path)
    whole.train()
    resumed = trainer(tmp_path)
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-1"))
    torch.testing.assert_close(resumed.model.state_dict(), whole.model.state_dict())
    moved = whole.model.walt.transformer.patch_embed.weight - make("image_classification").get_input_embeddings().weight
    assert moved.abs().max() > 0
    saved = tmp_path / "checkpoint-2"
    torch.testing.assert_close(load_head(saved).state_dict(), whole.model.state_dict(), rtol=0, atol=0)
    denoiser = DiffusionPipeline.from_pretrained(saved).transformer
    torch.testing.assert_close(denoiser.state_dict(), whole.model.walt.transformer.state_dict(), rtol=0, atol=0)
