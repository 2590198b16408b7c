# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What is to be trained, as plans need to know it; read from a recipe or put together from options."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...models.autoencoder_configs import autoencoder_config
from ..autoencoder_config import AutoencoderTrainConfig
from ..config import from_dict, read_yaml
from ..walt_config import WaltTrainConfig
from .denoiser_shape import DenoiserShape
from .tokenizer_shape import TokenizerShape
from .work import StepWork, step_work

Clip = tuple[int, int, int]


@dataclass(frozen=True)
class DenoiserJob:
    """A training of WALT.

    Attributes:
        name: for people.
        shape: of the denoiser.
        steps, batch_size: optimiser steps, and items of each.
        clip: (frames, height, width) of a clip, pixels.
        tokenizer: that encodes them; None where latents are given.
        image_fraction: share of items that are stacks of images.
        self_condition: probability of a first estimate.
        checkpointing: of activations.
        half: autocast to 16 bit.
        text_length: tokens of text.
        pool: clips that are encoded once and kept; 0 encodes every item anew.
        latent_dtype: of kept latents.
        kept_pixels: rendered clips lie on disk too.
        eval_clips, evaluations: held-out clips, and how often they are scored at eight noise levels.
        keep, snapshots: checkpoints and averages that stay.
        storage_dtype: of the saved pipeline.
        assumed: what the settings do not say, in words.
    """

    name: str
    shape: DenoiserShape
    steps: int
    batch_size: int
    clip: Clip
    tokenizer: TokenizerShape | None
    image_fraction: float = 0.0
    self_condition: float = 0.9
    checkpointing: bool = False
    half: bool = True
    text_length: int = 128
    pool: int = 0
    latent_dtype: str = "float32"
    kept_pixels: bool = False
    eval_clips: int = 0
    evaluations: int = 0
    keep: int = 2
    snapshots: int = 0
    storage_dtype: str = "float32"
    assumed: list[str] = field(default_factory=list)

    @property
    def items(self) -> int:
        """Clips, or stacks of images, over the whole run."""
        return self.steps * self.batch_size

    @property
    def work(self) -> StepWork:
        """FLOPs of one item."""
        return step_work(
            self.shape,
            image_fraction=self.image_fraction,
            self_condition=self.self_condition,
            checkpointing=self.checkpointing,
            text_length=self.text_length,
        )


@dataclass(frozen=True)
class TokenizerJob:
    """A training of a tokenizer.

    Attributes:
        name: for people.
        shape: of the tokenizer.
        steps, batch_size: optimiser steps, and clips of each.
        lengths: frames of a batch -> share of the batches.
        size: (height, width) of the clips, pixels.
        checkpointing: of activations.
        adversarial: whether a discriminator trains along, which is not counted.
        kept_clips: rendered clips on disk, and the frames of each.
        keep: checkpoints that stay.
        storage_dtype: of the saved tokenizer.
    """

    name: str
    shape: TokenizerShape
    steps: int
    batch_size: int
    lengths: Mapping[int, float]
    size: tuple[int, int]
    checkpointing: bool = False
    adversarial: bool = False
    kept_clips: int = 0
    frames: int = 17
    keep: int = 2
    storage_dtype: str = "float32"

    @property
    def items(self) -> int:
        """Clips over the whole run."""
        return self.steps * self.batch_size

    @property
    def flops(self) -> float:
        """Mean of one clip, forward and backward; the first convolution's input needs no gradient."""
        return sum(share * self.clip_flops(frames) for frames, share in self.lengths.items())

    def clip_flops(self, frames: int) -> float:
        """Of one clip of so many frames."""
        clip = (frames, *self.size)
        forward = self.shape.encode_flops(*clip, training=True) + self.shape.decode_flops(*clip, training=True)
        first = next(iter(self.shape.encoder(clip))).flops(frames == 1)
        return (3 + self.checkpointing) * forward - first


def job_from_config(path: str | os.PathLike) -> DenoiserJob | TokenizerJob:
    """The job of a recipe or of a run's config.yaml.

    Raises:
        ValueError: no readable YAML, or settings of neither training.
    """
    values = read_yaml(path)
    known = {field.name for field in dataclasses.fields(AutoencoderTrainConfig)}
    if set(values) <= known and not {"objective", "vae"} & set(values):
        return _tokenizer_job(from_dict(AutoencoderTrainConfig, values, source=str(path)), Path(path).stem)
    return _denoiser_job(from_dict(WaltTrainConfig, values, source=str(path)), Path(path).stem)


def _tokenizer_job(config: AutoencoderTrainConfig, name: str) -> TokenizerJob:
    arguments = {**(autoencoder_config(config.preset) if config.preset else {}), **config.model}
    total = sum(config.length_weights)
    shares = {frames: weight / total for frames, weight in zip(config.lengths, config.length_weights, strict=True)}
    return TokenizerJob(
        name,
        TokenizerShape(arguments),
        config.steps,
        config.batch_size,
        shares,
        (config.resolution, config.resolution),
        checkpointing=config.activation_checkpointing or getattr(config, "gradient_checkpointing", False),
        adversarial=config.adversarial_weight > 0,
        kept_clips=config.pool_size + config.eval_clips if config.pooled else 0,
        frames=config.num_frames,
        keep=config.keep,
        storage_dtype=config.storage_dtype,
    )


def _denoiser_job(config: WaltTrainConfig, name: str) -> DenoiserJob:
    tokenizer, assumed = find_tokenizer(config.vae, config.resolution)
    clip = (config.num_frames, config.resolution, config.resolution)
    channels, frames, height, width = tokenizer.latent_shape(*clip)
    shape: dict[str, Any] = {"in_channels": channels, "sample_frames": frames, "sample_size": (height, width)}
    if config.init_from:
        shape |= find_start(config.init_from)
    if config.lora_rank:
        assumed.append("work and memory are those of training every weight: LoRA needs less")
    pool, unsure = _kept_clips(config)
    assumed += unsure
    every = config.eval_every or config.steps
    return DenoiserJob(
        name,
        DenoiserShape.of({**shape, **config.model, "objective": config.objective}),
        config.steps,
        config.batch_size,
        clip,
        tokenizer,
        image_fraction=config.image_fraction,
        self_condition=config.self_condition_probability,
        checkpointing=config.activation_checkpointing,
        half=config.mixed_precision != "no",
        text_length=config.text_length,
        pool=pool,
        latent_dtype="float32" if config.pooled else config.latent_dtype,
        kept_pixels=config.pooled,
        eval_clips=config.eval_clips,
        evaluations=-(-config.steps // every),
        keep=config.keep,
        snapshots=len(config.snapshots),
        storage_dtype=config.storage_dtype,
        assumed=assumed,
    )


def _kept_clips(config: WaltTrainConfig) -> tuple[int, list[str]]:
    """Clips whose latents are kept, 0 where none are, and a word where they cannot be told."""
    if config.pooled:
        return config.pool_size, []
    if not config.latent_cache:
        return 0, []
    unsure = ["the kept latents of image_data are not counted"] if config.image_data else []
    # Of a folder alone: others would be asked for over the network.
    if Path(config.data).is_dir() and not config.only_pictures:
        from ..data_sources import open_clips_data

        with contextlib.suppress(ValueError, OSError):
            size = open_clips_data(config, config.train_split).size
            if size is not None:
                return size, unsure
    return config.steps * config.batch_size, [
        *unsure,
        f"every item is another clip: {config.data} is not there to count",
    ]


def find_tokenizer(path: str, resolution: int) -> tuple[TokenizerShape, list[str]]:
    """The tokenizer of a folder; where it cannot be read, the one that such clips usually have, and a word on that."""
    for place in (Path(path), Path(path) / "vae", *_shipped(path)):
        try:
            return TokenizerShape(json.loads((place / "config.json").read_text())), []
        except (OSError, ValueError):
            continue
    preset = "tiny" if resolution <= 64 else "t2v-base"
    return TokenizerShape(autoencoder_config(preset)), [f"the tokenizer is {preset!r}: {path} is not there to read"]


def find_start(path: str) -> dict[str, Any]:
    """Arguments of the denoiser that a training goes on from; none where it cannot be read here."""
    parts = ("", "transformer", "pipeline/transformer")
    for place in (*(Path(path) / part for part in parts), *_shipped(path, "transformer")):
        try:
            values = json.loads((place / "config.json").read_text())
        except (OSError, ValueError):
            continue
        return {name: value for name, value in values.items() if not name.startswith("_")}
    return {}


def _shipped(name: str, part: str = "vae") -> list[Path]:
    from ...models import shipped

    return [shipped.path(name) / part] if name in shipped.names() else []
