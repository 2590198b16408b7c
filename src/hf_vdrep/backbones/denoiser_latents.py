# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A pipeline's own tokenizer: pixels to the latents that its denoiser was trained on."""

from typing import Any

import torch
import torch.nn.functional as F

from .frame_spans import causal_frame_spans

# Tokenizers of videos that cut a clip into equal parts; the others take the first frame alone.
_EVEN = ("AutoencoderKLAllegro",)


def encode(vae: Any, pixels: torch.Tensor, alone: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Normalised latents of a clip.

    Args:
        vae: tokenizer of the pipeline; None leaves pixels as they are.
        pixels: float (B, 3, T, H, W) in [-1, 1].
        alone: every frame is encoded as an image.

    Returns:
        (B, C, T', h, w), and int64 (T', 2): the frames of each step.

    Raises:
        ValueError: a number of frames that the tokenizer cannot take.
    """
    frames = pixels.shape[2]
    if alone and vae is not None and takes_clips(vae):
        images = pixels.transpose(1, 2).flatten(0, 1).unsqueeze(2)
        latents = normalise(vae, raw_latents(vae, images.to(vae.dtype))).squeeze(2)
        return latents.unflatten(0, (-1, frames)).transpose(1, 2).float(), causal_frame_spans(frames, 1)
    if vae is None or not takes_clips(vae):
        images = pixels.transpose(1, 2).flatten(0, 1)
        latents = images if vae is None else normalise(vae, raw_latents(vae, images.to(vae.dtype)))
        return latents.unflatten(0, (-1, frames)).transpose(1, 2).float(), causal_frame_spans(frames, 1)
    spans = _spans(vae, frames)
    latents = raw_latents(vae, pixels.to(vae.dtype))
    if latents.shape[2] != len(spans):
        raise ValueError(
            f"{type(vae).__name__} must give {len(spans)} steps for {frames} frames, got {latents.shape[2]}"
        )
    return normalise(vae, latents).float(), spans


def takes_clips(vae: Any) -> bool:
    """Whether a tokenizer takes clips (B, 3, T, H, W): its encoder convolves over time."""
    encoder = getattr(vae, "encoder", vae)
    return any(isinstance(module, torch.nn.Conv3d) for module in encoder.modules())


def raw_latents(vae: Any, pixels: torch.Tensor) -> torch.Tensor:
    """What the encoder puts out: the mode of its distribution; codes (B, 1, h, w) where the pipeline keeps codes."""
    out = vae.encode(pixels)
    if hasattr(out, "latent_dist"):
        return out.latent_dist.mode()
    latents = out.latent if hasattr(out, "latent") else out.latents
    if not vae.config.get("lookup_from_codebook", False):
        return latents
    codes = vae.quantize(latents)[2][2]
    return codes.view(latents.shape[0], 1, *latents.shape[2:]).to(latents)


def normalise(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Shift and scale as the pipeline does before it adds noise."""
    if vae.config.get("lookup_from_codebook", False):
        return latents
    if getattr(vae, "bn", None) is not None:
        return _normalise_squares(vae, latents)
    mean, std = (_moments(vae, name, latents) for name in ("latents_mean", "latents_std"))
    shift = vae.config.get("shift_factor")
    if mean is not None and std is not None:
        latents = (latents - mean) / std
    elif shift is not None:
        latents = latents - shift
    scale = vae.config.get("scaling_factor")
    return latents * float(scale) if isinstance(scale, (int, float)) else latents


def _moments(vae: Any, name: str, latents: torch.Tensor) -> torch.Tensor | None:
    """Mean or standard deviation per channel, and per step where the tokenizer keeps more than one."""
    found = vae.config.get(name)
    found = dict(vae.named_buffers()).get(name) if found is None else found
    if found is None:
        return None
    values = torch.as_tensor(found, dtype=latents.dtype, device=latents.device).reshape(-1)
    channels = latents.shape[1]
    if latents.ndim == 4:
        return values.view(1, channels, 1, 1)
    return values.view(1, channels, -1, 1, 1)[:, :, : latents.shape[2]]


def _normalise_squares(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """FLUX.2 keeps its statistics for squares of four latents."""
    squares = F.pixel_unshuffle(latents, 2)
    mean = vae.bn.running_mean.view(1, -1, 1, 1).to(latents)
    std = (vae.bn.running_var.view(1, -1, 1, 1) + vae.config.batch_norm_eps).sqrt().to(latents)
    return F.pixel_shuffle((squares - mean) / std, 2)


def _spans(vae: Any, frames: int) -> torch.Tensor:
    ratio = temporal_ratio(vae)
    if type(vae).__name__ not in _EVEN:
        return causal_frame_spans(frames, ratio)
    if frames % ratio:
        raise ValueError(f"videos must have {ratio}k frames, got {frames}")
    starts = torch.arange(0, frames, ratio)
    return torch.stack([starts, starts + ratio], dim=1)


def temporal_ratio(vae: Any) -> int:
    """Frames per latent step."""
    for name in ("temporal_compression_ratio", "scale_factor_temporal", "temporal_compression_rate"):
        found = vars(vae).get(name) or vae.config.get(name)
        if found:
            return int(found)
    temporal = vars(vae).get("temperal_downsample") or vae.config.get("temperal_downsample")
    return int(2 ** sum(temporal)) if temporal else 4
