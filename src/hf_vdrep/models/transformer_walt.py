# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The WALT denoiser, for video (V-WALT) and, with every block spatial, for images (I-WALT)."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.loaders import PeftAdapterMixin
from diffusers.models.attention import AttentionMixin
from diffusers.models.cache_utils import CacheMixin
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_outputs import Transformer2DModelOutput
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import apply_lora_scale
from torch import nn

from . import walt_checks as checks
from .layer_index import resolve_layers
from .walt_blocks import WaltFirstBlock, WaltSpatialBlock, WaltSpatiotemporalBlock
from .walt_cache import register_blocks
from .walt_conditioning import WaltLowResolution, WaltTextEmbedding, embed_level, given_frames
from .walt_initialization import initialize_denoiser
from .walt_modulation import modulate, per_token
from .walt_patches import patchify, unpatchify
from .walt_position import interpolate_space
from .walt_windows import Grid


class BlockInputs(NamedTuple):
    """What every block is given after its tokens, in the order of its arguments."""

    shared_modulation: torch.Tensor | None
    embedding: torch.Tensor
    grid: Grid
    image_mask: torch.Tensor | None = None
    encoder_hidden_states: torch.Tensor | None = None
    encoder_attention_mask: torch.Tensor | None = None


class WaltTransformer3DModel(ModelMixin, ConfigMixin, PeftAdapterMixin, CacheMixin, AttentionMixin):
    """Window-attention diffusion transformer over the latents of `AutoencoderWalt` (WALT §4.2).

    Blocks alternate: spatial windows within a frame, then spatiotemporal windows over all frames. The default
    arguments are WALT-L at 5x16x16x8 latents (Table 8, K600); `hf_vdrep.models.walt_sizes` has the other published
    ones. Parameters exist only for what the config asks for.

    Args:
        in_channels: latent channels c.
        num_layers: blocks.
        num_attention_heads: heads.
        attention_head_dim: width of a head; the model's width is heads * head width.
        sample_frames: latent frames T of a training clip.
        sample_size: latent height and width of a training sample, one number or two.
        patch_size: spatial patch p; a frame gives (h / p) * (w / p) tokens.
        spatial_window: (h, w) in tokens of the spatial blocks; it need not divide the frame.
        spatiotemporal_window: (h, w) in tokens of the spatiotemporal blocks, which span all frames.
        objective: "video" alternates the blocks (V-WALT); "image" makes all of them spatial (I-WALT). The
            parameters are the same in name and shape.
        adaln_lora_rank: r of AdaLN-LoRA; None gives every block a modulation of its own.
        mlp_ratio: hidden width of the MLP over the model's.
        num_classes: class labels, or None for a model without. Label `num_classes` is the null class.
        self_condition: take an estimate of the clean latents on extra input channels (WALT §4.3).
        text_dim: width of a text encoder's states, or None for a model without cross-attention.
        frame_conditioning: take given clean frames and their mask on extra input channels (WALT §4.4).
        low_res_scale: for super-resolution, the factor from the low to the high latent size (WALT §4.5), or None.
    """

    _supports_gradient_checkpointing = True
    _no_split_modules = ["WaltFirstBlock", "WaltSpatialBlock", "WaltSpatiotemporalBlock"]
    _repeated_blocks = ["WaltFirstBlock", "WaltSpatialBlock", "WaltSpatiotemporalBlock"]
    _skip_layerwise_casting_patterns = ["patch_embed", "pos_embed", "norm"]

    @register_to_config
    def __init__(
        self,
        in_channels: int = 8,
        num_layers: int = 24,
        num_attention_heads: int = 16,
        attention_head_dim: int = 64,
        sample_frames: int = 5,
        sample_size: int | Sequence[int] = 16,
        patch_size: int = 1,
        spatial_window: Sequence[int] = (16, 16),
        spatiotemporal_window: Sequence[int] = (8, 8),
        objective: Literal["video", "image"] = "video",
        adaln_lora_rank: int | None = 2,
        mlp_ratio: float = 4.0,
        num_classes: int | None = None,
        self_condition: bool = True,
        text_dim: int | None = None,
        frame_conditioning: bool = False,
        low_res_scale: int | None = None,
    ) -> None:
        super().__init__()
        checks.check_config(self.config)
        dim = num_attention_heads * attention_head_dim
        height, width = checks.pair(sample_size, "sample_size")
        grid = (sample_frames, height // patch_size, width // patch_size)
        planes = in_channels * (1 + self_condition + (low_res_scale is not None))
        planes += (in_channels + 1) * frame_conditioning
        self.gradient_checkpointing = False
        self.patch_embed = nn.Linear(planes * patch_size**2, dim)
        self.pos_embed_space = nn.Parameter(torch.zeros(*grid[1:], dim))
        self.pos_embed_time = nn.Parameter(torch.zeros(sample_frames, dim))
        self.time_proj = Timesteps(256, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embed = TimestepEmbedding(256, dim)
        self.class_embed = nn.Embedding(num_classes + 1, dim) if num_classes is not None else None
        self.text_embed = WaltTextEmbedding(text_dim, dim) if text_dim is not None else None
        self.low_res_embed = WaltLowResolution(in_channels, low_res_scale, dim) if low_res_scale is not None else None
        self.adaln = nn.Linear(dim, 6 * dim) if adaln_lora_rank is not None else None
        self.blocks = nn.ModuleList(self._make_block(index, dim, grid) for index in range(num_layers))
        self.norm_out = nn.LayerNorm(dim, eps=1e-6, elementwise_affine=False)
        self.adaln_out = nn.Linear(dim, 2 * dim)
        self.proj_out = nn.Linear(dim, in_channels * patch_size**2)
        self._init_weights()
        register_blocks()

    def _make_block(self, index: int, dim: int, grid: Grid) -> nn.Module:
        config = self.config
        rank = 0 if index == 0 and config.adaln_lora_rank is not None else config.adaln_lora_rank
        spatial = (1, *config.spatial_window)
        text_window = spatial if config.text_dim is not None else None
        rest = (rank, config.mlp_ratio, text_window)
        if config.objective == "video" and index % 2:
            window = (grid[0], *config.spatiotemporal_window)
            return WaltSpatiotemporalBlock(dim, config.num_attention_heads, grid, window, *rest)
        kind = WaltFirstBlock if rank == 0 else WaltSpatialBlock
        return kind(dim, config.num_attention_heads, grid, spatial, *rest)

    def _init_weights(self) -> None:
        initialize_denoiser(self)

    @classmethod
    def extract_init_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> tuple:
        """As in diffusers, but a field that does not exist is an error and not a warning.

        Raises:
            ValueError: an unknown field.
        """
        checks.check_fields(config_dict.keys(), cls._get_init_keys(cls) - {"self"}, cls.__name__)
        return super().extract_init_dict(config_dict, **kwargs)

    @apply_lora_scale("attention_kwargs")
    def forward(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        class_labels: torch.Tensor | None = None,
        self_condition: torch.Tensor | None = None,
        image_mask: torch.Tensor | None = None,
        encoder_hidden_states: torch.Tensor | None = None,
        encoder_attention_mask: torch.Tensor | None = None,
        frame_condition: torch.Tensor | None = None,
        frame_mask: torch.Tensor | None = None,
        low_res: torch.Tensor | None = None,
        low_res_timestep: torch.Tensor | None = None,
        attention_kwargs: dict[str, Any] | None = None,
        return_dict: bool = True,
    ) -> Transformer2DModelOutput | tuple:
        """Predict v from noisy latents (WALT §3). A condition that is absent takes its null form.

        Args:
            hidden_states: (B, c, T, h, w) noisy normalised latents.
            timestep: scalar or (B,) in [0, 999]; (B, T) gives every image of a stack its own.
            class_labels: (B,) long, or (B, T) for stacks of images; absent means the null class.
            self_condition: (B, c, T, h, w) estimate of the clean latents; absent means zeros.
            image_mask: (B,) bool, true where the sample is a stack of T images rather than a clip. T = 1 is an image.
            encoder_hidden_states: (B, L, text_dim) states of a text encoder, or (B, T, L, text_dim) for stacks of
                images; absent means the learned null token.
            encoder_attention_mask: bool in the shape of the text less its width. A text of which nothing is left
                counts as absent.
            frame_condition: (B, c, T, h, w) clean latents of the given frames; absent means zeros.
            frame_mask: (B, T) bool, true where a frame is given.
            low_res: (B, c, T, h / scale, w / scale) latents of the low-resolution clip; a super-resolution model needs
                them.
            low_res_timestep: (B,) level of the noise added to `low_res`; absent means 0.
            attention_kwargs: `scale` of LoRA adapters, as everywhere in diffusers.
            return_dict: return a `Transformer2DModelOutput` rather than a tuple.

        Returns:
            `.sample` (B, c, T, h, w), the velocity sqrt(g) * noise - sqrt(1 - g) * clean.

        Raises:
            ValueError: a condition that the model was not made for, or whose shape or values do not fit.
        """
        tokens, inputs = self.embed(
            hidden_states,
            timestep,
            class_labels=class_labels,
            self_condition=self_condition,
            image_mask=image_mask,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            frame_condition=frame_condition,
            frame_mask=frame_mask,
            low_res=low_res,
            low_res_timestep=low_res_timestep,
        )
        for block in self.blocks:
            tokens = self._run_block(block, tokens, *inputs)
        scale, shift = per_token(self.adaln_out(inputs.embedding), inputs.grid).chunk(2, dim=-1)
        tokens = self.proj_out(modulate(self.norm_out(tokens), scale, shift))
        sample = unpatchify(tokens, inputs.grid, self.config.patch_size)
        return Transformer2DModelOutput(sample=sample) if return_dict else (sample,)

    def forward_intermediates(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        layers: Sequence[int | float],
        image_mask: torch.Tensor | None = None,
        class_labels: torch.Tensor | None = None,
        **conditions: torch.Tensor | None,
    ) -> list[torch.Tensor]:
        """Block outputs of the layers asked for; nothing runs after the deepest of them.

        Args:
            hidden_states: (B, c, T, h, w) noisy normalised latents.
            timestep: (B,) or scalar.
            layers: block indices, negative indices, or relative depths in (0, 1].
            image_mask: as in `forward`.
            class_labels: as in `forward`.
            conditions: the other conditions of `forward` by name.

        Returns:
            For each layer (B, T, h/p, w/p, D), in the order asked for.
        """
        indices = resolve_layers(layers, len(self.blocks))
        tokens, inputs = self.embed(
            hidden_states, timestep, image_mask=image_mask, class_labels=class_labels, **conditions
        )
        taken: dict[int, torch.Tensor] = {}
        for index, block in enumerate(self.blocks[: max(indices) + 1]):
            tokens = self._run_block(block, tokens, *inputs)
            if index in indices:
                taken[index] = tokens.unflatten(1, inputs.grid)
        return [taken[index] for index in indices]

    def embed(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        *,
        class_labels: torch.Tensor | None = None,
        self_condition: torch.Tensor | None = None,
        image_mask: torch.Tensor | None = None,
        encoder_hidden_states: torch.Tensor | None = None,
        encoder_attention_mask: torch.Tensor | None = None,
        frame_condition: torch.Tensor | None = None,
        frame_mask: torch.Tensor | None = None,
        low_res: torch.Tensor | None = None,
        low_res_timestep: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, BlockInputs]:
        """What goes into the first block: tokens (B, T*h*w, D) and the inputs of every block after its tokens.

        Arguments and errors are those of `forward`.
        """
        checks.check_latents(self.config, hidden_states, image_mask)
        checks.check_like(self_condition, "self_condition", hidden_states)
        checks.check_given_frames(self.config, frame_condition, frame_mask, hidden_states)
        checks.check_low_resolution(self.config, low_res, hidden_states)
        batch, _, frames = hidden_states.shape[:3]
        checks.check_labels(class_labels, self.config.num_classes, batch, frames)
        checks.check_text(self.config, encoder_hidden_states, encoder_attention_mask, batch)

        channels = self._channels(hidden_states, self_condition, frame_condition, frame_mask, low_res)
        tokens, grid = patchify(channels, self.config.patch_size)
        tokens = self.patch_embed(tokens)
        tokens = (tokens.unflatten(1, grid) + self._positions(grid, image_mask)).flatten(1, 3)
        embedding = F.silu(self._condition(timestep, class_labels, low_res_timestep, tokens))
        shared = self.adaln(embedding) if self.adaln is not None else None
        text, text_mask = None, None
        if self.text_embed is not None:
            text, text_mask = self.text_embed(encoder_hidden_states, encoder_attention_mask, batch)
        return tokens, BlockInputs(shared, embedding, grid, image_mask, text, text_mask)

    def _run_block(self, block: nn.Module, *inputs: object) -> torch.Tensor:
        if torch.is_grad_enabled() and self.gradient_checkpointing:
            return self._gradient_checkpointing_func(block, *inputs)
        return block(*inputs)

    def _channels(
        self,
        latents: torch.Tensor,
        estimate: torch.Tensor | None,
        given: torch.Tensor | None,
        given_mask: torch.Tensor | None,
        low_res: torch.Tensor | None,
    ) -> torch.Tensor:
        """Noisy latents, estimate, given frames with their mask, low resolution, joined along the channels."""
        latents = latents.to(self.patch_embed.weight.dtype)
        planes = [latents]
        if self.config.self_condition:
            planes.append(torch.zeros_like(latents) if estimate is None else estimate.to(latents))
        if self.config.frame_conditioning:
            planes.append(given_frames(given, given_mask, latents))
        if self.low_res_embed is not None and low_res is not None:
            planes.append(self.low_res_embed(low_res.to(latents)))
        return torch.cat(planes, dim=1) if len(planes) > 1 else latents

    def _positions(self, grid: Grid, image_mask: torch.Tensor | None) -> torch.Tensor:
        """Space plus time embedding, (1 or B, T, h, w, D); images use the time embedding of the first frame."""
        frames = grid[0]
        space = interpolate_space(self.pos_embed_space, grid[1:])
        time = self.pos_embed_time[None, :frames]
        if self.config.objective == "image":
            time = time[:, :1].expand(-1, frames, -1)
        elif image_mask is not None:
            time = torch.where(image_mask[:, None, None], time[:, :1], time)
        return space[None, None] + time[:, :, None, None]

    def _condition(
        self,
        timestep: torch.Tensor,
        class_labels: torch.Tensor | None,
        low_res_timestep: torch.Tensor | None,
        tokens: torch.Tensor,
    ) -> torch.Tensor:
        """e = c + t (WALT Eq. 3): (B, D), or (B, T, D) where a part of it is given for each frame."""
        parts = [embed_level(timestep, tokens, self.time_proj, self.time_embed)]
        if self.low_res_embed is not None:
            level = 0 if low_res_timestep is None else low_res_timestep
            parts.append(embed_level(level, tokens, self.time_proj, self.low_res_embed.time_embed))
        if self.class_embed is not None:
            if class_labels is None:
                class_labels = torch.full(tokens.shape[:1], self.config.num_classes, device=tokens.device)
            parts.append(self.class_embed(class_labels))
        if any(part.ndim == 3 for part in parts):
            parts = [part if part.ndim == 3 else part.unsqueeze(1) for part in parts]
        return sum(parts[1:], parts[0])
