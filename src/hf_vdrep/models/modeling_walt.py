# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The transformers face of WALT: pixels, or latents, to the hidden states of one denoising step."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from .autoencoder_walt import AutoencoderWalt
from .block_recorder import BlockRecorder
from .configuration_walt import WaltConfig
from .hidden_state_index import is_selection, resolve_hidden_states
from .latent_noise import noise_like
from .modeling_walt_base import WaltPreTrainedModel
from .scheduler_walt import make_scheduler
from .transformer_walt import WaltTransformer3DModel

# What `forward` of the denoiser takes beside latents and timestep.
CONDITIONS = (
    *("class_labels", "image_mask", "encoder_hidden_states", "encoder_attention_mask"),
    *("frame_condition", "frame_mask", "low_res", "low_res_timestep"),
)


@dataclass
class WaltModelOutput(ModelOutput):
    """Features of one denoising step.

    Args:
        last_hidden_state: (B, T'*H'*W', D), output of the last block that ran; tokens in the order t, h, w.
        hidden_states: the embedding, then the output of every block, each (B, T'*H'*W', D); None where it was not
            asked for.
        attentions: for every block that ran the weights of its self-attention, (B * windows, heads, L, L), L tokens
            to a window.
    """

    last_hidden_state: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor | None, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


class WaltModel(WaltPreTrainedModel):
    """Tokenizer and denoiser as an encoder; `self.vae` and `self.transformer` are the diffusers models."""

    def __init__(self, config: WaltConfig) -> None:
        super().__init__(config)
        self.vae: AutoencoderWalt = AutoencoderWalt.from_config(config.vae_config)
        self.transformer: WaltTransformer3DModel = WaltTransformer3DModel.from_config(config.transformer_config)
        self.post_init()
        if config._attn_implementation == "eager":
            self._apply_attention()

    @cached_property
    def scheduler(self) -> DDIMScheduler:
        """The noise schedule, made on first use: loading builds the model without memory for any tensor."""
        return make_scheduler(**(self.config.scheduler_config or {}))

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        pixel_values_videos: torch.Tensor | None = None,
        latents: torch.Tensor | None = None,
        timestep: int | torch.Tensor | None = None,
        seed: int | Sequence[int] | None = None,
        latent_noise: torch.Tensor | None = None,
        output_hidden_states: bool | int | Sequence[int] | None = None,
        output_attentions: bool | None = None,
        stop_early: bool | None = None,
        **kwargs: Any,
    ) -> WaltModelOutput:
        """Noise the latents to `timestep` and read the blocks; give one of the first three arguments.

        Args:
            pixel_values: images (B, 3, H, W) or clips (B, 3, 1 + 4k, H, W), in [-1, 1].
            pixel_values_videos: clips (B, 1 + 4k, 3, H, W) in [-1, 1], the order of transformers' video processors.
            latents: normalised clean latents (B, c, 1 + k, h, w).
            timestep: noise level in [0, 999], one or (B,); by default `config.timestep`.
            seed: seed of the noise, drawn on the CPU for each sample alone, so that a sample's features do not
                depend on its batch. One seed gives every sample the same noise; a sequence gives each its own. By
                default `config.seed`.
            latent_noise: (B, c, 1 + k, h, w) standard normal noise instead of a drawn one.
            output_hidden_states: True for all; an index or several for those alone (0 is the embedding, i the output
                of block i - 1, negative from the end), the other entries being None.
            output_attentions: also return attention weights, which are then computed step by step.
            stop_early: run no block beyond the deepest hidden state asked for; `last_hidden_state` is then the last
                block's that ran. By default so where `output_hidden_states` names indices.
            kwargs: conditions of the denoiser by name (`class_labels`, `encoder_hidden_states` and others of its
                `forward`), which are null if absent. What else comes is ignored, for the callers of transformers.

        Raises:
            ValueError: none or several inputs, a timestep outside [0, 999], a hidden state that does not exist, or a
                denoiser whose block cache is on.
        """
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        if output_attentions is None:
            output_attentions = self.config.output_attentions
        count = self.config.num_hidden_layers
        wanted = resolve_hidden_states(output_hidden_states, count + 1)
        conditions = {name: kwargs[name] for name in CONDITIONS if kwargs.get(name) is not None}
        clean = self.encode_latents(pixel_values, pixel_values_videos, latents)
        if stop_early is None:
            stop_early = is_selection(output_hidden_states)
        last = max(1, max(wanted, default=count)) if stop_early else count
        if not wanted and not output_attentions:
            tokens = self.read(clean, last - 1, timestep, seed, latent_noise, **conditions).flatten(1, 3)
            return WaltModelOutput(last_hidden_state=tokens)
        checkpointing = self.transformer.gradient_checkpointing and torch.is_grad_enabled()
        with BlockRecorder(self.transformer.blocks, wanted | {last}, bool(output_attentions), checkpointing) as seen:
            self.read(clean, last - 1, timestep, seed, latent_noise, **conditions)
        states = tuple(seen.hidden_states[index] if index in wanted else None for index in range(count + 1))
        return WaltModelOutput(
            last_hidden_state=seen.hidden_states[last],
            hidden_states=states if wanted else None,
            attentions=tuple(seen.attentions) if seen.attentions is not None else None,
        )

    def read(
        self,
        latents: torch.Tensor,
        layer: int,
        timestep: int | torch.Tensor | None = None,
        seed: int | Sequence[int] | None = None,
        latent_noise: torch.Tensor | None = None,
        **conditions: torch.Tensor | None,
    ) -> torch.Tensor:
        """Output of one block as a map (B, T', H', W', D); no later block runs.

        Args:
            latents: normalised clean latents (B, c, 1 + k, h, w).
            layer: block index, negative from the end.
            timestep, seed, latent_noise, conditions: as in `forward`.
        """
        if self.transformer.is_cache_enabled:
            raise ValueError(
                "the denoiser's block cache must be off, got on (it skips blocks, whose features would lie)"
            )
        steps = self._timesteps(timestep, latents)
        seed = self.config.seed if seed is None else seed
        drawn = noise_like(latents, seed) if latent_noise is None else latent_noise.to(latents)
        noisy = self.scheduler.add_noise(latents, drawn, steps)
        with _awake(self.transformer):
            return self.transformer.forward_intermediates(noisy, steps, [layer], **conditions)[0]

    def encode_latents(
        self,
        pixel_values: torch.Tensor | None = None,
        pixel_values_videos: torch.Tensor | None = None,
        latents: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Normalised clean latents (B, c, 1 + k, h, w) of exactly one of the three."""
        given = {"pixel_values": pixel_values, "pixel_values_videos": pixel_values_videos, "latents": latents}
        names = [name for name, value in given.items() if value is not None]
        if len(names) != 1:
            raise ValueError(f"give exactly one of {', '.join(given)}, got {', '.join(names) or 'none'}")
        if latents is not None:
            return latents.to(self._device, self.dtype)
        pixels = pixel_values if pixel_values_videos is None else pixel_values_videos.transpose(1, 2)
        assert pixels is not None
        if pixels.ndim == 4:
            pixels = pixels.unsqueeze(2)
        return self.vae.normalize(self.vae.encode(pixels.to(self._device, self.dtype)).latent_dist.mode())

    def token_grid(self, num_frames: int, height: int, width: int) -> tuple[int, int, int]:
        """(T', H', W') of the tokens of a clip of `num_frames` x `height` x `width` pixels."""
        stride = self.vae.spatial_compression_ratio * self.transformer.config["patch_size"]
        steps = 1 + (num_frames - 1) // self.vae.temporal_compression_ratio
        return steps, height // stride, width // stride

    def grid_of(self, latents: torch.Tensor) -> tuple[int, int, int]:
        """(T', H', W') of the tokens of latents (B, c, T', h, w)."""
        patch = self.transformer.config["patch_size"]
        return latents.shape[2], latents.shape[3] // patch, latents.shape[4] // patch

    @property
    def _device(self) -> torch.device:
        """Where the computation runs; weights that wait elsewhere have none or another."""
        if self.device.type != "meta":
            return self.device
        hooks = (getattr(module, "_hf_hook", None) for module in self.modules())
        devices = (getattr(hook, "execution_device", None) for hook in hooks)
        return torch.device(next((device for device in devices if device is not None), self.device))

    def _timesteps(self, timestep: int | torch.Tensor | None, latents: torch.Tensor) -> torch.Tensor:
        timestep = self.config.timestep if timestep is None else timestep
        steps = torch.as_tensor(timestep, device=latents.device).reshape(-1)
        last = self.scheduler.config.num_train_timesteps - 1
        if steps.is_floating_point() or steps.min() < 0 or steps.max() > last:
            raise ValueError(f"timestep must be an integer in [0, {last}], got {timestep}")
        return steps.long().expand(latents.shape[0])


@contextmanager
def _awake(module: torch.nn.Module) -> Iterator[None]:
    """Fetches what offloading keeps elsewhere: its hooks know `forward`, and not the other ways into a module."""
    hook = getattr(module, "_hf_hook", None)
    if hook is not None:
        hook.pre_forward(module)
    try:
        yield
    finally:
        if hook is not None:
            hook.post_forward(module, None)
