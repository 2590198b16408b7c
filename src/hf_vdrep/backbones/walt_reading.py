# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How WALT reads a video: as one clip of latents, or as images."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from ..models.autoencoder_walt import AutoencoderWalt
from .base import check_videos, to_pixels
from .frame_spans import causal_frame_spans

VideoAs = Literal["video", "stack", "stride", "frames"]


@dataclass(frozen=True)
class WaltInputs:
    """Clean normalised latents (B, c, T', h, w) and the input frames (T', 2) that each step has seen."""

    latents: torch.Tensor
    frame_spans: torch.Tensor


def resolve_video_as(video_as: str, objective: str) -> VideoAs:
    """The reading that `video_as` names; "auto" is "video" for V-WALT and "stack" for I-WALT.

    Raises:
        ValueError: an unknown reading, or "video" for a model of images.
    """
    if video_as == "auto":
        return "video" if objective == "video" else "stack"
    if video_as not in get_args(VideoAs):
        raise ValueError(f"video_as must be 'auto' or one of {get_args(VideoAs)}, got {video_as!r}")
    if video_as == "video" and objective == "image":
        raise ValueError("video_as must be 'stack', 'stride' or 'frames' for an image objective, got 'video'")
    return video_as  # type: ignore[return-value]


def encode_videos(vae: AutoencoderWalt, videos: torch.Tensor, video_as: VideoAs) -> WaltInputs:
    """Tokenize uint8 videos (B, T, H, W, 3).

    "video" and "stack" share the latents of the clip. "stride" encodes the last frame of each latent step alone, as
    an image, "frames" every frame; in both the tokenizer sees images only, and a step's span is that one frame.

    Args:
        vae: tokenizer.
        videos: uint8 (B, T, H, W, 3); T = 1 + 4k unless `video_as` is "frames".
        video_as: the reading.

    Raises:
        ValueError: wrong shape, dtype or number of frames.
    """
    check_videos(videos)
    ratio = 1 if video_as == "frames" else vae.temporal_compression_ratio
    spans = causal_frame_spans(videos.shape[1], ratio)
    alone = video_as in ("stride", "frames")
    if alone:
        # Readouts place a step in time by its span: the frames that were skipped would shift it into the past.
        spans = torch.stack([spans[:, 1] - 1, spans[:, 1]], dim=1)
    pixels = to_pixels(videos[:, spans[:, 0]] if alone else videos, vae.device)
    batch = pixels.shape[0]
    if alone:
        pixels = fold_frames(pixels)
    latents = vae.normalize(vae.encode(pixels).latent_dist.mode().float())
    return WaltInputs(unfold_frames(latents, batch) if alone else latents, spans)


def fold_frames(clips: torch.Tensor) -> torch.Tensor:
    """(B, C, T, H, W) -> (B * T, C, 1, H, W): every frame its own image."""
    return clips.transpose(1, 2).flatten(0, 1).unsqueeze(2)


def unfold_frames(images: torch.Tensor, batch: int) -> torch.Tensor:
    """Inverse of `fold_frames`."""
    return images.squeeze(2).unflatten(0, (batch, -1)).transpose(1, 2)
