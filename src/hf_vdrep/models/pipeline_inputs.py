# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What `WaltPipeline` checks and prepares before the first step."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from .pipeline_walt import WaltPipeline

_OUTPUT_TYPES = ("pil", "np", "pt", "latent")


def check_inputs(
    pipeline: "WaltPipeline",
    num_frames: int,
    height: int,
    width: int,
    guidance_scale: float,
    class_labels: Any,
    output_type: str,
) -> None:
    """Raise a ValueError for the first argument of a call that the models cannot serve."""
    vae, config = pipeline.vae, pipeline.transformer.config
    time, space = vae.temporal_compression_ratio, vae.spatial_compression_ratio
    if config.objective == "image" and num_frames != 1:
        raise ValueError(f"num_frames must be 1, got {num_frames} (the denoiser's objective is 'image')")
    longest = 1 + (config.sample_frames - 1) * time
    if (num_frames - 1) % time or not 1 <= num_frames <= longest:
        raise ValueError(f"num_frames must be 1 + {time}k and at most {longest}, got {num_frames}")
    for name, value in (("height", height), ("width", width)):
        if value < 1 or value % space:
            raise ValueError(f"{name} must be a positive multiple of {space}, got {value}")
    if class_labels is not None and config.num_classes is None:
        raise ValueError("class_labels must be None, got some (the denoiser is unconditional)")
    if guidance_scale != 1.0 and class_labels is None:
        raise ValueError(f"guidance_scale must be 1.0 without class_labels, got {guidance_scale}")
    if output_type not in _OUTPUT_TYPES:
        raise ValueError(f"output_type must be one of {', '.join(_OUTPUT_TYPES)}, got {output_type!r}")


def class_label_tensor(
    class_labels: int | Sequence[int] | torch.Tensor | None,
    batch_size: int | None,
    num_images_per_prompt: int,
    device: torch.device,
) -> tuple[torch.Tensor | None, int]:
    """The label of every sample (N,), or None, and N = batch_size * num_images_per_prompt.

    Raises:
        ValueError: a number of labels that is neither 1 nor `batch_size`.
    """
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if num_images_per_prompt < 1:
        raise ValueError(f"num_images_per_prompt must be at least 1, got {num_images_per_prompt}")
    if class_labels is None:
        return None, (batch_size or 1) * num_images_per_prompt
    labels = torch.as_tensor(class_labels, dtype=torch.long, device=device).reshape(-1)
    size = batch_size or len(labels)
    if len(labels) not in (1, size):
        raise ValueError(f"class_labels must be one, or one per sample ({size}), got {len(labels)}")
    return labels.expand(size).repeat_interleave(num_images_per_prompt), size * num_images_per_prompt


@dataclass
class StepCallback:
    """diffusers' `callback_on_step_end`: shown some tensors after a step, it may return others instead.

    Args:
        function: called as (pipeline, step, timestep, tensors), or None.
        names: tensors to show, of `latents` and `self_condition`.
    """

    function: Callable[..., dict[str, torch.Tensor] | None] | None
    names: Sequence[str]

    def __post_init__(self) -> None:
        if unknown := set(self.names) - {"latents", "self_condition"}:
            raise ValueError(
                "callback_on_step_end_tensor_inputs must be among latents, self_condition, "
                f"got {', '.join(sorted(unknown))}"
            )

    def __call__(
        self, pipeline: Any, step: int, timestep: Any, latents: torch.Tensor, estimate: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        if self.function is None:
            return latents, estimate
        tensors: dict[str, Any] = {"latents": latents, "self_condition": estimate}
        tensors |= self.function(pipeline, step, timestep, {name: tensors[name] for name in self.names}) or {}
        return tensors["latents"], tensors["self_condition"]


def local_folder(name_or_path: str | os.PathLike) -> Path | None:
    """The path, unless what is given can only be a Hub id (`name` or `user/name`, and no such path)."""
    text = os.fspath(name_or_path)
    path = Path(text)
    looks_local = isinstance(name_or_path, os.PathLike) or path.is_absolute() or text.startswith((".", "~"))
    return path if looks_local or path.exists() or len(path.parts) > 2 else None
