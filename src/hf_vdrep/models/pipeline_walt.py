# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Images and videos from nothing, from class labels, or from text."""

from collections.abc import Callable, Sequence

import torch

from .pipeline_base import Generators, WaltBasePipeline
from .pipeline_conditions import Conditions
from .pipeline_guidance import Guidance
from .pipeline_inputs import StepCallback, check_conditions, check_size, sample_count, spread
from .pipeline_output import WaltPipelineOutput
from .pipeline_text import MAX_SEQUENCE_LENGTH


class WaltPipeline(WaltBasePipeline):
    """Noise to images or videos by DDIM over v-predictions, with self-conditioning (WALT §3, §4.3).

    The denoiser decides what is made: `objective="image"` (I-WALT) makes images only, `num_classes` takes class labels,
    `text_dim` takes prompts. Components are those of `WaltBasePipeline`.
    """

    @torch.no_grad()
    def __call__(
        self,
        class_labels: int | Sequence[int] | torch.Tensor | None = None,
        prompt: str | Sequence[str] | None = None,
        negative_prompt: str | Sequence[str] | None = None,
        batch_size: int | None = None,
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
        """Sample.

        Args:
            class_labels: one label for all samples, or one each; None is the null class.
            prompt: one text for all samples, or one each; None is the null text.
            negative_prompt: what guidance leads away from; the null text where None.
            batch_size: samples; by default one per label or prompt, or 1.
            num_frames: 1 for images, else 1 + 4k; by default what the denoiser was trained on.
            height, width: pixels; by default the training size.
            num_inference_steps: DDIM steps.
            guidance_scale: weight of classifier-free guidance; 1.0 is none. Needs labels or prompts.
            guidance_schedule, guidance_power: "constant", or "power-cosine" with its exponent; see `Guidance`.
            guidance_rescale: share of the rescaling of Lin et al. 2023 §3.4, in [0, 1].
            eta: DDIM's noise; 0.0 is deterministic.
            num_images_per_prompt: samples drawn for each of the `batch_size`.
            generator: source of the noise; a list gives each sample its own.
            latents: (N, c, T', h, w) standard normal start instead of a drawn one.
            prompt_embeds, prompt_attention_mask: (B, L, D) states of a text encoder and their mask instead of `prompt`.
            negative_prompt_embeds, negative_prompt_attention_mask: likewise.
            max_sequence_length: tokens that prompts are padded or cut to.
            output_type: "pil", "np" or "pt" (both in [0, 1]), or "latent" (normalised latents).
            return_dict: return a `WaltPipelineOutput` rather than a tuple.
            callback_on_step_end: called as (pipeline, step, timestep, tensors); what it returns replaces tensors.
            callback_on_step_end_tensor_inputs: of `latents` and `self_condition`, those to hand to the callback.

        Returns:
            `.images` if `num_frames` is 1, else `.frames`.

        Raises:
            ValueError: an I-WALT asked for video, or an argument that disagrees with the models.
        """
        self._interrupt = False
        num_frames = self.default_num_frames if num_frames is None else num_frames
        height, width = self._size(height, width)
        guidance = Guidance(guidance_scale, guidance_schedule, guidance_power, guidance_rescale)
        check_size(self, num_frames, height, width, output_type)
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
        check_conditions(self, class_labels, texts[0], guidance, negative=texts[1])
        total = sample_count(batch_size, num_images_per_prompt, class_labels=class_labels, prompt=texts[0])
        conditions = spread(Conditions(), class_labels, *texts, total, num_images_per_prompt, self._execution_device)
        start = self.prepare_latents(total, num_frames, height, width, self._execution_device, generator, latents)
        sampled = self._denoise(start, num_inference_steps, conditions, guidance, generator, eta, callback)
        return self._finish(sampled, output_type, return_dict)
