# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A larger version of a picture or film (WALT §4.5)."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.utils.torch_utils import randn_tensor

from .autoencoder_walt import AutoencoderWalt
from .pipeline_base import Generators, WaltBasePipeline
from .pipeline_conditions import Conditions
from .pipeline_guidance import Guidance
from .pipeline_inputs import StepCallback, check_conditions, check_size, sample_count, spread
from .pipeline_output import WaltPipelineOutput
from .pipeline_pixels import Film, Picture, check_one_given, check_sides, image_pixels, video_pixels
from .pipeline_text import MAX_SEQUENCE_LENGTH
from .transformer_walt import WaltTransformer3DModel


class WaltSuperResolutionPipeline(WaltBasePipeline):
    """Noise, told the latents of a small picture or film, to a larger one.

    The small latents get noise of a chosen level, which the denoiser is told: what an earlier stage did wrong is then
    painted over and not copied. Components are those of `WaltBasePipeline`.

    Raises:
        ValueError: a denoiser without `low_res_scale`.
    """

    def __init__(
        self,
        vae: AutoencoderWalt,
        transformer: WaltTransformer3DModel,
        scheduler: DDIMScheduler,
        text_encoder: Any = None,
        tokenizer: Any = None,
    ) -> None:
        if transformer.config.low_res_scale is None:
            raise ValueError("transformer must be a super-resolution model, got low_res_scale=None")
        super().__init__(vae, transformer, scheduler, text_encoder, tokenizer)

    @torch.no_grad()
    def __call__(
        self,
        image: Picture | Sequence[Picture] | None = None,
        video: Film | Sequence[Film] | None = None,
        low_res_latents: torch.Tensor | None = None,
        noise_level: int = 0,
        class_labels: int | Sequence[int] | torch.Tensor | None = None,
        prompt: str | Sequence[str] | None = None,
        negative_prompt: str | Sequence[str] | None = None,
        num_inference_steps: int = 50,
        guidance_scale: float = 1.0,
        guidance_schedule: str = "constant",
        guidance_power: float = 4.0,
        guidance_rescale: float = 0.0,
        eta: float = 0.0,
        generator: Generators = None,
        latents: torch.Tensor | None = None,
        prompt_embeds: torch.Tensor | None = None,
        prompt_attention_mask: torch.Tensor | None = None,
        negative_prompt_embeds: torch.Tensor | None = None,
        negative_prompt_attention_mask: torch.Tensor | None = None,
        max_sequence_length: int = MAX_SEQUENCE_LENGTH,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: Callable[..., dict] | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
    ) -> WaltPipelineOutput | tuple:
        """Sample one large version of every small one. Arguments that `WaltPipeline` has too mean the same.

        Args:
            image: small pictures, sides multiples of 8 pixels; see `image_pixels` for forms.
            video: small films of 1 + 4k frames instead.
            low_res_latents: (N, c, T', h, w) normalised latents of an earlier stage instead.
            noise_level: step in [0, 999] of the noise on the small latents.

        Returns:
            `.images` or `.frames`, `low_res_scale` times as large.

        Raises:
            ValueError: none or several of `image`, `video` and `low_res_latents`, or an argument that disagrees with
                the models.
        """
        self._interrupt = False
        guidance = Guidance(guidance_scale, guidance_schedule, guidance_power, guidance_rescale)
        steps = self.scheduler.config.num_train_timesteps
        if not 0 <= noise_level < steps:
            raise ValueError(f"noise_level must lie in [0, {steps - 1}], got {noise_level}")
        callback = StepCallback(callback_on_step_end, callback_on_step_end_tensor_inputs)
        small = self._small_latents(image, video, low_res_latents)
        num_frames, height, width = self._large_size(small)
        check_size(self, num_frames, height, width, output_type)
        texts = self.encode_prompts(
            prompt,
            negative_prompt,
            prompt_embeds,
            prompt_attention_mask,
            negative_prompt_embeds,
            negative_prompt_attention_mask,
            max_sequence_length,
        )
        check_conditions(self, class_labels, texts[0], guidance, negative=texts[1])
        total = sample_count(len(small), 1, class_labels=class_labels, prompt=texts[0])
        if isinstance(generator, list) and len(generator) != total:
            raise ValueError(f"generator must be one, or one per sample ({total}), got {len(generator)}")
        told = self._noised(small, noise_level, generator)
        conditions = spread(told, class_labels, *texts, total, 1, self._execution_device)
        start = self.prepare_latents(total, num_frames, height, width, small.device, generator, latents)
        sampled = self._denoise(start, num_inference_steps, conditions, guidance, generator, eta, callback)
        return self._finish(sampled, output_type, return_dict)

    def _small_latents(self, image: Any, video: Any, latents: torch.Tensor | None) -> torch.Tensor:
        given = check_one_given(image=image, video=video, low_res_latents=latents)
        if given == "low_res_latents":
            assert latents is not None
            return latents.to(self._execution_device, self.transformer.dtype)
        forms = {"image": (image_pixels, image), "video": (video_pixels, video)}
        read, value = forms[given]
        check_sides(given, value, self.vae.spatial_compression_ratio)
        return self.encode_pixels(read(value, self.video_processor, None, None))  # type: ignore[operator]

    def _large_size(self, small: torch.Tensor) -> tuple[int, int, int]:
        """Frames, height and width in pixels of the result."""
        side = self.vae.spatial_compression_ratio * self.transformer.config.low_res_scale
        frames = 1 + (small.shape[2] - 1) * self.vae.temporal_compression_ratio
        return frames, small.shape[3] * side, small.shape[4] * side

    def _noised(self, small: torch.Tensor, level: int, generator: Generators) -> Conditions:
        steps = torch.full((len(small),), level, device=small.device)
        if level == 0:
            return Conditions(low_res=small, low_res_timestep=steps)
        noise = randn_tensor(small.shape, generator=generator, device=small.device, dtype=small.dtype)
        return Conditions(low_res=self.scheduler.add_noise(small, noise, steps), low_res_timestep=steps)
