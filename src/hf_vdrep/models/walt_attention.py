# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Window self-attention with normalised queries and keys and a relative position bias (WALT §4.2, §5.2)."""

from typing import Any

import torch
from diffusers.models.attention import AttentionModuleMixin
from diffusers.models.attention_dispatch import dispatch_attention_fn
from torch import nn

from .walt_linear import WaltLinear, as_walt_linear
from .walt_position import WaltRelativePositionBias
from .walt_windows import Grid, fit_window, from_windows, to_windows, window_mask


class WaltAttnProcessor:
    """Attention inside the windows of one grid through diffusers' dispatcher."""

    _attention_backend = None
    _parallel_config = None

    def __call__(
        self,
        attn: "WaltAttention",
        hidden_states: torch.Tensor,
        grid: Grid,
        window: Grid,
        image_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        window = fit_window(window, grid)
        batch = hidden_states.shape[0]
        # Cut once, before the projections: afterwards there would be three tensors to cut.
        windows = to_windows(hidden_states, grid, window)
        query, key, value = attn.project(windows)
        attended = dispatch_attention_fn(
            attn.norm_q(query).to(value.dtype),
            attn.norm_k(key).to(value.dtype),
            value,
            attn_mask=attn.bias(grid, window, batch).to(value.dtype),
            backend=self._attention_backend,
            parallel_config=self._parallel_config,
        )
        if image_mask is not None:
            mask = image_mask.repeat_interleave(windows.shape[0] // batch)
            attended = torch.where(mask[:, None, None, None], value, attended)
        return from_windows(attn.to_out[1](attn.to_out[0](attended.flatten(2))), grid, window)


class WaltAttention(nn.Module, AttentionModuleMixin):
    """Multi-head window self-attention.

    Args:
        dim: token width.
        heads: attention heads.
        grid: (T, H, W) tokens of a training sample, for the position bias.
        eps: epsilon of the query and key norms.
    """

    _default_processor_cls = WaltAttnProcessor
    _available_processors = [WaltAttnProcessor]
    is_cross_attention = False
    use_bias = True
    to_qkv: nn.Linear

    def __init__(self, dim: int, heads: int, grid: Grid, eps: float = 1e-6) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = WaltLinear(dim, dim)
        self.to_k = WaltLinear(dim, dim)
        self.to_v = WaltLinear(dim, dim)
        self.norm_q = nn.LayerNorm(dim // heads, eps=eps, bias=False)
        self.norm_k = nn.LayerNorm(dim // heads, eps=eps, bias=False)
        self.to_out = nn.ModuleList([WaltLinear(dim, dim), nn.Dropout(0.0)])
        self.position_bias = WaltRelativePositionBias(heads, grid)
        self.set_processor(self._default_processor_cls())  # type: ignore[operator]

    def forward(
        self, hidden_states: torch.Tensor, grid: Grid, window: Grid, image_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """(B, T*H*W, D) -> same; samples with `image_mask` (B,) attend each token to itself alone.

        `window` (t, h, w) need neither divide the grid nor fit into it.
        """
        return self.processor(self, hidden_states, grid, window, image_mask)  # type: ignore[operator]

    def identity(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """What attention gives under an identity mask: the value embedding passes through (WALT §4.2)."""
        return self.to_out[1](self.to_out[0](self.to_v(hidden_states)))

    def fuse_projections(self) -> None:
        """As in diffusers: one product for what has one input; the single weights stay."""
        super().fuse_projections()
        self.to_qkv = as_walt_linear(self.to_qkv)

    def project(self, windows: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Queries, keys and values, each (N, L, heads, head width), by one product where they are fused."""
        parts = self.to_qkv(windows).chunk(3, dim=-1) if self.fused_projections else self._project_apart(windows)
        return tuple(part.unflatten(-1, (self.heads, -1)) for part in parts)

    def _project_apart(self, windows: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.to_q(windows), self.to_k(windows), self.to_v(windows)

    def bias(self, grid: Grid, window: Grid, batch: int) -> torch.Tensor:
        """Position bias (1, heads, L, L), or (B * windows, heads, L, L) with padded keys at -inf."""
        bias = self.position_bias(window).unsqueeze(0)
        mask = window_mask(grid, window, bias.device)
        if mask is None:
            return bias
        masked: Any = bias.masked_fill(~mask[:, None, None, :], -torch.inf)
        return masked.repeat(batch, 1, 1, 1)
