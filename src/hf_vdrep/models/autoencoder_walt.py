# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The WALT tokenizer: a causal 3-D convolutional autoencoder with real-valued latents (WALT §4.1, Table 8)."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import AutoencoderMixin, DecoderOutput, IdentityDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils.accelerate_utils import apply_forward_hook

from .autoencoder_decoder import WaltDecoder
from .autoencoder_encoder import WaltEncoder
from .autoencoder_layout import make_layout
from .autoencoder_streaming import chunks_of, regroup
from .autoencoder_tiling import Tiling
from .causal_conv import Cache


class AutoencoderWalt(ModelMixin, AutoencoderMixin, ConfigMixin):
    """Images and videos to one latent space; the first frame is encoded on its own, so an image is a one-frame video.

    The default arguments are WALT's 17x128x128 tokenizer (Table 8): 17x128x128x3 -> 5x16x16x8. The other columns are
    in `autoencoder_configs`.

    A clip is worked off in time order, frame 0 and then `num_latent_frames_batch_size` latent steps at a time, with a
    cache of the frames that the convolutions still look at. `encode`, `encode_stream` and `encode_chunk` (and their
    counterparts) run the same operations on the same shapes: they agree to the bit, as do the first latent frame of a
    clip and that frame encoded as an image. `use_framewise_encoding` and `use_framewise_decoding` set to False run a
    clip in one piece (equal to rounding, faster for a single small clip).

    Args:
        in_channels: pixel channels.
        out_channels: pixel channels.
        latent_channels: latent channels c.
        block_out_channels: width of every level, finest first.
        layers_per_block: residual blocks of every level (an int serves all levels).
        mid_block_layers: residual blocks at the coarsest level, after the encoder's and before the decoder's levels.
        temporal_downsample: for each step between levels, whether it halves time.
        spatial_downsample: for each step between levels, whether it halves height and width (None: every step).
        temporal_kernel_sizes: temporal kernel of every level (an int serves all levels).
        norm_num_groups: groups of the per-frame GroupNorm.
        latents_mean: per-channel mean of the training latents, length `latent_channels` (zeros if not given).
        latents_std: per-channel standard deviation (ones if not given).
    """

    _supports_gradient_checkpointing = True
    _no_split_modules = ["WaltResnetBlock", "DepthToSpaceUpsampler"]
    _skip_layerwise_casting_patterns = ["norm"]
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
        spatial_downsample: Sequence[bool] | None = None,
        temporal_kernel_sizes: int | Sequence[int] = 3,
        norm_num_groups: int = 32,
        latents_mean: Sequence[float] | None = None,
        latents_std: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        layout = make_layout(
            block_out_channels,
            layers_per_block,
            mid_block_layers,
            temporal_downsample,
            spatial_downsample,
            temporal_kernel_sizes,
            norm_num_groups,
        )
        for name, values in (("latents_mean", latents_mean), ("latents_std", latents_std)):
            if values is not None and len(values) != latent_channels:
                raise ValueError(f"{name} must have latent_channels={latent_channels} entries, got {len(values)}")
        self.encoder = WaltEncoder(in_channels, latent_channels, layout)
        self.decoder = WaltDecoder(out_channels, latent_channels, layout)
        self.spatial_compression_ratio = layout.spatial_ratio
        self.temporal_compression_ratio = layout.temporal_ratio
        self.use_slicing = False
        self.use_tiling = False
        self.use_framewise_encoding = True
        self.use_framewise_decoding = True
        self.num_latent_frames_batch_size = 1
        self.tile_sample_min_height = 256
        self.tile_sample_min_width = 256
        self.tile_storage_device: torch.device | None = None

    @classmethod
    def extract_init_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> tuple:
        """As in diffusers, but a field that this class does not know is an error: it would be another model."""
        known = cls._get_init_keys(cls) | {"auto_map", "quantization_config"}
        unknown = sorted(key for key in config_dict if key not in known and not key.startswith("_"))
        if unknown:
            raise ValueError(
                f"config has unknown fields {unknown}; known: {sorted(cls._get_init_keys(cls) - {'self'})}"
            )
        return super().extract_init_dict(config_dict, **kwargs)

    @classmethod
    def from_image_autoencoder(
        cls,
        image_autoencoder: "AutoencoderWalt | str | os.PathLike",
        temporal_downsample: Sequence[bool] | None = None,
        temporal_kernel_sizes: int | Sequence[int] = 3,
    ) -> "AutoencoderWalt":
        """A causal video tokenizer that starts as the given 2-D one; see `autoencoder_inflation.inflate`."""
        from .autoencoder_inflation import inflate

        given: Any = image_autoencoder
        image = given if isinstance(given, AutoencoderWalt) else cls.from_pretrained(given)
        return inflate(image, temporal_downsample, temporal_kernel_sizes)

    def enable_tiling(
        self,
        tile_sample_min_height: int | None = None,
        tile_sample_min_width: int | None = None,
        tile_storage_device: torch.device | str | None = None,
    ) -> None:
        """Cut every layer into tiles, with the result of the whole; see `autoencoder_tiling` for what is bounded.

        Args:
            tile_sample_min_height: a tile's height in positions of any layer's output; smaller inputs stay whole.
            tile_sample_min_width: and its width.
            tile_storage_device: where the maps between layers lie (default: on the input's device).

        Raises:
            ValueError: a tile smaller than one position.
        """
        for name, size in (("height", tile_sample_min_height), ("width", tile_sample_min_width)):
            if size is not None and size < 1:
                raise ValueError(f"tile_sample_min_{name} must be at least 1, got {size}")
        self.use_tiling = True
        self.tile_sample_min_height = tile_sample_min_height or self.tile_sample_min_height
        self.tile_sample_min_width = tile_sample_min_width or self.tile_sample_min_width
        self.tile_storage_device = None if tile_storage_device is None else torch.device(tile_storage_device)

    @apply_forward_hook
    def encode(self, sample: torch.Tensor, return_dict: bool = True) -> AutoencoderKLOutput | tuple:
        """Pixels to raw (not normalised) latents.

        Args:
            sample: (B, 3, T, H, W) in [-1, 1], T = 1 + k * temporal ratio, H and W multiples of the spatial ratio.
            return_dict: return an `AutoencoderKLOutput` rather than a tuple.

        Returns:
            Output whose `latent_dist` is a point: `.mode()` and `.sample()` are both (B, c, 1 + k, H/8, W/8).

        Raises:
            ValueError: wrong rank, channels, frame count, size or dtype.
        """
        self._check_pixels(sample)
        items = sample.split(1) if self.use_slicing else [sample]
        latents = torch.cat([self._encode(item) for item in items]) if len(items) > 1 else self._encode(items[0])
        posterior = IdentityDistribution(latents)
        return AutoencoderKLOutput(latent_dist=posterior) if return_dict else (posterior,)

    @apply_forward_hook
    def decode(self, latents: torch.Tensor, return_dict: bool = True) -> DecoderOutput | tuple:
        """Raw latents (B, c, 1 + k, h, w) to pixels (B, 3, 1 + 4k, 8h, 8w), about [-1, 1], not clamped."""
        self._check_latents(latents)
        items = latents.split(1) if self.use_slicing else [latents]
        sample = torch.cat([self._decode(item) for item in items]) if len(items) > 1 else self._decode(items[0])
        return DecoderOutput(sample=sample) if return_dict else (sample,)

    @apply_forward_hook
    def encode_chunk(self, sample: torch.Tensor, cache: Cache) -> tuple[torch.Tensor, Cache]:
        """Encode the next frames of a clip, given what the frames before left behind.

        Args:
            sample: (B, 3, n, H, W); n = 1 + 4k at the beginning, 4k after it.
            cache: `{}` at the beginning, then what the chunk before returned; it is not changed.

        Returns:
            (latents (B, c, n', H/8, W/8), cache for the next chunk).
        """
        self._check_pixels(sample, first=not cache)
        latents, following = self.encoder(_channels_last(sample), dict(cache), self._tiling(sample, 1))
        assert following is not None
        return latents, following

    @apply_forward_hook
    def decode_chunk(self, latents: torch.Tensor, cache: Cache) -> tuple[torch.Tensor, Cache]:
        """Decode the next latent steps of a clip (1 + k or k of them, at least one); counterpart of `encode_chunk`."""
        self._check_latents(latents)
        sample, following = self.decoder(
            _channels_last(latents), dict(cache), self._tiling(latents, self.spatial_compression_ratio)
        )
        assert following is not None
        return sample, following

    def encode_stream(self, pieces: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Latents of a video of any length, as its frames come, in memory that does not grow.

        Args:
            pieces: (B, 3, n, H, W) pixels in time order, any n, 1 + 4k frames in all.

        Yields:
            (B, c, n', H/8, W/8): the first latent frame, then one chunk after the other.
        """
        cache: Cache = {}
        run = self.temporal_compression_ratio * self.num_latent_frames_batch_size
        for chunk in regroup(pieces, run, self.temporal_compression_ratio, "pieces"):
            latents, cache = self.encode_chunk(chunk, cache)
            yield latents

    def decode_stream(self, pieces: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Pixels of latents (B, c, n, h, w) as they come; counterpart of `encode_stream`."""
        cache: Cache = {}
        for chunk in regroup(pieces, self.num_latent_frames_batch_size, 1, "pieces"):
            sample, cache = self.decode_chunk(chunk, cache)
            yield sample

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

    def _encode(self, sample: torch.Tensor) -> torch.Tensor:
        run = self.temporal_compression_ratio * self.num_latent_frames_batch_size
        tiling = self._tiling(sample, 1)
        return _in_chunks(self.encoder, sample, run if self.use_framewise_encoding else None, tiling)

    def _decode(self, latents: torch.Tensor) -> torch.Tensor:
        run = self.num_latent_frames_batch_size
        tiling = self._tiling(latents, self.spatial_compression_ratio)
        return _in_chunks(self.decoder, latents, run if self.use_framewise_decoding else None, tiling)

    def _tiling(self, input: torch.Tensor, scale: int) -> Tiling | None:
        height, width = self.tile_sample_min_height, self.tile_sample_min_width
        if not self.use_tiling or (input.shape[3] * scale <= height and input.shape[4] * scale <= width):
            return None
        return Tiling(height, width, input.device, self.tile_storage_device or input.device)

    def _check_pixels(self, sample: torch.Tensor, first: bool = True) -> None:
        space, time = self.spatial_compression_ratio, self.temporal_compression_ratio
        if sample.ndim != 5 or sample.shape[1] != self.config.in_channels:
            raise ValueError(f"sample must be (B, {self.config.in_channels}, T, H, W), got {tuple(sample.shape)}")
        if not sample.is_floating_point():
            raise ValueError(f"sample must be floating point in [-1, 1], got {sample.dtype}")
        if (sample.shape[2] - first) % time or not sample.shape[2]:
            wanted = f"1 + {time}k" if first else f"a multiple of {time}"
            raise ValueError(f"sample must have {wanted} frames, got {sample.shape[2]}")
        if sample.shape[3] % space or sample.shape[4] % space or not sample.shape[3] * sample.shape[4]:
            raise ValueError(
                f"sample height and width must be multiples of {space}, got {sample.shape[3]}x{sample.shape[4]}"
            )

    def _check_latents(self, latents: torch.Tensor) -> None:
        if latents.ndim != 5 or latents.shape[1] != self.config.latent_channels or not latents.numel():
            raise ValueError(f"latents must be (B, {self.config.latent_channels}, T, h, w), got {tuple(latents.shape)}")


def _in_chunks(half: Any, input: torch.Tensor, run: int | None, tiling: Tiling | None) -> torch.Tensor:
    """Encoder or decoder over a clip: in one piece, or its first frame and then `run` frames at a time."""
    if run is None or input.shape[2] == 1:
        return half(_channels_last(input), None, tiling)[0].to(input.device)
    cache: Cache = {}
    parts = []
    for chunk in chunks_of(input, run):
        part, cache = half(_channels_last(chunk), cache, tiling)
        parts.append(part.to(input.device))
    return torch.cat(parts, dim=2)


def _channels_last(sample: torch.Tensor) -> torch.Tensor:
    # Convolutions and the per-frame norm run on views of this layout without copies.
    return sample.contiguous(memory_format=torch.channels_last_3d)
