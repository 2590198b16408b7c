# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What all WALT pipelines share: components, the noise, the loop, the decoder."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.utils.torch_utils import randn_tensor
from diffusers.video_processor import VideoProcessor
from huggingface_hub.utils import are_progress_bars_disabled
from tqdm.auto import tqdm

from .autoencoder_walt import AutoencoderWalt
from .pipeline_conditions import Conditions
from .pipeline_folder import WaltFolderPipeline
from .pipeline_guidance import Guidance
from .pipeline_inputs import StepCallback
from .pipeline_output import WaltPipelineOutput
from .pipeline_text import TextStates, encode_prompt, given_states
from .scheduler_walt import clean_from_velocity
from .transformer_walt import WaltTransformer3DModel

Generators = torch.Generator | list[torch.Generator] | None


class WaltBasePipeline(WaltFolderPipeline):
    """Noise to normalised latents by DDIM over v-predictions, with self-conditioning (WALT §3, §4.3), and to pixels.

    Args:
        vae: the tokenizer, whose config holds the statistics of the latents.
        transformer: the denoiser.
        scheduler: v-prediction scheduler, as `make_scheduler()` gives.
        text_encoder: encoder of prompts (WALT: T5-XL), for a denoiser with `text_dim`; None where embeddings are given.
        tokenizer: of the text encoder.

    Raises:
        ValueError: components that do not fit.
    """

    model_cpu_offload_seq = "text_encoder->transformer->vae"
    _optional_components = ["text_encoder", "tokenizer"]
    _callback_tensor_inputs = ["latents", "self_condition"]

    def __init__(
        self,
        vae: AutoencoderWalt,
        transformer: WaltTransformer3DModel,
        scheduler: DDIMScheduler,
        text_encoder: Any = None,
        tokenizer: Any = None,
    ) -> None:
        super().__init__()
        check_components(vae, transformer, scheduler, text_encoder)
        self.register_modules(
            vae=vae, transformer=transformer, scheduler=scheduler, text_encoder=text_encoder, tokenizer=tokenizer
        )
        self.video_processor = VideoProcessor(vae_scale_factor=vae.spatial_compression_ratio)
        self._guidance = Guidance()
        self._num_timesteps = 0
        self._interrupt = False

    @property
    def guidance_scale(self) -> float:
        """Weight of guidance in the current call."""
        return self._guidance.scale

    @property
    def num_timesteps(self) -> int:
        """Steps of the current call."""
        return self._num_timesteps

    @property
    def interrupt(self) -> bool:
        """Set `pipeline._interrupt = True` in a callback to stop denoising and decode what is there."""
        return self._interrupt

    @property
    def default_num_frames(self) -> int:
        """Frames of a training sample: 1 for I-WALT, 1 + 4k for V-WALT."""
        if self.transformer.config.objective == "image":
            return 1
        return 1 + (self.transformer.config.sample_frames - 1) * self.vae.temporal_compression_ratio

    @property
    def default_size(self) -> tuple[int, int]:
        """Height and width of a training sample in pixels."""
        size, ratio = self.transformer.config.sample_size, self.vae.spatial_compression_ratio
        height, width = (size, size) if isinstance(size, int) else size
        return height * ratio, width * ratio

    def _size(self, height: int | None, width: int | None) -> tuple[int, int]:
        own = self.default_size
        return own[0] if height is None else height, own[1] if width is None else width

    def encode_prompts(
        self,
        prompt: str | Sequence[str] | None,
        negative_prompt: str | Sequence[str] | None,
        prompt_embeds: torch.Tensor | None,
        prompt_attention_mask: torch.Tensor | None,
        negative_prompt_embeds: torch.Tensor | None,
        negative_prompt_attention_mask: torch.Tensor | None,
        max_sequence_length: int,
    ) -> tuple[TextStates | None, TextStates | None]:
        """States of prompts and negative prompts, encoded or as given.

        Raises:
            ValueError: a prompt both as text and as embeddings, or text that the pipeline cannot encode.
        """
        pairs = (
            ("prompt", prompt, prompt_embeds, prompt_attention_mask),
            ("negative_prompt", negative_prompt, negative_prompt_embeds, negative_prompt_attention_mask),
        )
        found = []
        for name, text, states, mask in pairs:
            if text is not None and states is not None:
                raise ValueError(f"give {name} or {name}_embeds, got both")
            if text is None:
                found.append(given_states(states, mask, name))
                continue
            options = {"max_sequence_length": max_sequence_length, "device": self._execution_device, "name": name}
            found.append(encode_prompt(self.tokenizer, self.text_encoder, text, **options))
        return found[0], found[1]

    def prepare_latents(
        self,
        batch_size: int,
        num_frames: int,
        height: int,
        width: int,
        device: torch.device,
        generator: Generators,
        latents: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Standard normal (B, c, T', h, w), or the given latents after a check of their shape."""
        space, time = self.vae.spatial_compression_ratio, self.vae.temporal_compression_ratio
        steps = 1 + (num_frames - 1) // time
        shape = (batch_size, self.vae.config.latent_channels, steps, height // space, width // space)
        if latents is None:
            if isinstance(generator, list) and len(generator) != batch_size:
                raise ValueError(f"generator must be one, or one per sample ({batch_size}), got {len(generator)}")
            latents = randn_tensor(shape, generator=generator, device=device, dtype=self.transformer.dtype)
        if tuple(latents.shape) != shape:
            raise ValueError(f"latents must be {shape}, got {tuple(latents.shape)}")
        return latents.to(device, self.transformer.dtype) * self.scheduler.init_noise_sigma

    def encode_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """Normalised latents (N, c, T', h, w) of pixels (N, 3, T, H, W) in [-1, 1]."""
        latents = self.vae.encode(pixels.to(self._execution_device, self.vae.dtype)).latent_dist.mode()
        return self.vae.normalize(latents).to(self.transformer.dtype)

    def progress_bar(self, iterable: Any = None, total: int | None = None) -> Any:
        """A tqdm bar, silent where Hugging Face's bars are (HF_HUB_DISABLE_PROGRESS_BARS)."""
        if are_progress_bars_disabled():
            return tqdm(iterable, total=total, disable=True)
        return super().progress_bar(iterable, total)

    def _denoise(
        self,
        latents: torch.Tensor,
        num_inference_steps: int,
        conditions: Conditions,
        guidance: Guidance,
        generator: Generators,
        eta: float,
        callback: StepCallback,
    ) -> torch.Tensor:
        """Noise to clean normalised latents; each step is told the clean latents that the last one foresaw."""
        self.scheduler.set_timesteps(num_inference_steps, device=latents.device)
        self._guidance, self._num_timesteps = guidance, len(self.scheduler.timesteps)
        step_arguments = self._step_arguments(generator, eta)
        estimate: torch.Tensor | None = None
        with self.progress_bar(total=self._num_timesteps) as progress_bar:
            for step, timestep in enumerate(self.scheduler.timesteps):
                if self._interrupt:
                    continue
                velocity = self._predict(latents, timestep, conditions, estimate, guidance)
                if self.transformer.config.self_condition:
                    estimate = clean_from_velocity(latents, velocity, timestep, self.scheduler.alphas_cumprod)
                latents = self.scheduler.step(velocity, timestep, latents, **step_arguments).prev_sample
                latents, estimate = callback(self, step, timestep, latents, estimate)
                progress_bar.update()
        return latents

    def _predict(
        self,
        latents: torch.Tensor,
        timestep: torch.Tensor,
        conditions: Conditions,
        estimate: torch.Tensor | None,
        guidance: Guidance,
    ) -> torch.Tensor:
        """Velocity at one step, guided if there is what to guide by."""
        model_input = self.scheduler.scale_model_input(latents, timestep)
        told = {"timestep": timestep.expand(latents.shape[0]), "self_condition": estimate, "return_dict": False}
        with self.transformer.cache_context("cond"):
            velocity = self.transformer(model_input, **told, **conditions.positive())[0]
        if not guidance.is_on or not conditions.can_guide:
            return velocity
        with self.transformer.cache_context("uncond"):
            null = self.transformer(model_input, **told, **conditions.null())[0]
        weight = guidance.at(float(timestep), self.scheduler.config.num_train_timesteps)
        return guidance.combine(velocity, null, weight)

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Pixels (N, 3, T, H, W), about [-1, 1], of normalised latents (N, c, T', h, w)."""
        raw = self.vae.denormalize(latents.to(self.vae.dtype))
        return self.vae.decode(raw, return_dict=False)[0]

    def _decode(self, latents: torch.Tensor, output_type: str) -> Any:
        pixels = self.decode_latents(latents)
        if pixels.shape[2] == 1:
            return self.video_processor.postprocess(pixels[:, :, 0], output_type)
        return self.video_processor.postprocess_video(pixels, output_type)

    def _finish(self, latents: torch.Tensor, output_type: str, return_dict: bool) -> WaltPipelineOutput | tuple:
        """Decode, let go of offloaded models, and wrap."""
        decoded = latents if output_type == "latent" else self._decode(latents, output_type)
        return self._wrap(decoded, latents.shape[2] == 1, return_dict)

    def _wrap(self, decoded: Any, are_images: bool, return_dict: bool) -> WaltPipelineOutput | tuple:
        self.maybe_free_model_hooks()
        output = WaltPipelineOutput(**{"images" if are_images else "frames": decoded})
        return output if return_dict else output.to_tuple()

    def _step_arguments(self, generator: Any, eta: float) -> dict[str, Any]:
        # Not every scheduler of diffusers takes these two.
        accepted = inspect.signature(self.scheduler.step).parameters
        given = {"generator": generator, "eta": eta}
        return {name: value for name, value in given.items() if name in accepted}


def check_components(vae: Any, transformer: Any, scheduler: Any, text_encoder: Any = None) -> None:
    """Raise ValueError where the parts of a pipeline do not fit."""
    channels = vae.config.latent_channels
    if channels != transformer.config.in_channels:
        raise ValueError(
            f"transformer in_channels must equal the vae's latent_channels={channels}, "
            f"got {transformer.config.in_channels}"
        )
    if scheduler.config.prediction_type != "v_prediction":
        raise ValueError(f"scheduler prediction_type must be 'v_prediction', got {scheduler.config.prediction_type!r}")
    width = getattr(getattr(text_encoder, "config", None), "d_model", None)
    if width is not None and width != transformer.config.text_dim:
        raise ValueError(f"text_encoder must have the denoiser's text_dim={transformer.config.text_dim}, got {width}")
