# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Small to large: a base model and one or two super-resolution models in a row (WALT §4.5, §5.3)."""

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from .autoencoder_walt import AutoencoderWalt
from .pipeline_base import WaltBasePipeline, check_components
from .pipeline_output import WaltPipelineOutput
from .pipeline_super_resolution import WaltSuperResolutionPipeline
from .pipeline_walt import WaltPipeline
from .transformer_walt import WaltTransformer3DModel

_LAST_STAGE = ("output_type", "return_dict")


class WaltCascadePipeline(WaltBasePipeline):
    """A base model's sample, enlarged by one or two further models over the same tokenizer.

    Args:
        vae, transformer, scheduler, text_encoder, tokenizer: of the base stage, as in `WaltBasePipeline`.
        transformer_2: denoiser of the second stage, with `low_res_scale`.
        transformer_3: of the third, or None.
    """

    model_cpu_offload_seq = "text_encoder->transformer->transformer_2->transformer_3->vae"
    _optional_components = ["text_encoder", "tokenizer", "transformer_3"]

    def __init__(
        self,
        vae: AutoencoderWalt,
        transformer: WaltTransformer3DModel,
        scheduler: DDIMScheduler,
        transformer_2: WaltTransformer3DModel,
        transformer_3: WaltTransformer3DModel | None = None,
        text_encoder: Any = None,
        tokenizer: Any = None,
    ) -> None:
        super().__init__(vae, transformer, scheduler, text_encoder, tokenizer)
        for name, stage in (("transformer_2", transformer_2), ("transformer_3", transformer_3)):
            if stage is None:
                continue
            check_components(vae, stage, scheduler, text_encoder if stage.config.text_dim is not None else None)
            if stage.config.low_res_scale is None:
                raise ValueError(f"{name} must be a super-resolution model, got low_res_scale=None")
        self.register_modules(transformer_2=transformer_2, transformer_3=transformer_3)

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | Sequence[str] | None = None,
        class_labels: int | Sequence[int] | torch.Tensor | None = None,
        noise_level: int | Sequence[int] = 0,
        num_inference_steps: int | Sequence[int] = 50,
        guidance_scale: float | Sequence[float] = 1.0,
        num_images_per_prompt: int = 1,
        output_type: str = "pil",
        return_dict: bool = True,
        **base: Any,
    ) -> WaltPipelineOutput | tuple:
        """Sample. A stage that takes no text or no labels is told none.

        Args:
            prompt, class_labels: as in `WaltPipeline`.
            noise_level: of the super-resolution stages, one or one each.
            num_inference_steps, guidance_scale: of the stages, one or one each.
            num_images_per_prompt: samples drawn for each prompt or label.
            output_type, return_dict: of the last stage.
            base: further arguments of `WaltPipeline` for the base stage; `generator` serves all stages.

        Raises:
            ValueError: lists of another length than the stages, or an argument that a stage refuses.
        """
        denoisers = [self.transformer, self.transformer_2] + [self.transformer_3] * (self.transformer_3 is not None)
        steps = _each(num_inference_steps, len(denoisers), "num_inference_steps")
        scales = _each(guidance_scale, len(denoisers), "guidance_scale")
        levels = [0, *_each(noise_level, len(denoisers) - 1, "noise_level")]
        texts = {"prompt": prompt} | {name: base.pop(name) for name in list(base) if _is_text(name)}
        texts = {name: _repeated(value, num_images_per_prompt) for name, value in texts.items()}
        class_labels = _repeated(class_labels, num_images_per_prompt)
        if prompt is None and class_labels is None and num_images_per_prompt > 1:
            base["batch_size"] = base.get("batch_size", 1) * num_images_per_prompt
        small: torch.Tensor | None = None
        self._interrupt = False
        for place, denoiser in enumerate(denoisers):
            told = texts if denoiser.config.text_dim is not None else {}
            told = told | ({"class_labels": class_labels} if denoiser.config.num_classes is not None else {})
            options = {"num_inference_steps": steps[place], "guidance_scale": scales[place] if told else 1.0}
            options |= {**told, "output_type": "latent", "return_dict": False}
            stage = self._stage(WaltPipeline if small is None else WaltSuperResolutionPipeline, denoiser)
            if small is None:
                options = {**base, **options}
            else:
                options |= {"low_res_latents": small, "noise_level": levels[place], "generator": base.get("generator")}
            small = stage(**options)[0]
            if stage.interrupt:
                self._interrupt = True
                break
        assert small is not None
        return self._finish(small, output_type, return_dict)

    def _stage(self, kind: type, denoiser: WaltTransformer3DModel) -> Any:
        parts = {"vae": self.vae, "transformer": denoiser, "scheduler": self.scheduler}
        if denoiser.config.text_dim is not None:
            parts |= {"text_encoder": self.text_encoder, "tokenizer": self.tokenizer}
        stage = kind(**parts)
        stage.set_progress_bar_config(**getattr(self, "_progress_bar_config", {}))
        return stage


def _each(value: Any, count: int, name: str) -> list[Any]:
    """One value for each stage."""
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{name} must be one value, or one for each of {count} stages, got {len(value)}")
    return list(value)


def _repeated(value: Any, times: int) -> Any:
    """Every row of a condition `times` in a row, a single one too; None stays None."""
    if value is None or times == 1:
        return value
    if isinstance(value, torch.Tensor):
        return value.reshape(-1, *value.shape[1:]).repeat_interleave(times, 0)
    rows = list(value) if isinstance(value, (list, tuple)) else [value]
    return [row for row in rows for _ in range(times)]


def _is_text(name: str) -> bool:
    return name.startswith(("prompt_", "negative_prompt"))
