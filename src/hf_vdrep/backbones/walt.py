# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""V-WALT and I-WALT as frozen backbones (From Image to Video, §3: encode, add noise, one forward pass)."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from diffusers import DDIMScheduler

from ..models.autoencoder_walt import AutoencoderWalt
from ..models.scheduler_walt import make_scheduler
from ..models.transformer_walt import WaltTransformer3DModel
from .base import Backbone
from .feature_map import FeatureMap
from .fingerprint import fingerprint, public_config
from .floors import LatentBackbone
from .noise import sample_noise
from .random_init import randomize
from .walt_folder import load_scheduler, load_transformer, load_vae
from .walt_reading import WaltInputs, encode_videos, fold_frames, resolve_video_as
from .walt_sites import check_walt_site, read_walt_sites


class WaltBackbone(Backbone):
    """Features of a frozen WALT denoiser on noised latents.

    The class label is null and the self-condition zero. A clip of one frame is an image: one latent frame, which
    V-WALT passes through its spatiotemporal blocks by the identity rule.

    Args:
        vae: tokenizer.
        transformer: denoiser.
        scheduler: gives `add_noise`; WALT's own if None.
        video_as: how a video is read. "video": the clip's latents, together (V-WALT). As independent images:
            "stack", the clip's latents; "stride", the last frame of each latent step encoded alone; "frames", all
            frames encoded alone. "auto" is "video" for V-WALT, "stack" for I-WALT.
        name: short name for tables; "v-walt" or "i-walt" if None.
        site: where in a block: "block" its output; "norm" what goes into its attention, after normalisation and
            modulation; "middle" the stream between attention and MLP; "attention" and "mlp" what these add to it.

    Raises:
        ValueError: an unknown reading or site, or parts that do not fit.
    """

    uses_timestep = True
    can_stack = True

    def __init__(
        self,
        vae: AutoencoderWalt,
        transformer: WaltTransformer3DModel,
        scheduler: DDIMScheduler | None = None,
        video_as: str = "auto",
        name: str | None = None,
        site: str = "block",
    ) -> None:
        vae_config: Any = vae.config
        config: Any = transformer.config
        if vae_config.latent_channels != config.in_channels:
            raise ValueError(
                f"transformer must take the tokenizer's {vae_config.latent_channels} latent channels, "
                f"got in_channels={config.in_channels}"
            )
        self.vae: Any = vae.eval().requires_grad_(False)
        self.transformer: Any = transformer.eval().requires_grad_(False)
        self.scheduler: Any = scheduler if scheduler is not None else make_scheduler()
        self.video_as = resolve_video_as(video_as, config.objective)
        self.name = name or ("v-walt" if config.objective == "video" else "i-walt")
        self.num_layers = len(transformer.blocks)
        self.site: str = check_walt_site(site)
        self.stride = vae.spatial_compression_ratio * config.patch_size

    @classmethod
    def from_pretrained(
        cls, folder: str | os.PathLike[str], video_as: str = "auto", name: str | None = None, site: str = "block"
    ) -> "WaltBackbone":
        """Open a saved WALT pipeline (vae/, transformer/, scheduler/) in float32.

        Raises:
            OSError: a part is missing or unreadable.
        """
        return cls(load_vae(folder), load_transformer(folder), load_scheduler(folder), video_as, name, site)

    @classmethod
    def random_like(
        cls,
        folder: str | os.PathLike[str],
        seed: int = 0,
        video_as: str = "auto",
        name: str = "random",
        site: str = "block",
    ) -> "WaltBackbone":
        """The trained tokenizer with a denoiser of random weights: a floor for what training the denoiser adds."""
        transformer = randomize(load_transformer(folder), seed)
        return cls(load_vae(folder), transformer, load_scheduler(folder), video_as, name, site)

    def at(self, site: str) -> "WaltBackbone":
        """The same model, its features taken at another site; the weights are shared."""
        return WaltBackbone(self.vae, self.transformer, self.scheduler, self.video_as, self.name, site)

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]
        """Hash of the weights, the configs and the reading of videos; a site other than the output is added to it."""
        parts = {"vae": self.vae, "transformer": self.transformer}
        config = {key: public_config(part.config) for key, part in (*parts.items(), ("scheduler", self.scheduler))}
        found = fingerprint(parts, {**config, "video_as": self.video_as, "site": "block"})
        return found if self.site == "block" else f"{found}-{self.site}"

    @property
    def device(self) -> torch.device:
        return self.transformer.device

    def to(self, device: torch.device | str) -> "WaltBackbone":
        """Move the weights."""
        self.vae.to(device)
        self.transformer.to(device)
        return self

    @torch.inference_mode()
    def prepare(self, videos: torch.Tensor) -> WaltInputs:
        """Tokenize uint8 (B, T, H, W, 3), T = 1 + 4k (any T for "frames"), H and W multiples of the stride."""
        if videos.ndim == 5:
            self._check_frames(videos.shape[1])
        return encode_videos(self.vae, videos, self.video_as)

    @property
    def tokenizer(self) -> LatentBackbone:
        return LatentBackbone(self.vae, "stack" if self.video_as == "video" else self.video_as)

    def inputs_from(self, features: FeatureMap) -> WaltInputs:
        self._check_frames(int(features.frame_spans[-1, 1]))
        latents = features.values.permute(0, 4, 1, 2, 3).contiguous()
        return WaltInputs(latents.to(self.device), features.frame_spans)

    @torch.inference_mode()
    def extract(
        self,
        inputs: WaltInputs,
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        return [
            found
            for timestep in timesteps
            for found in self.extract_stacked(
                inputs, sample_ids=sample_ids, layers=layers, timesteps=[timestep], seed=seed
            )
        ]

    @torch.inference_mode()
    def extract_stacked(
        self,
        inputs: WaltInputs,
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        indices = self.resolve_layers(layers)
        self.check_timesteps(timesteps)
        if self.transformer.is_cache_enabled:
            raise ValueError("transformer must have no cache enabled, got one that skips blocks: call disable_cache()")
        noisy = torch.cat([self._noisy(inputs, sample_ids, timestep, seed) for timestep in timesteps])
        levels = torch.tensor(timesteps, device=noisy.device).repeat_interleave(len(inputs.latents))
        taken = [values.chunk(len(timesteps)) for values in self._forward(noisy, levels, indices)]
        return [
            FeatureMap(values[place], layer, timestep, inputs.frame_spans, self.stride, self.site)
            for place, timestep in enumerate(timesteps)
            for layer, values in zip(indices, taken, strict=True)
        ]

    def check_timesteps(self, timesteps: Sequence[int | None]) -> None:
        if not timesteps:
            raise ValueError("timesteps must name at least one noise level, got none")
        steps = self.scheduler.config.num_train_timesteps
        for timestep in timesteps:
            if timestep is None or not 0 <= timestep < steps:
                raise ValueError(f"timestep must lie in [0, {steps - 1}], got {timestep} (scheduler: {steps} steps)")

    def _check_frames(self, frames: int) -> None:
        most = 1 + self.vae.temporal_compression_ratio * (self.transformer.config.sample_frames - 1)
        if self.video_as == "video" and frames > most:
            raise ValueError(f"videos may have at most {most} frames, got {frames}")

    def _noisy(self, inputs: WaltInputs, sample_ids: Sequence[str], timestep: int | None, seed: int) -> torch.Tensor:
        """The latents with each sample's noise at one level."""
        clean = inputs.latents
        assert timestep is not None
        noise = sample_noise(clean.shape, seed=seed, sample_ids=sample_ids, timestep=timestep).to(clean.device)
        return self.scheduler.add_noise(clean, noise, torch.full((clean.shape[0],), timestep, device=clean.device))

    def _forward(self, noisy: torch.Tensor, levels: torch.Tensor, layers: list[int]) -> list[torch.Tensor]:
        """Features (B, T', H', W', D) of `layers`, each sample at its own level (B,), in one pass."""
        clips, frames, alone = len(noisy), noisy.shape[2], self.video_as != "video"
        if alone:
            noisy, levels = fold_frames(noisy), levels.repeat_interleave(frames)
        taken = read_walt_sites(
            lambda: self.transformer.forward_intermediates(noisy, levels, layers),
            [self.transformer.blocks[layer] for layer in layers],
            check_walt_site(self.site),
        )
        return [values.squeeze(1).unflatten(0, (clips, frames)) for values in taken] if alone else taken
