# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The kinds of WALT block (WALT §4.2).

Every kind has a forward of its own, though they share most of it: `compile_repeated_blocks` compiles a forward once,
and blocks of another build behind the same forward would have it compiled again.
"""

from collections.abc import Sequence

import torch
from torch import nn

from .walt_attention import WaltAttention
from .walt_cross_attention import WaltCrossAttention
from .walt_feed_forward import WaltFeedForward
from .walt_modulation import AdaLayerNorm, AdaLayerNormLora, modulate
from .walt_windows import Grid


class WaltSpatialBlock(nn.Module):
    """Attention within windows of one latent frame, then to text if there is text, then the MLP.

    Args:
        dim: token width.
        heads: attention heads.
        grid: (T, H, W) tokens of a training sample.
        window: (1, h, w) attention window.
        rank: AdaLN-LoRA rank, 0 for the first block; None for a modulation of its own.
        mlp_ratio: hidden width of the MLP over `dim`.
        text_window: (1, h, w) window of cross-attention to text; None for a block without.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        grid: Grid,
        window: Grid,
        rank: int | None,
        mlp_ratio: float,
        text_window: Grid | None = None,
    ) -> None:
        super().__init__()
        self.window = window
        self.text_window = text_window
        self.norm1 = nn.LayerNorm(dim, eps=1e-6, elementwise_affine=False)
        self.attn = WaltAttention(dim, heads, grid)
        if text_window is not None:
            self.norm_cross = nn.LayerNorm(dim, eps=1e-6)
            self.cross_attn = WaltCrossAttention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6, elementwise_affine=False)
        self.ff = WaltFeedForward(dim, mlp_ratio)
        self.modulation = AdaLayerNorm(dim) if rank is None else AdaLayerNormLora(dim, rank)

    def forward(
        self,
        hidden_states: torch.Tensor,
        shared_modulation: torch.Tensor | None,
        embedding: torch.Tensor,
        grid: Grid,
        image_mask: torch.Tensor | None = None,
        encoder_hidden_states: torch.Tensor | None = None,
        encoder_attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(B, T*H*W, D) -> same. A frame is seen alone here, so `image_mask` changes nothing.

        Args:
            hidden_states: tokens.
            shared_modulation: A_1 (B, 6D), or (B, T, 6D) with a condition for each frame; None if each has its own.
            embedding: activated condition, (B, D) or (B, T, D).
            grid: (T, H, W) of the tokens.
            image_mask: (B,) bool, true for stacks of images.
            encoder_hidden_states: text of a block with cross-attention, (B, L, D) or (B, T, L, D).
            encoder_attention_mask: bool in the shape of the text less its width.
        """
        scale, shift, gate, *rest = self.modulation(shared_modulation, embedding, grid)
        attended = self.attn(modulate(self.norm1(hidden_states), scale, shift), grid, self.window)
        hidden_states = torch.addcmul(hidden_states, gate, attended)
        return self._finish(hidden_states, rest, grid, encoder_hidden_states, encoder_attention_mask)

    def _finish(
        self,
        tokens: torch.Tensor,
        modulation: Sequence[torch.Tensor],
        grid: Grid,
        text: torch.Tensor | None,
        text_mask: torch.Tensor | None,
    ) -> torch.Tensor:
        """What follows self-attention in every kind of block: the text, then the MLP."""
        if self.text_window is not None:
            if text is None:
                raise ValueError("encoder_hidden_states must be given to a block with text_window, got None")
            tokens = tokens + self.cross_attn(self.norm_cross(tokens), text, grid, self.text_window, text_mask)
        scale, shift, gate = modulation
        return torch.addcmul(tokens, gate, self.ff(modulate(self.norm2(tokens), scale, shift)))


class WaltFirstBlock(WaltSpatialBlock):
    """The spatial block at the front of an AdaLN-LoRA model, modulated by the shared projection alone (WALT Eq. 3)."""

    def forward(
        self,
        hidden_states: torch.Tensor,
        shared_modulation: torch.Tensor | None,
        embedding: torch.Tensor,
        grid: Grid,
        image_mask: torch.Tensor | None = None,
        encoder_hidden_states: torch.Tensor | None = None,
        encoder_attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """As `WaltSpatialBlock.forward`."""
        scale, shift, gate, *rest = self.modulation(shared_modulation, embedding, grid)
        attended = self.attn(modulate(self.norm1(hidden_states), scale, shift), grid, self.window)
        hidden_states = torch.addcmul(hidden_states, gate, attended)
        return self._finish(hidden_states, rest, grid, encoder_hidden_states, encoder_attention_mask)


class WaltSpatiotemporalBlock(WaltSpatialBlock):
    """Attention within windows that span all latent frames, then to text if there is text, then the MLP.

    `window` is (T, h, w); that of the text stays spatial. Images pass by the identity rule: every token attends to
    itself alone, so only its value embedding goes through (WALT §4.2).
    """

    def forward(
        self,
        hidden_states: torch.Tensor,
        shared_modulation: torch.Tensor | None,
        embedding: torch.Tensor,
        grid: Grid,
        image_mask: torch.Tensor | None = None,
        encoder_hidden_states: torch.Tensor | None = None,
        encoder_attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(B, T*H*W, D) -> same; samples with `image_mask` (B,), and all if T = 1, follow the identity rule."""
        scale, shift, gate, *rest = self.modulation(shared_modulation, embedding, grid)
        normed = modulate(self.norm1(hidden_states), scale, shift)
        if grid[0] == 1:
            attended = self.attn.identity(normed)
        else:
            attended = self.attn(normed, grid, (grid[0], *self.window[1:]), image_mask)
        hidden_states = torch.addcmul(hidden_states, gate, attended)
        return self._finish(hidden_states, rest, grid, encoder_hidden_states, encoder_attention_mask)
