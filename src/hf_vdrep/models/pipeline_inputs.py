# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the pipelines check and prepare before the first step."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from .._hub_reach import reach_hub
from .compression import legal_lengths
from .pipeline_conditions import Conditions
from .pipeline_guidance import Guidance
from .pipeline_text import TextStates

if TYPE_CHECKING:
    from .pipeline_base import WaltBasePipeline

_OUTPUT_TYPES = ("pil", "np", "pt", "latent")


def check_size(pipeline: "WaltBasePipeline", num_frames: int, height: int, width: int, output_type: str) -> None:
    """Raise a ValueError for a size or an output that the models cannot serve."""
    vae, config = pipeline.vae, pipeline.transformer.config
    time, space = vae.temporal_compression_ratio, vae.spatial_compression_ratio
    if config.objective == "image" and num_frames != 1:
        raise ValueError(f"num_frames must be 1, got {num_frames} (the denoiser's objective is 'image')")
    longest = 1 + (config.sample_frames - 1) * time
    if (num_frames - 1) % time or not 1 <= num_frames <= longest:
        raise ValueError(f"num_frames must be {legal_lengths(num_frames, time, longest)}")
    for name, value in (("height", height), ("width", width)):
        if value < 1 or value % space:
            raise ValueError(f"{name} must be a positive multiple of {space}, got {value}")
    check_output_type(output_type)


def check_output_type(output_type: str) -> None:
    """Raise a ValueError for an output that no pipeline gives."""
    if output_type not in _OUTPUT_TYPES:
        raise ValueError(f"output_type must be one of {', '.join(_OUTPUT_TYPES)}, got {output_type!r}")


def check_conditions(
    pipeline: "WaltBasePipeline",
    class_labels: Any,
    text: TextStates | None,
    guidance: Guidance,
    framed: bool = False,
    negative: TextStates | None = None,
) -> None:
    """Raise a ValueError for a condition that the denoiser was not made for, or guidance without any.

    Args:
        pipeline: gives the denoiser.
        class_labels: as in a call.
        text: states of the prompts.
        guidance: as in a call.
        framed: whether frames are given.
        negative: states of the negative prompts.
    """
    config = pipeline.transformer.config
    if class_labels is not None and config.num_classes is None:
        raise ValueError("class_labels must be None, got some (the denoiser is unconditional)")
    if negative is not None and config.text_dim is None:
        raise ValueError("negative_prompt must be None, got one (the denoiser takes no text)")
    if text is not None and config.text_dim is None:
        raise ValueError("prompt must be None, got one (the denoiser takes no text)")
    if guidance.is_on and class_labels is None and text is None and not framed:
        wanted = "class_labels" if config.text_dim is None else "class_labels or a prompt"
        raise ValueError(f"guidance_scale must be 1.0 without {wanted}, got {guidance.scale}")


def sample_count(batch_size: int | None, num_images_per_prompt: int, **given: Any) -> int:
    """Samples in all: `num_images_per_prompt` for each of `batch_size`, or of the longest condition.

    Raises:
        ValueError: a condition that is neither for one sample nor for all.
    """
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if num_images_per_prompt < 1:
        raise ValueError(f"num_images_per_prompt must be at least 1, got {num_images_per_prompt}")
    counts = {name: _rows(value) for name, value in given.items() if value is not None}
    size = batch_size or max(counts.values(), default=1)
    for name, count in counts.items():
        if count not in (1, size):
            raise ValueError(f"{name} must be one, or one per sample ({size}), got {count}")
    return size * num_images_per_prompt


def _rows(value: Any) -> int:
    if isinstance(value, TextStates):
        return len(value.states)
    return len(torch.as_tensor(value).reshape(-1)) if not isinstance(value, torch.Tensor) else max(1, value.numel())


def spread(
    conditions: Conditions,
    class_labels: int | Sequence[int] | torch.Tensor | None,
    text: TextStates | None,
    negative: TextStates | None,
    total: int,
    num_images_per_prompt: int,
    device: torch.device,
) -> Conditions:
    """Add labels and texts, a row for each of the `total` samples; those of one prompt stand in a row."""
    size = total // num_images_per_prompt
    changes: dict[str, torch.Tensor] = {}
    if class_labels is not None:
        labels = torch.as_tensor(class_labels, dtype=torch.long, device=device).reshape(-1)
        changes["class_labels"] = labels.expand(size).repeat_interleave(num_images_per_prompt)
    for states, prefix in ((text, "encoder"), (negative, "negative")):
        if states is not None:
            if len(states.states) not in (1, size):
                raise ValueError(f"negative_prompt must be one, or one per sample ({size}), got {len(states.states)}")
            rows = states.repeated(total if len(states.states) == 1 else num_images_per_prompt)
            changes[f"{prefix}_hidden_states"] = rows.states.to(device)
            changes[f"{prefix}_attention_mask"] = rows.mask.to(device)
    return dataclasses.replace(conditions, **changes)


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


def within_reach(name: str | os.PathLike, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a `from_pretrained` from the Hub; where that does not answer, for a copy downloaded before.

    Raises:
        ConnectionError: the Hub does not answer, and there is no copy.
    """
    if kwargs.get("local_files_only"):
        return kwargs
    answers = reach_hub(os.fspath(name), kwargs.get("revision"), kwargs.get("cache_dir"))
    return kwargs if answers else kwargs | {"local_files_only": True}
