# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The WALT tokenizer: a causal 3-D convolutional autoencoder with real-valued latents (WALT §4.1, Table 8)."""

from collections.abc import Sequence

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import AutoencoderMixin, DecoderOutput, IdentityDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils.accelerate_utils import apply_forward_hook

from .autoencoder_blocks import WaltDecoder, WaltEncoder


class AutoencoderWalt(ModelMixin, AutoencoderMixin, ConfigMixin):
    """Images and videos to one latent space; the first frame is encoded on its own, so an image is a one-frame video.

    The default arguments are WALT's 17x128x128 tokenizer (Table 8): 17x128x128x3 -> 5x16x16x8.

    Args:
        in_channels: pixel channels.
        out_channels: pixel channels.
        latent_channels: latent channels c.
        block_out_channels: width of every level, finest first.
        layers_per_block: residual blocks of every level (an int serves all levels).
        mid_block_layers: residual blocks at the coarsest level, after the encoder's and before the decoder's levels.
        temporal_downsample: for each step between levels, whether it also halves time; space always halves.
        temporal_kernel_sizes: temporal kernel of every level (an int serves all levels).
        norm_num_groups: groups of the per-frame GroupNorm.
        latents_mean: per-channel mean of the training latents, length `latent_channels` (zeros if not given).
        latents_std: per-channel standard deviation (ones if not given).
    """

    _supports_gradient_checkpointing = False
    _no_split_modules = ["WaltResnetBlock"]
    config_name = "config.json"

    @register_to_config
    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        latent_channels: int = 8,
        block_out_channels: Sequence[int] = (128, 256, 256, 512),
        layers_per_block: int | Sequence[int] = 4,
        mid_block_layers: int = 4,
        temporal_downsample: Sequence[bool] = (False, True, True),
        temporal_kernel_sizes: int | Sequence[int] = 3,
        norm_num_groups: int = 32,
        latents_mean: Sequence[float] | None = None,
        latents_std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        levels = len(block_out_channels)
        layers = _per_level("layers_per_block", layers_per_block, levels)
        kernels = _per_level("temporal_kernel_sizes", temporal_kernel_sizes, levels)
        if len(temporal_downsample) != levels - 1:
            raise ValueError(
                f"temporal_downsample must have one entry per step between levels ({levels - 1}), "
                f"got {len(temporal_downsample)}"
            )
        for name, values in (("latents_mean", latents_mean), ("latents_std", latents_std)):
            if values is not None and len(values) != latent_channels:
                raise ValueError(f"{name} must have latent_channels={latent_channels} entries, got {len(values)}")
        shared = (block_out_channels, layers, mid_block_layers, temporal_downsample, kernels, norm_num_groups)
        self.encoder = WaltEncoder(in_channels, latent_channels, *shared)
        self.decoder = WaltDecoder(out_channels, latent_channels, *shared)
        self.spatial_compression_ratio = 2 ** (levels - 1)
        self.temporal_compression_ratio = 2 ** sum(map(bool, temporal_downsample))
        self.use_slicing = False

    @apply_forward_hook
    def encode(self, sample: torch.Tensor, return_dict: bool = True) -> AutoencoderKLOutput | tuple:
        """Pixels to raw (not normalised) latents.

        Args:
            sample: (B, 3, T, H, W) in [-1, 1], T = 1 + k * temporal ratio, H and W multiples of the spatial ratio.
            return_dict: return an `AutoencoderKLOutput` rather than a tuple.

        Returns:
            Output whose `latent_dist` is a point: `.mode()` and `.sample()` are both (B, c, 1 + k, H/8, W/8).

        Raises:
            ValueError: wrong rank, channels, frame count or size.
        """
        self._check_pixels(sample)
        if self.use_slicing and sample.shape[0] > 1:
            latents = torch.cat([self.encoder(_channels_last(item)) for item in sample.split(1)])
        else:
            latents = self.encoder(_channels_last(sample))
        posterior = IdentityDistribution(latents)
        return AutoencoderKLOutput(latent_dist=posterior) if return_dict else (posterior,)

    @apply_forward_hook
    def decode(self, latents: torch.Tensor, return_dict: bool = True) -> DecoderOutput | tuple:
        """Raw latents (B, c, 1 + k, h, w) to pixels (B, 3, 1 + 4k, 8h, 8w), about [-1, 1], not clamped."""
        if latents.ndim != 5 or latents.shape[1] != self.config.latent_channels:
            raise ValueError(f"latents must be (B, {self.config.latent_channels}, T, h, w), got {tuple(latents.shape)}")
        if self.use_slicing and latents.shape[0] > 1:
            sample = torch.cat([self.decoder(_channels_last(item)) for item in latents.split(1)])
        else:
            sample = self.decoder(_channels_last(latents))
        return DecoderOutput(sample=sample) if return_dict else (sample,)

    def forward(
        self,
        sample: torch.Tensor,
        sample_posterior: bool = False,
        return_dict: bool = True,
        generator: torch.Generator | None = None,
    ) -> DecoderOutput | tuple:
        """Reconstruct (B, 3, T, H, W) pixels."""
        posterior = self.encode(sample).latent_dist
        latents = posterior.sample(generator=generator) if sample_posterior else posterior.mode()
        return self.decode(latents, return_dict=return_dict)

    def normalize(self, latents: torch.Tensor) -> torch.Tensor:
        """Raw latents to zero mean and unit variance per channel, what the denoiser is trained on (WALT Table 3e)."""
        mean, std = self._statistics(latents)
        return (latents - mean) / std

    def denormalize(self, latents: torch.Tensor) -> torch.Tensor:
        """Inverse of `normalize`."""
        mean, std = self._statistics(latents)
        return latents * std + mean

    def _statistics(self, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        channels = self.config.latent_channels
        mean = like.new_tensor(self.config.latents_mean or [0.0] * channels)
        std = like.new_tensor(self.config.latents_std or [1.0] * channels)
        return mean.view(1, -1, 1, 1, 1), std.view(1, -1, 1, 1, 1)

    def _check_pixels(self, sample: torch.Tensor) -> None:
        space, time = self.spatial_compression_ratio, self.temporal_compression_ratio
        if sample.ndim != 5 or sample.shape[1] != self.config.in_channels:
            raise ValueError(f"sample must be (B, {self.config.in_channels}, T, H, W), got {tuple(sample.shape)}")
        if (sample.shape[2] - 1) % time:
            raise ValueError(f"sample must have 1 + {time}k frames, got {sample.shape[2]}")
        if sample.shape[3] % space or sample.shape[4] % space:
            raise ValueError(
                f"sample height and width must be multiples of {space}, got {sample.shape[3]}x{sample.shape[4]}"
            )


def _per_level(name: str, value: int | Sequence[int], levels: int) -> list[int]:
    values = [value] * levels if isinstance(value, int) else list(value)
    if len(values) != levels:
        raise ValueError(f"{name} must be an int or have one entry per level ({levels}), got {len(values)}")
    return values


def _channels_last(sample: torch.Tensor) -> torch.Tensor:
    # Convolutions and the per-frame norm run on views of this layout without copies.
    return sample.contiguous(memory_format=torch.channels_last_3d)
