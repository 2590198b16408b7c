# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The networks of the tokenizer's training, from its settings."""

from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator

from .adversarial import Adversary
from .autoencoder_config import AutoencoderTrainConfig
from .discriminator import VideoDiscriminator
from .perceptual import PerceptualLoss
from .stream import derive_seed

if TYPE_CHECKING:
    from ..models import AutoencoderWalt

_STATISTICS = ("latents_mean", "latents_std")


def build_autoencoder(config: AutoencoderTrainConfig) -> "AutoencoderWalt":
    """The tokenizer to train; its kernels lie channels-last, which the CPU's convolutions need to be fast.

    Raises:
        ValueError: unknown preset or argument, `init_from` does not fit, or it has no statistics for a decoder alone.
    """
    from ..models import AutoencoderWalt, autoencoder_config

    arguments = {**(autoencoder_config(config.preset) if config.preset else {}), **config.model}
    known = set(AutoencoderWalt._get_init_keys(AutoencoderWalt)) - {"self"}
    if unknown := sorted(set(arguments) - known):
        raise ValueError(f"model has unknown arguments {unknown}; known: {sorted(known)}")
    torch.manual_seed(derive_seed("weights", config.seed))
    model = initialised(config.init_from, arguments) if config.init_from else AutoencoderWalt(**arguments)
    if config.train_only == "decoder":
        if model.config.latents_std is None:
            raise ValueError(f"init_from must hold latents_mean and latents_std, got {config.init_from} without them")
        model.encoder.requires_grad_(False)
    if config.gradient_checkpointing:
        model.enable_gradient_checkpointing()
    return model.to(memory_format=torch.channels_last_3d)


def initialised(path: str, arguments: dict[str, Any]) -> "AutoencoderWalt":
    """The tokenizer at `path`, inflated where `arguments` ask for time and it has none.

    Raises:
        ValueError: nothing loadable there, or widths and depths differ from `arguments`.
    """
    from ..models import AutoencoderWalt

    try:
        given = AutoencoderWalt.from_pretrained(path)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise ValueError(f"init_from must be a saved AutoencoderWalt, got {path} ({reason})") from error
    if not arguments:
        return given
    with torch.device("meta"):
        wanted = AutoencoderWalt(**arguments).config
    kernels = given.config.temporal_kernel_sizes
    flat = given.temporal_compression_ratio == 1 and max([kernels] if isinstance(kernels, int) else kernels) == 1
    if flat:
        given = AutoencoderWalt.from_image_autoencoder(given, wanted.temporal_downsample, wanted.temporal_kernel_sizes)
    names = sorted(name for name in wanted if not name.startswith("_") and name not in _STATISTICS)
    odd = [name for name in names if _plain(wanted[name]) != _plain(given.config[name])]
    if odd:
        pairs = ", ".join(f"{name} {_plain(given.config[name])} there, {_plain(wanted[name])} wanted" for name in odd)
        raise ValueError(f"init_from must fit the model, got {path} ({pairs})")
    return given


def make_perceptual(config: AutoencoderTrainConfig) -> PerceptualLoss | None:
    """The perceptual loss, if the settings name an encoder and give it weight."""
    if config.perceptual_model is None or not config.perceptual_weight:
        return None
    return PerceptualLoss.from_pretrained(config.perceptual_model, config.perceptual_layers, config.perceptual_size)


def make_adversary(config: AutoencoderTrainConfig, accelerator: Accelerator) -> Adversary | None:
    """The discriminator with its optimiser, if the adversarial loss has weight.

    Raises:
        ValueError: unknown argument of the discriminator.
    """
    if not config.adversarial_weight:
        return None
    torch.manual_seed(derive_seed("discriminator", config.seed))
    try:
        discriminator = VideoDiscriminator(config.resolution, **config.discriminator)
    except TypeError as error:
        reason = str(error).partition(") ")[2]
        raise ValueError(f"discriminator must hold arguments of VideoDiscriminator, {reason}") from error
    return Adversary(
        discriminator.to(memory_format=torch.channels_last_3d),  # type: ignore[call-overload]
        accelerator,
        lr=config.discriminator_lr,
        betas=(config.discriminator_betas[0], config.discriminator_betas[1]),
        start=config.adversarial_start,
        r1_weight=config.r1_weight,
        r1_every=config.r1_every,
        lecam_weight=config.lecam_weight,
        lecam_decay=config.lecam_decay,
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
