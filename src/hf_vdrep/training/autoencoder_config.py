# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Settings of the tokenizer's training."""

from dataclasses import dataclass, field
from typing import Any

from .config import option
from .data_config import DataConfig
from .loop_config import LoopConfig

_NOT_NEGATIVE = ("l1_weight", "l2_weight", "perceptual_weight", "adversarial_weight", "r1_weight", "lecam_weight")


@dataclass
class AutoencoderTrainConfig(DataConfig, LoopConfig):
    """Settings of `train_autoencoder`."""

    output_dir: str = option("runs/tokenizer", "folder for config, log, checkpoints and vae/")
    preset: str | None = option(None, "named first stage to start from, e.g. k600 or tiny; `model` overrides it")
    model: dict[str, Any] = field(default_factory=lambda: {}, metadata={"help": "arguments of AutoencoderWalt"})
    init_from: str | None = option(None, "tokenizer whose weights to start from; a 2-D one is inflated to `model`")
    train_only: str = option(
        "all", "decoder: the encoder of init_from and its latents stay as they are", choices=["all", "decoder"]
    )
    gradient_checkpointing: bool = option(False, "recompute blocks in the backward pass: less memory, more time")
    lengths: list[int] = field(
        default_factory=lambda: [1, 5, 9, 17],
        metadata={"help": "frames of a batch, 1 + 4k"},
    )
    length_weights: list[float] = field(
        default_factory=lambda: [1.0, 1.0, 1.0, 3.0], metadata={"help": "relative frequency of each length"}
    )
    l1_weight: float = option(1.0, "weight of mean |error| on [-1, 1] pixels")
    l2_weight: float = option(1.0, "weight of mean squared error on [-1, 1] pixels")
    perceptual_weight: float = option(0.1, "weight of the perceptual loss; it needs perceptual_model")
    perceptual_model: str | None = option(None, "transformers encoder (folder or Hub id) of the perceptual loss")
    perceptual_layers: list[int] = field(
        default_factory=lambda: [-1], metadata={"help": "hidden states that the perceptual loss compares"}
    )
    perceptual_size: int | None = option(None, "side of the frames that the encoder sees; default: its own")
    adversarial_weight: float = option(0.0, "weight of the non-saturating GAN loss; 0: no discriminator")
    adversarial_start: int = option(0, "optimiser step from which the discriminator trains and is heard")
    discriminator: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "arguments of VideoDiscriminator (base_channels, multipliers)"}
    )
    discriminator_lr: float = option(1e-4, "peak learning rate of the discriminator's Adam, on the same schedule")
    discriminator_betas: list[float] = field(default_factory=lambda: [0.0, 0.99], metadata={"help": "its betas"})
    r1_weight: float = option(10.0, "R1: half of this times the squared gradient norm at real clips; 0: none")
    r1_every: int = option(1, "R1 only every n-th step, n times as strong")
    lecam_weight: float = option(0.0, "weight of the LeCAM regulariser; 0: none")
    lecam_decay: float = option(0.999, "decay of LeCAM's running means")
    stats_clips: int = option(1024, "training clips behind latents_mean and latents_std")
    storage_dtype: str = option("float32", "dtype of the saved weights", choices=["float32", "bfloat16", "float16"])

    def check(self, parts: int = 1) -> None:
        super().check(parts)
        self.check_data()
        if self.train_only == "decoder" and not self.init_from:
            raise ValueError("init_from must name the tokenizer whose decoder is trained alone, got nothing")
        if len(self.lengths) != len(self.length_weights) or not self.lengths:
            raise ValueError(f"length_weights must match lengths {self.lengths}, got {self.length_weights}")
        if min(self.length_weights) < 0 or sum(self.length_weights) <= 0:
            raise ValueError(f"length_weights must not be negative nor all 0, got {self.length_weights}")
        if self.adversarial_start < 0:
            raise ValueError(f"adversarial_start must not be negative, got {self.adversarial_start}")
        if self.stats_clips < 1:
            raise ValueError(f"stats_clips must be at least 1, got {self.stats_clips}")
        for name in _NOT_NEGATIVE:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.r1_every < 1:
            raise ValueError(f"r1_every must be at least 1, got {self.r1_every}")
        if len(self.discriminator_betas) != 2:
            raise ValueError(f"discriminator_betas must be two numbers, got {self.discriminator_betas}")
        if not 0 <= self.lecam_decay < 1:
            raise ValueError(f"lecam_decay must lie in [0, 1), got {self.lecam_decay}")
        if any((length - 1) % 4 or length < 1 for length in self.lengths):
            raise ValueError(f"lengths must be 1 + 4k, got {self.lengths}")
