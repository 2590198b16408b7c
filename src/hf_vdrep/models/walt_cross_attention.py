# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Cross-attention to text in spatial windows, keys and values from the window's own tokens and the text (WALT §4.3)."""

import torch
from diffusers.models.attention import AttentionModuleMixin
from diffusers.models.attention_dispatch import dispatch_attention_fn
from torch import nn

from .walt_linear import WaltLinear, as_walt_linear
from .walt_windows import Grid, fit_window, from_windows, to_windows, window_mask


class WaltCrossAttnProcessor:
    """Attention from the tokens of a window to those tokens and the text, through diffusers' dispatcher."""

    _attention_backend = None
    _parallel_config = None

    def __call__(
        self,
        attn: "WaltCrossAttention",
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        grid: Grid,
        window: Grid,
        encoder_attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        window = fit_window(window, grid)
        windows = to_windows(hidden_states, grid, window)
        text = _per_window(encoder_hidden_states, windows.shape[0])
        query, key, value = attn.project(windows, torch.cat([windows, text], dim=1))
        attended = dispatch_attention_fn(
            attn.norm_q(query).to(value.dtype),
            attn.norm_k(key).to(value.dtype),
            value,
            attn_mask=_key_mask(grid, window, hidden_states, text, encoder_attention_mask),
            backend=self._attention_backend,
            parallel_config=self._parallel_config,
        )
        return from_windows(attn.to_out[1](attn.to_out[0](attended.flatten(2))), grid, window)


class WaltCrossAttention(nn.Module, AttentionModuleMixin):
    """Multi-head attention from the tokens of a spatial window to [tokens of the window, text].

    Args:
        dim: token width, also that of the projected text.
        heads: attention heads.
        eps: epsilon of the query and key norms.
    """

    _default_processor_cls = WaltCrossAttnProcessor
    _available_processors = [WaltCrossAttnProcessor]
    is_cross_attention = True
    use_bias = True
    to_kv: nn.Linear

    def __init__(self, dim: int, heads: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = WaltLinear(dim, dim)
        self.to_k = WaltLinear(dim, dim)
        self.to_v = WaltLinear(dim, dim)
        self.norm_q = nn.LayerNorm(dim // heads, eps=eps, bias=False)
        self.norm_k = nn.LayerNorm(dim // heads, eps=eps, bias=False)
        self.to_out = nn.ModuleList([WaltLinear(dim, dim), nn.Dropout(0.0)])
        self.set_processor(self._default_processor_cls())  # type: ignore[operator]

    def forward(
        self,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        grid: Grid,
        window: Grid,
        encoder_attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """(B, T*H*W, D) -> same.

        Args:
            hidden_states: tokens.
            encoder_hidden_states: (B, L, D) text, or (B, T, L, D) with a text for each frame.
            grid: (T, H, W) of the tokens.
            window: (1, h, w).
            encoder_attention_mask: bool in the shape of the text less its width, true where there is text.
        """
        return self.processor(  # type: ignore[operator]
            self, hidden_states, encoder_hidden_states, grid, window, encoder_attention_mask
        )

    def fuse_projections(self) -> None:
        """As in diffusers: one product for what has one input; the single weights stay."""
        super().fuse_projections()
        self.to_kv = as_walt_linear(self.to_kv)

    def project(self, windows: torch.Tensor, context: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Queries of the windows, keys and values of the context, each (N, L, heads, head width)."""
        if self.fused_projections:
            key, value = self.to_kv(context).chunk(2, dim=-1)
        else:
            key, value = self.to_k(context), self.to_v(context)
        return tuple(part.unflatten(-1, (self.heads, -1)) for part in (self.to_q(windows), key, value))


def _per_window(text: torch.Tensor, count: int) -> torch.Tensor:
    """(B, L, ...) or (B, T, L, ...) -> (count, L, ...): windows come sample by sample, in each frame by frame."""
    if text.ndim == 4:
        text = text.flatten(0, 1)
    return text.repeat_interleave(count // text.shape[0], dim=0)


def _key_mask(
    grid: Grid, window: Grid, tokens: torch.Tensor, text: torch.Tensor, text_mask: torch.Tensor | None
) -> torch.Tensor | None:
    """(windows, 1, 1, L_window + L_text) bool, or None where every key counts."""
    own = window_mask(grid, window, tokens.device)
    if own is None and text_mask is None:
        return None
    count, length = text.shape[0], window[0] * window[1] * window[2]
    if own is None:
        own = torch.ones(count, length, dtype=torch.bool, device=tokens.device)
    else:
        own = own.repeat(tokens.shape[0], 1)
    if text_mask is None:
        said = torch.ones(count, text.shape[1], dtype=torch.bool, device=tokens.device)
    else:
        said = _per_window(text_mask.unsqueeze(-1), count).squeeze(-1)
    return torch.cat([own, said], dim=1)[:, None, None, :]
