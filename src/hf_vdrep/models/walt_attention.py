# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Window attention with normalised queries and keys and a relative position bias (WALT §4.2, §5.2)."""

import torch
import torch.nn.functional as F
from diffusers.models.attention import AttentionModuleMixin
from diffusers.models.attention_dispatch import dispatch_attention_fn
from torch import nn

Grid = tuple[int, int, int]


def to_windows(tokens: torch.Tensor, grid: Grid, window: Grid) -> torch.Tensor:
    """(B, T*H*W, ...) -> (B * windows, t*h*w, ...); every axis of `window` divides that of `grid`."""
    (frames, height, width), (t, h, w) = grid, window
    batch, rest = tokens.shape[0], tokens.shape[2:]
    if h == height and w == width:  # whole frames: already contiguous
        return tokens.reshape(batch * (frames // t), t * h * w, *rest)
    tokens = tokens.reshape(batch, frames // t, t, height // h, h, width // w, w, -1)
    return tokens.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(-1, t * h * w, *rest)


def from_windows(windows: torch.Tensor, grid: Grid, window: Grid) -> torch.Tensor:
    """Inverse of `to_windows`."""
    (frames, height, width), (t, h, w) = grid, window
    length, rest = frames * height * width, windows.shape[2:]
    if h == height and w == width:
        return windows.reshape(-1, length, *rest)
    windows = windows.reshape(-1, frames // t, height // h, width // w, t, h, w, windows.shape[2:].numel())
    return windows.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(-1, length, *rest)


class WaltRelativePositionBias(nn.Module):
    """Additive bias by relative offset: one table over space, one over time, summed.

    Both tables span the whole training grid, not the window, so that a block has the same parameters whether its
    windows are spatial or spatiotemporal.

    Args:
        num_heads: attention heads.
        grid: (T, H, W) tokens of a training sample.
    """

    def __init__(self, num_heads: int, grid: Grid) -> None:
        super().__init__()
        self.grid = grid
        self.time = nn.Parameter(torch.zeros(2 * grid[0] - 1, num_heads))
        self.space = nn.Parameter(torch.zeros(2 * grid[1] - 1, 2 * grid[2] - 1, num_heads))

    def forward(self, window: Grid) -> torch.Tensor:
        """Bias (num_heads, L, L) for the tokens of one window, L = t*h*w."""
        if any(size > full for size, full in zip(window, self.grid, strict=True)):
            raise ValueError(f"window must fit the training grid {self.grid}, got {window}")
        t, h, w = window
        time = self.time[_offsets(t, self.grid[0], self.time.device)]
        rows = _offsets(h, self.grid[1], self.space.device)
        columns = _offsets(w, self.grid[2], self.space.device)
        space = self.space[rows[:, None, :, None], columns[None, :, None, :]]
        bias = time[:, None, None, :, None, None] + space[None, :, :, None]
        length = t * h * w
        return bias.reshape(length, length, -1).permute(2, 0, 1)


def _offsets(size: int, full: int, device: torch.device) -> torch.Tensor:
    positions = torch.arange(size, device=device)
    return positions[:, None] - positions[None, :] + full - 1


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
        value = attn.to_v(hidden_states)
        query = attn.norm_q(attn.to_q(hidden_states).unflatten(-1, (attn.heads, -1)))
        key = attn.norm_k(attn.to_k(hidden_states).unflatten(-1, (attn.heads, -1)))
        query, key, heads_value = (
            to_windows(item, grid, window) for item in (query, key, value.unflatten(-1, (attn.heads, -1)))
        )
        attended = dispatch_attention_fn(
            query.to(heads_value.dtype),
            key.to(heads_value.dtype),
            heads_value,
            attn_mask=attn.position_bias(window).unsqueeze(0).to(heads_value.dtype),
            backend=self._attention_backend,
            parallel_config=self._parallel_config,
        )
        attended = from_windows(attended.flatten(2), grid, window)
        if image_mask is not None:
            attended = torch.where(image_mask[:, None, None], value, attended)
        return attn.to_out[1](attn.to_out[0](attended))


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
    _supports_qkv_fusion = False

    def __init__(self, dim: int, heads: int, grid: Grid, eps: float = 1e-6) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(dim, dim)
        self.to_k = nn.Linear(dim, dim)
        self.to_v = nn.Linear(dim, dim)
        self.norm_q = nn.LayerNorm(dim // heads, eps=eps, bias=False)
        self.norm_k = nn.LayerNorm(dim // heads, eps=eps, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(dim, dim), nn.Dropout(0.0)])
        self.position_bias = WaltRelativePositionBias(heads, grid)
        self.set_processor(self._default_processor_cls())  # type: ignore[operator]

    def forward(
        self, hidden_states: torch.Tensor, grid: Grid, window: Grid, image_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """(B, T*H*W, D) -> same; samples with `image_mask` attend each token to itself alone."""
        return self.processor(self, hidden_states, grid, window, image_mask)  # type: ignore[operator]

    def identity(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """What attention gives under an identity mask: the value embedding passes through (WALT §4.2)."""
        return self.to_out[1](self.to_out[0](self.to_v(hidden_states)))


def interpolate_space(table: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize (H, W, D) to (h, w, D), bicubic; the same table where the size agrees."""
    if tuple(table.shape[:2]) == size:
        return table
    resized = F.interpolate(table.permute(2, 0, 1)[None].float(), size=size, mode="bicubic", align_corners=False)
    return resized[0].permute(1, 2, 0).to(table.dtype)
