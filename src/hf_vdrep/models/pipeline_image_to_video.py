# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Films that go on from a picture or from the end of another film (WALT §4.4, App. A)."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from .autoencoder_walt import AutoencoderWalt
from .pipeline_base import Generators, WaltBasePipeline
from .pipeline_conditions import Conditions
from .pipeline_guidance import Guidance
from .pipeline_inputs import StepCallback, check_conditions, check_size, sample_count, spread
from .pipeline_output import WaltPipelineOutput
from .pipeline_pixels import Film, Picture, image_pixels, video_pixels
from .pipeline_text import MAX_SEQUENCE_LENGTH
from .transformer_walt import WaltTransformer3DModel


class WaltImageToVideoPipeline(WaltBasePipeline):
    """Video from a first picture (one latent frame is given) or from the last five frames of a film (two are).

    More frames than the denoiser makes at once are made in pieces: each goes on from the last five frames of what is
    there, encoded anew. Components are those of `WaltBasePipeline`.

    Raises:
        ValueError: a denoiser without `frame_conditioning`, or one of images.
    """

    def __init__(
        self,
        vae: AutoencoderWalt,
        transformer: WaltTransformer3DModel,
        scheduler: DDIMScheduler,
        text_encoder: Any = None,
        tokenizer: Any = None,
    ) -> None:
        config = transformer.config
        if not config.frame_conditioning or config.objective != "video":
            raise ValueError(
                "transformer must be a video model with frame_conditioning, "
                f"got objective={config.objective!r}, frame_conditioning={config.frame_conditioning}"
            )
        super().__init__(vae, transformer, scheduler, text_encoder, tokenizer)

    @torch.no_grad()
    def __call__(
        self,
        image: Picture | Sequence[Picture] | None = None,
        video: Film | Sequence[Film] | None = None,
        class_labels: int | Sequence[int] | torch.Tensor | None = None,
        prompt: str | Sequence[str] | None = None,
        negative_prompt: str | Sequence[str] | None = None,
        num_frames: int | None = None,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int = 50,
        guidance_scale: float = 1.0,
        guidance_schedule: str = "constant",
        guidance_power: float = 4.0,
        guidance_rescale: float = 0.0,
        eta: float = 0.0,
        num_images_per_prompt: int = 1,
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
        """Sample. Arguments that `WaltPipeline` has too mean the same.

        Args:
            image: first frame, one for each sample or one for all; see `image_pixels` for forms.
            video: film to go on from instead; its last five frames count and open the result.
            num_frames: 1 + 4k, the given frames included; beyond the training length, in pieces.
            guidance_scale: weight of guidance by everything that is given, frames too.
            latents: start of the first piece.
            output_type: "pil", "np", "pt", or "latent" (of one piece alone).

        Returns:
            `.frames` of every sample.

        Raises:
            ValueError: neither or both of `image` and `video`, a film of fewer than five frames, or an argument that
                disagrees with the models.
        """
        self._interrupt = False
        num_frames = self.default_num_frames if num_frames is None else num_frames
        height, width = self._size(height, width)
        guidance = Guidance(guidance_scale, guidance_schedule, guidance_power, guidance_rescale)
        self._check_length(num_frames, output_type)
        check_size(self, min(num_frames, self.default_num_frames), height, width, output_type)
        callback = StepCallback(callback_on_step_end, callback_on_step_end_tensor_inputs)
        texts = self.encode_prompts(
            prompt,
            negative_prompt,
            prompt_embeds,
            prompt_attention_mask,
            negative_prompt_embeds,
            negative_prompt_attention_mask,
            max_sequence_length,
        )
        check_conditions(self, class_labels, texts[0], guidance, framed=True, negative=texts[1])
        pixels = self._given_pixels(image, video, height, width)
        total = sample_count(
            None, num_images_per_prompt, class_labels=class_labels, prompt=texts[0], frames=pixels[:, 0, 0, 0, 0]
        )
        pixels = pixels.repeat_interleave(total if len(pixels) == 1 else num_images_per_prompt, 0)
        conditions = spread(Conditions(), class_labels, *texts, total, num_images_per_prompt, self._execution_device)
        sample = _Sampling(self, num_inference_steps, conditions, guidance, generator, eta, callback)
        if num_frames <= self.default_num_frames:
            return self._finish(sample(pixels, num_frames, latents), output_type, return_dict)
        film = self._long_film(sample, pixels, num_frames, latents)
        return self._wrap(self.video_processor.postprocess_video(film, output_type), False, return_dict)

    @property
    def _overlap(self) -> int:
        """Frames of two latent frames: five."""
        return 1 + self.vae.temporal_compression_ratio

    def _check_length(self, num_frames: int, output_type: str) -> None:
        time = self.vae.temporal_compression_ratio
        if num_frames < 1 + time or (num_frames - 1) % time:
            raise ValueError(f"num_frames must be 1 + {time}k and at least {1 + time}, got {num_frames}")
        if num_frames > self.default_num_frames <= self._overlap:
            raise ValueError(
                f"num_frames must be at most {self.default_num_frames}, got {num_frames}: a piece must be longer than "
                f"the {self._overlap} frames that it goes on from"
            )
        if output_type == "latent" and num_frames > self.default_num_frames:
            raise ValueError(
                f"num_frames must be at most {self.default_num_frames} for output_type 'latent', got {num_frames}"
            )

    def _given_pixels(self, image: Any, video: Any, height: int, width: int) -> torch.Tensor:
        """(N, 3, 1 or 5, H, W) in [-1, 1]."""
        if (image is None) == (video is None):
            raise ValueError(f"give exactly one of image and video, got {'none' if image is None else 'both'}")
        if video is None:
            return image_pixels(image, self.video_processor, height, width)
        pixels = video_pixels(video, self.video_processor, height, width)
        if pixels.shape[2] < self._overlap:
            raise ValueError(f"video must have at least {self._overlap} frames, got {pixels.shape[2]}")
        return pixels[:, :, -self._overlap :]

    def _long_film(
        self, sample: "_Sampling", pixels: torch.Tensor, num_frames: int, latents: torch.Tensor | None
    ) -> torch.Tensor:
        """(N, 3, num_frames, H, W): pieces that overlap by five frames."""
        longest = self.default_num_frames
        film = self.decode_latents(sample(pixels, longest, latents)).clamp(-1, 1)
        while film.shape[2] < num_frames and not self._interrupt:
            more = self.decode_latents(sample(film[:, :, -self._overlap :], longest)).clamp(-1, 1)
            film = torch.cat([film, more[:, :, self._overlap :]], dim=2)
        return film[:, :, :num_frames]


class _Sampling:
    """One piece after the other with the same settings."""

    def __init__(
        self,
        pipeline: WaltImageToVideoPipeline,
        steps: int,
        conditions: Conditions,
        guidance: Guidance,
        generator: Generators,
        eta: float,
        callback: StepCallback,
    ) -> None:
        self.pipeline, self.steps, self.conditions, self.guidance = pipeline, steps, conditions, guidance
        self.generator, self.eta, self.callback = generator, eta, callback

    def __call__(self, given: torch.Tensor, num_frames: int, latents: torch.Tensor | None = None) -> torch.Tensor:
        """Normalised latents (N, c, T', h, w) that begin with the latents of `given` (N, 3, 1 or 5, H, W)."""
        pipeline, height, width = self.pipeline, *given.shape[3:]
        known = pipeline.encode_pixels(given)
        device = known.device
        start = pipeline.prepare_latents(len(given), num_frames, height, width, device, self.generator, latents)
        count = min(known.shape[2], start.shape[2])
        frames = torch.zeros_like(start)
        frames[:, :, :count] = known[:, :, :count]
        mask = torch.arange(start.shape[2], device=device).lt(count).expand(len(start), -1)
        conditions = dataclasses.replace(self.conditions, frame_condition=frames, frame_mask=mask)
        sampled = pipeline._denoise(
            start, self.steps, conditions, self.guidance, self.generator, self.eta, self.callback
        )
        # The denoiser repeats what it was given; what was given is more exact.
        return torch.where(mask[:, None, :, None, None], frames, sampled)
