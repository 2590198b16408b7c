# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a WALT denoiser is conditioned on: channels beside the latents, an embedding, and text (WALT §4.3-§4.5).

Everything that may be absent has a null form, so that guidance can leave it out: the extra class label, the learned
null token of text, and zeros with a zero mask for given frames.
"""

import torch
import torch.nn.functional as F
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from torch import nn


class WaltLowResolution(nn.Module):
    """Latents of a low-resolution clip brought to the grid of the high one: convolution, then depth to space (§4.5).

    Args:
        channels: latent channels c.
        scale: factor between the two latent sizes.
        dim: width of the model, for the embedding of the noise level.
    """

    def __init__(self, channels: int, scale: int, dim: int) -> None:
        super().__init__()
        self.scale = scale
        self.conv = nn.Conv2d(channels, channels * scale**2, 3, padding=1)
        self.time_embed = TimestepEmbedding(256, dim)

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """(B, c, T, h, w) -> (B, c, T, scale * h, scale * w), frame by frame."""
        frames = latents.transpose(1, 2)
        upsampled = F.pixel_shuffle(self.conv(frames.flatten(0, 1)), self.scale)
        return upsampled.unflatten(0, frames.shape[:2]).transpose(1, 2)


class WaltTextEmbedding(nn.Module):
    """Text brought to the width of the model, with a learned token that stands for no text.

    Args:
        text_dim: width of the text encoder's states.
        dim: width of the model.
    """

    def __init__(self, text_dim: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Linear(text_dim, dim)
        self.null = nn.Parameter(torch.zeros(1, dim))

    def forward(
        self, text: torch.Tensor | None, mask: torch.Tensor | None, batch: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Text (..., L, text_dim) and its bool mask (..., L) to tokens (..., L or L + 1, D) and their mask.

        Without text every sample has the null token. With a mask the null token comes first and counts where the mask
        leaves nothing of a text, so that one batch may hold samples with and without.
        """
        if text is None:
            return self.null.expand(batch, -1, -1), None
        tokens = self.proj(text.to(self.null.dtype))
        if mask is None:
            return tokens, None
        null = self.null.expand(*tokens.shape[:-2], -1, -1)
        empty = ~mask.any(dim=-1, keepdim=True)
        return torch.cat([null, tokens], dim=-2), torch.cat([empty, mask], dim=-1)


def given_frames(frames: torch.Tensor | None, mask: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
    """c_fp = concat(m * z, m) (WALT §4.4): clean latents of the given frames and where they are.

    Args:
        frames: (B, c, T, h, w) clean latents; None for none given.
        mask: (B, T) bool, true where the frame is given.
        like: noisy latents of the same shape as `frames`.

    Returns:
        (B, c + 1, T, h, w), zeros where nothing is given.
    """
    if frames is None or mask is None:
        return like.new_zeros(like.shape[0], like.shape[1] + 1, *like.shape[2:])
    known = mask[:, None, :, None, None].to(like.dtype)
    # A product would turn a NaN or infinity in a frame that is not given into NaN.
    kept = torch.where(known > 0, frames.to(like.dtype), torch.zeros((), dtype=like.dtype, device=like.device))
    return torch.cat([kept, known.expand(-1, 1, -1, *like.shape[3:])], dim=1)


def embed_level(
    level: torch.Tensor | float, tokens: torch.Tensor, project: Timesteps, embed: TimestepEmbedding
) -> torch.Tensor:
    """Embedding of a noise level: scalar or (B,) -> (B, D); (B, T), a level for each frame, -> (B, T, D).

    `tokens` (B, ...) give the batch, the device and the precision.
    """
    level = torch.as_tensor(level, device=tokens.device)
    if level.ndim < 2:
        level = level.reshape(-1).expand(tokens.shape[0])
    waves = project(level.flatten()).unflatten(0, level.shape)
    return embed(waves.to(tokens.dtype))
