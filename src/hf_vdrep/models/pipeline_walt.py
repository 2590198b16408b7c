# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Sampling images and videos with a WALT denoiser, and saving the folder that two libraries load."""

import inspect
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.utils.hub_utils import load_or_create_model_card, populate_model_card
from diffusers.utils.torch_utils import randn_tensor
from diffusers.video_processor import VideoProcessor
from huggingface_hub import create_repo
from huggingface_hub.utils import are_progress_bars_disabled
from tqdm.auto import tqdm

from .autoencoder_walt import AutoencoderWalt
from .folder import check_folder, write_transformers_face
from .folder_writing import cast_weights, staged_folder
from .pipeline_inputs import StepCallback, check_inputs, class_label_tensor, local_folder
from .pipeline_output import WaltPipelineOutput
from .scheduler_walt import clean_from_velocity
from .transformer_walt import WaltTransformer3DModel


class WaltPipeline(DiffusionPipeline):
    """Noise to images or videos by DDIM over v-predictions, with self-conditioning (WALT §3, §4.3).

    Args:
        vae: the tokenizer, whose config holds the statistics of the latents.
        transformer: the denoiser; `objective="image"` (I-WALT) makes images only.
        scheduler: v-prediction scheduler, as `make_scheduler()` gives.
    """

    model_cpu_offload_seq = "transformer->vae"
    _callback_tensor_inputs = ["latents", "self_condition"]

    def __init__(self, vae: AutoencoderWalt, transformer: WaltTransformer3DModel, scheduler: DDIMScheduler) -> None:
        super().__init__()
        if vae.config.latent_channels != transformer.config.in_channels:
            raise ValueError(
                f"transformer in_channels must equal the vae's latent_channels={vae.config.latent_channels}, "
                f"got {transformer.config.in_channels}"
            )
        if scheduler.config.prediction_type != "v_prediction":
            raise ValueError(
                f"scheduler prediction_type must be 'v_prediction', got {scheduler.config.prediction_type!r}"
            )
        self.register_modules(vae=vae, transformer=transformer, scheduler=scheduler)
        self.video_processor = VideoProcessor(vae_scale_factor=vae.spatial_compression_ratio)

    @property
    def default_num_frames(self) -> int:
        """Frames of a training sample: 1 for I-WALT, 1 + 4k for V-WALT."""
        if self.transformer.config.objective == "image":
            return 1
        return 1 + (self.transformer.config.sample_frames - 1) * self.vae.temporal_compression_ratio

    @torch.no_grad()
    def __call__(
        self,
        class_labels: int | Sequence[int] | torch.Tensor | None = None,
        batch_size: int | None = None,
        num_frames: int | None = None,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int = 50,
        guidance_scale: float = 1.0,
        eta: float = 0.0,
        num_images_per_prompt: int = 1,
        generator: torch.Generator | list[torch.Generator] | None = None,
        latents: torch.Tensor | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: Callable[..., dict] | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
    ) -> WaltPipelineOutput | tuple:
        """Sample.

        Args:
            class_labels: one label for all samples, or one each; None is the null class.
            batch_size: samples; by default one per class label, or 1.
            num_frames: 1 for images, else 1 + 4k; by default what the denoiser was trained on.
            height: pixels; by default the training size.
            width: pixels; by default the training size.
            num_inference_steps: DDIM steps.
            guidance_scale: weight of classifier-free guidance; 1.0 is none. Needs `class_labels`.
            eta: DDIM's noise; 0.0 is deterministic.
            num_images_per_prompt: samples drawn for each of the `batch_size`.
            generator: source of the noise; a list gives each sample its own.
            latents: (N, c, T', h, w) standard normal start instead of a drawn one.
            output_type: "pil", "np" or "pt" (both in [0, 1]), or "latent" (normalised latents).
            return_dict: return a `WaltPipelineOutput` rather than a tuple.
            callback_on_step_end: called as (pipeline, step, timestep, tensors); what it returns replaces tensors.
            callback_on_step_end_tensor_inputs: of `latents` and `self_condition`, those to hand to the callback.

        Returns:
            `.images` if `num_frames` is 1, else `.frames`.

        Raises:
            ValueError: an I-WALT asked for video, or an argument that disagrees with the models.
        """
        num_frames = self.default_num_frames if num_frames is None else num_frames
        side = self.transformer.config.sample_size * self.vae.spatial_compression_ratio
        height, width = side if height is None else height, side if width is None else width
        check_inputs(self, num_frames, height, width, guidance_scale, class_labels, output_type)
        device = self._execution_device
        labels, total = class_label_tensor(class_labels, batch_size, num_images_per_prompt, device)
        callback = StepCallback(callback_on_step_end, callback_on_step_end_tensor_inputs)
        start = self.prepare_latents(total, num_frames, height, width, device, generator, latents)
        sampled = self._denoise(start, num_inference_steps, labels, guidance_scale, generator, eta, callback)
        decoded = sampled if output_type == "latent" else self._decode(sampled, output_type)
        self.maybe_free_model_hooks()
        output = WaltPipelineOutput(**{"images" if num_frames == 1 else "frames": decoded})
        return output if return_dict else output.to_tuple()

    def prepare_latents(
        self,
        batch_size: int,
        num_frames: int,
        height: int,
        width: int,
        device: torch.device,
        generator: torch.Generator | list[torch.Generator] | None,
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

    def progress_bar(self, iterable: Any = None, total: int | None = None) -> Any:
        """A tqdm bar, silent where Hugging Face's bars are (HF_HUB_DISABLE_PROGRESS_BARS)."""
        if are_progress_bars_disabled():
            return tqdm(iterable, total=total, disable=True)
        return super().progress_bar(iterable, total)

    def _denoise(
        self,
        latents: torch.Tensor,
        num_inference_steps: int,
        labels: torch.Tensor | None,
        guidance_scale: float,
        generator: Any,
        eta: float,
        callback: StepCallback,
    ) -> torch.Tensor:
        """Noise to clean normalised latents; each step is told the clean latents that the last one foresaw."""
        self.scheduler.set_timesteps(num_inference_steps, device=latents.device)
        step_arguments = self._step_arguments(generator, eta)
        estimate: torch.Tensor | None = None
        with self.progress_bar(total=num_inference_steps) as progress_bar:
            for step, timestep in enumerate(self.scheduler.timesteps):
                velocity = self._predict(latents, timestep, labels, estimate, guidance_scale)
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
        labels: torch.Tensor | None,
        estimate: torch.Tensor | None,
        guidance_scale: float,
    ) -> torch.Tensor:
        """Velocity at one step; with guidance null + scale * (labelled - null)."""
        model_input = self.scheduler.scale_model_input(latents, timestep)
        time = timestep.expand(latents.shape[0])
        with self.transformer.cache_context("cond"):
            velocity = self.transformer(model_input, time, labels, estimate, return_dict=False)[0]
        if guidance_scale == 1.0 or labels is None:
            return velocity
        with self.transformer.cache_context("uncond"):
            null = self.transformer(model_input, time, None, estimate, return_dict=False)[0]
        return torch.lerp(null, velocity, guidance_scale)

    def _decode(self, latents: torch.Tensor, output_type: str) -> Any:
        raw = self.vae.denormalize(latents.to(self.vae.dtype))
        pixels = self.vae.decode(raw, return_dict=False)[0]
        if pixels.shape[2] == 1:
            return self.video_processor.postprocess(pixels[:, :, 0], output_type)
        return self.video_processor.postprocess_video(pixels, output_type)

    def _step_arguments(self, generator: Any, eta: float) -> dict[str, Any]:
        # Not every scheduler of diffusers takes these two.
        accepted = inspect.signature(self.scheduler.step).parameters
        given = {"generator": generator, "eta": eta}
        return {name: value for name, value in given.items() if name in accepted}

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike, **kwargs: Any) -> "WaltPipeline":
        """Load a local folder, checked first, or a Hub repository; float32 unless `dtype` says otherwise.

        Raises:
            ModelFolderError: a local folder that is missing or has a missing or corrupt file.
        """
        if (folder := local_folder(pretrained_model_name_or_path)) is not None:
            check_folder(folder)
        return super().from_pretrained(str(pretrained_model_name_or_path), **kwargs)

    def save_pretrained(
        self,
        save_directory: str | os.PathLike,
        safe_serialization: bool = True,
        variant: str | None = None,
        max_shard_size: int | str | None = None,
        push_to_hub: bool = False,
        storage_dtype: torch.dtype | None = None,
        transformers_config: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the folder that `DiffusionPipeline` and `AutoModel` both load; a crash leaves no half of it.

        Args:
            save_directory: the folder; other files in it stay.
            safe_serialization: must be True.
            variant: file-name variant, for the diffusers face only.
            max_shard_size: as in diffusers.
            push_to_hub: upload the folder after it is whole; `repo_id`, `private`, `token`, `create_pr` and
                `commit_message` go with it.
            storage_dtype: precision on disk, such as torch.float16; both faces still load float32.
            transformers_config: further keys of the root `config.json`, such as `timestep`.

        Raises:
            ValueError: `safe_serialization=False`.
            ModelFolderError: the folder cannot be written.
        """
        if not safe_serialization:
            raise ValueError("safe_serialization must be True, got False (weights are only written as safetensors)")
        with staged_folder(save_directory, replace_weights=variant is None) as stage:
            super().save_pretrained(str(stage), variant=variant, max_shard_size=max_shard_size)
            if storage_dtype is not None:
                cast_weights(stage, storage_dtype)
            if variant is None:
                write_transformers_face(stage, transformers_config)
        if push_to_hub:
            self._push_folder(Path(save_directory), **kwargs)

    def _push_folder(
        self,
        folder: Path,
        repo_id: str | None = None,
        private: bool | None = None,
        token: str | None = None,
        commit_message: str | None = None,
        create_pr: bool = False,
    ) -> None:
        # diffusers would upload before the transformers face is written.
        repo_id = create_repo(repo_id or folder.name, private=private, token=token, exist_ok=True).repo_id
        if not (folder / "README.md").exists():
            card = populate_model_card(load_or_create_model_card(repo_id, token=token, is_pipeline=True))
            card.save(folder / "README.md")
        self._upload_folder(folder, repo_id, token=token, commit_message=commit_message, create_pr=create_pr)
