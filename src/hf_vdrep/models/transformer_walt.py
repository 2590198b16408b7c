# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The WALT denoiser, for video (V-WALT) and, with every block spatial, for images (I-WALT)."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.loaders import PeftAdapterMixin
from diffusers.models.attention import AttentionMixin
from diffusers.models.cache_utils import CacheMixin
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_outputs import Transformer2DModelOutput
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from .layer_index import resolve_layers
from .walt_attention import Grid, interpolate_space
from .walt_blocks import AdaLayerNormLora, WaltSpatialBlock, WaltSpatiotemporalBlock


class WaltTransformer3DModel(ModelMixin, ConfigMixin, PeftAdapterMixin, CacheMixin, AttentionMixin):
    """Window-attention diffusion transformer over the latents of `AutoencoderWalt` (WALT §4.2).

    Blocks alternate: spatial windows within a frame, then spatiotemporal windows over all frames. The default
    arguments are WALT-L at 5x16x16x8 latents (Table 8, K600).

    Args:
        in_channels: latent channels c.
        num_layers: blocks.
        num_attention_heads: heads.
        attention_head_dim: width of a head; the model's width is heads * head width.
        sample_frames: latent frames T of a training clip.
        sample_size: latent height and width of a training sample.
        patch_size: spatial patch p; a frame gives (size / p) ** 2 tokens.
        spatial_window: (h, w) in tokens of the spatial blocks.
        spatiotemporal_window: (h, w) in tokens of the spatiotemporal blocks, which span all frames.
        objective: "video" alternates the blocks (V-WALT); "image" makes all of them spatial (I-WALT). The
            parameters are the same in name and shape.
        adaln_lora_rank: r of AdaLN-LoRA.
        mlp_ratio: hidden width of the MLP over the model's.
        num_classes: class labels, or None for an unconditional model. Label `num_classes` is the null class.
        self_condition: take an estimate of the clean latents on extra input channels (WALT §4.3).
    """

    _supports_gradient_checkpointing = True
    _no_split_modules = ["WaltSpatialBlock", "WaltSpatiotemporalBlock"]
    _repeated_blocks = ["WaltSpatialBlock", "WaltSpatiotemporalBlock"]
    _skip_layerwise_casting_patterns = ["patch_embed", "pos_embed", "norm"]

    @register_to_config
    def __init__(
        self,
        in_channels: int = 8,
        num_layers: int = 24,
        num_attention_heads: int = 16,
        attention_head_dim: int = 64,
        sample_frames: int = 5,
        sample_size: int = 16,
        patch_size: int = 1,
        spatial_window: Sequence[int] = (16, 16),
        spatiotemporal_window: Sequence[int] = (8, 8),
        objective: Literal["video", "image"] = "video",
        adaln_lora_rank: int = 2,
        mlp_ratio: float = 4.0,
        num_classes: int | None = None,
        self_condition: bool = True,
    ) -> None:
        super().__init__()
        if objective not in ("video", "image"):
            raise ValueError(f"objective must be 'video' or 'image', got {objective!r}")
        if sample_size % patch_size:
            raise ValueError(f"sample_size must be a multiple of patch_size={patch_size}, got {sample_size}")
        dim = num_attention_heads * attention_head_dim
        side = sample_size // patch_size
        grid = (sample_frames, side, side)
        self.gradient_checkpointing = False
        self.patch_embed = nn.Linear(in_channels * patch_size**2 * (2 if self_condition else 1), dim)
        self.pos_embed_space = nn.Parameter(torch.zeros(side, side, dim))
        self.pos_embed_time = nn.Parameter(torch.zeros(sample_frames, dim))
        self.time_proj = Timesteps(256, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embed = TimestepEmbedding(256, dim)
        self.class_embed = nn.Embedding(num_classes + 1, dim) if num_classes is not None else None
        self.adaln = nn.Linear(dim, 6 * dim)
        self.blocks = nn.ModuleList(self._make_block(index, dim, grid) for index in range(num_layers))
        self.norm_out = nn.LayerNorm(dim, eps=1e-6, elementwise_affine=False)
        self.adaln_out = nn.Linear(dim, 2 * dim)
        self.proj_out = nn.Linear(dim, in_channels * patch_size**2)
        self._init_weights()

    def _make_block(self, index: int, dim: int, grid: Grid) -> nn.Module:
        config = self.config
        rank = config.adaln_lora_rank if index else 0
        if config.objective == "video" and index % 2:
            window = (grid[0], *config.spatiotemporal_window)
            return WaltSpatiotemporalBlock(dim, config.num_attention_heads, grid, window, rank, config.mlp_ratio)
        window = (1, *config.spatial_window)
        return WaltSpatialBlock(dim, config.num_attention_heads, grid, window, rank, config.mlp_ratio)

    def _init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for table in (self.pos_embed_space, self.pos_embed_time):
            nn.init.normal_(table, std=0.02)
        # Zero gates: every block starts as the identity.
        modulations = [module for module in self.modules() if isinstance(module, AdaLayerNormLora)]
        zeroed = [self.adaln, self.adaln_out, self.proj_out]
        zeroed += [modulation.up for modulation in modulations if modulation.up is not None]
        for module in zeroed:
            nn.init.zeros_(module.weight)

    def forward(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        class_labels: torch.Tensor | None = None,
        self_condition: torch.Tensor | None = None,
        image_mask: torch.Tensor | None = None,
        attention_kwargs: dict | None = None,
        return_dict: bool = True,
    ) -> Transformer2DModelOutput | tuple:
        """Predict v from noisy latents (WALT §3).

        Args:
            hidden_states: (B, c, T, h, w) noisy normalised latents.
            timestep: (B,) or scalar, in [0, 999].
            class_labels: (B,) long; absent means the null class.
            self_condition: (B, c, T, h, w) estimate of the clean latents; absent means zeros.
            image_mask: (B,) bool, true where the sample is a stack of T images rather than a clip. T = 1 is an image.
            attention_kwargs: unused, for the interface of diffusers.
            return_dict: return a `Transformer2DModelOutput` rather than a tuple.

        Returns:
            `.sample` (B, c, T, h, w), the velocity sqrt(g) * noise - sqrt(1 - g) * clean.
        """
        tokens, grid, shared, embedding = self._embed(hidden_states, timestep, class_labels, self_condition, image_mask)
        for block in self.blocks:
            tokens = self._run_block(block, tokens, shared, embedding, grid, image_mask)
        scale, shift = self.adaln_out(embedding).unsqueeze(1).chunk(2, dim=-1)
        tokens = self.proj_out(torch.addcmul(shift, self.norm_out(tokens), 1 + scale))
        sample = _unpatchify(tokens, grid, self.config.patch_size)
        return Transformer2DModelOutput(sample=sample) if return_dict else (sample,)

    def forward_intermediates(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        layers: Sequence[int | float],
        image_mask: torch.Tensor | None = None,
        class_labels: torch.Tensor | None = None,
    ) -> list[torch.Tensor]:
        """Block outputs of the layers asked for; nothing runs after the deepest of them.

        Args:
            hidden_states: (B, c, T, h, w) noisy normalised latents.
            timestep: (B,) or scalar.
            layers: block indices, negative indices, or relative depths in (0, 1].
            image_mask: as in `forward`.
            class_labels: as in `forward`.

        Returns:
            For each layer (B, T, h/p, w/p, D), in the order asked for.
        """
        indices = resolve_layers(layers, len(self.blocks))
        tokens, grid, shared, embedding = self._embed(hidden_states, timestep, class_labels, None, image_mask)
        taken: dict[int, torch.Tensor] = {}
        for index, block in enumerate(self.blocks[: max(indices) + 1]):
            tokens = self._run_block(block, tokens, shared, embedding, grid, image_mask)
            if index in indices:
                taken[index] = tokens.unflatten(1, grid)
        return [taken[index] for index in indices]

    def _run_block(self, block: nn.Module, *inputs: object) -> torch.Tensor:
        if torch.is_grad_enabled() and self.gradient_checkpointing:
            return self._gradient_checkpointing_func(block, *inputs)
        return block(*inputs)

    def _embed(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        class_labels: torch.Tensor | None,
        self_condition: torch.Tensor | None,
        image_mask: torch.Tensor | None,
    ) -> tuple[torch.Tensor, Grid, torch.Tensor, torch.Tensor]:
        """Tokens (B, T*h*w, D), their grid, the shared modulation (B, 6D) and the activated condition (B, D)."""
        self._check_latents(hidden_states, image_mask)
        if self.config.self_condition:
            estimate = torch.zeros_like(hidden_states) if self_condition is None else self_condition
            hidden_states = torch.cat([hidden_states, estimate], dim=1)
        tokens, grid = _patchify(hidden_states, self.config.patch_size)
        tokens = self.patch_embed(tokens.to(self.patch_embed.weight.dtype))
        tokens = (tokens.unflatten(1, grid) + self._positions(grid, image_mask)).flatten(1, 3)
        embedding = F.silu(self._condition(timestep, class_labels, hidden_states.shape[0], tokens))
        return tokens, grid, self.adaln(embedding), embedding

    def _positions(self, grid: Grid, image_mask: torch.Tensor | None) -> torch.Tensor:
        """Space plus time embedding, (1 or B, T, h, w, D); images use the time embedding of the first frame."""
        frames = grid[0]
        if frames > self.config.sample_frames:
            raise ValueError(f"hidden_states may have at most {self.config.sample_frames} latent frames, got {frames}")
        space = interpolate_space(self.pos_embed_space, grid[1:])
        time = self.pos_embed_time[None, :frames]
        if self.config.objective == "image":
            time = time[:, :1].expand(-1, frames, -1)
        elif image_mask is not None:
            time = torch.where(image_mask[:, None, None], time[:, :1], time)
        return space[None, None] + time[:, :, None, None]

    def _condition(
        self, timestep: torch.Tensor, class_labels: torch.Tensor | None, batch: int, like: torch.Tensor
    ) -> torch.Tensor:
        timestep = torch.as_tensor(timestep, device=like.device).reshape(-1).expand(batch)
        embedding = self.time_embed(self.time_proj(timestep).to(self.patch_embed.weight.dtype))
        if self.class_embed is None:
            if class_labels is not None:
                raise ValueError("class_labels given, but the model has num_classes=None")
            return embedding
        if class_labels is None:
            class_labels = torch.full((batch,), self.config.num_classes, device=like.device)
        return embedding + self.class_embed(class_labels)

    def _check_latents(self, hidden_states: torch.Tensor, image_mask: torch.Tensor | None) -> None:
        channels, patch = self.config.in_channels, self.config.patch_size
        if hidden_states.ndim != 5 or hidden_states.shape[1] != channels:
            raise ValueError(f"hidden_states must be (B, {channels}, T, h, w), got {tuple(hidden_states.shape)}")
        windows = [self.config.spatial_window]
        if self.config.objective == "video" and hidden_states.shape[2] > 1:
            windows.append(self.config.spatiotemporal_window)
        for window in windows:
            unit = (window[0] * patch, window[1] * patch)
            if hidden_states.shape[3] % unit[0] or hidden_states.shape[4] % unit[1]:
                raise ValueError(
                    f"hidden_states height and width must be multiples of {unit} (window x patch), "
                    f"got {tuple(hidden_states.shape[3:])}"
                )
        if image_mask is not None and image_mask.shape != hidden_states.shape[:1]:
            raise ValueError(f"image_mask must be ({hidden_states.shape[0]},), got {tuple(image_mask.shape)}")


def _patchify(latents: torch.Tensor, patch: int) -> tuple[torch.Tensor, Grid]:
    """(B, C, T, h, w) -> tokens (B, T*H*W, p*p*C) and the grid (T, H, W)."""
    batch, channels, frames, height, width = latents.shape
    grid = (frames, height // patch, width // patch)
    tokens = latents.reshape(batch, channels, frames, grid[1], patch, grid[2], patch)
    return tokens.permute(0, 2, 3, 5, 4, 6, 1).reshape(batch, -1, patch * patch * channels), grid


def _unpatchify(tokens: torch.Tensor, grid: Grid, patch: int) -> torch.Tensor:
    """Inverse of `_patchify`."""
    tokens = tokens.reshape(tokens.shape[0], *grid, patch, patch, -1).permute(0, 6, 1, 2, 4, 3, 5)
    return tokens.reshape(*tokens.shape[:3], grid[1] * patch, grid[2] * patch)
