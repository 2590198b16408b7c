# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a denoiser accepts; every refusal is one line that says what came and what is expected."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any

import torch

# diffusers' EMAModel saves its state beside the fields of the model that it averages.
_LIBRARY_FIELDS = {
    "quantization_config",
    *("decay", "min_decay", "optimization_step", "update_after_step", "use_ema_warmup", "inv_gamma", "power"),
}


def pair(value: Any, name: str) -> tuple[int, int]:
    """(height, width) from a number or two.

    Raises:
        ValueError: neither.
    """
    sizes = (value, value) if isinstance(value, int) else tuple(value)
    if len(sizes) != 2 or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ValueError(f"{name} must be a positive integer or (height, width), got {value!r}")
    return sizes


def check_fields(given: Collection[str], known: Collection[str], owner: str) -> None:
    """Refuse config fields that do not exist, naming the nearest that does.

    Raises:
        ValueError: an unknown field; what the library itself writes passes.
    """
    for name in sorted(given):
        if name not in known and not name.startswith("_") and name not in _LIBRARY_FIELDS:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"its fields are {', '.join(sorted(known))}"
            raise ValueError(f"unknown config field {name!r} of {owner}; {hint}")


def check_config(config: Mapping[str, Any]) -> None:
    """Refuse values that no model can be built from.

    Raises:
        ValueError: an objective, size or rank that does not exist.
    """
    if config["objective"] not in ("video", "image"):
        raise ValueError(f"objective must be 'video' or 'image', got {config['objective']!r}")
    size, patch = pair(config["sample_size"], "sample_size"), config["patch_size"]
    if size[0] % patch or size[1] % patch:
        raise ValueError(f"sample_size must be a multiple of patch_size={patch}, got {config['sample_size']}")
    rank, scale = config["adaln_lora_rank"], config["low_res_scale"]
    if rank is not None and rank < 1:
        raise ValueError(f"adaln_lora_rank must be at least 1, or None for separate modulations, got {rank}")
    if scale is not None and scale < 1:
        raise ValueError(f"low_res_scale must be at least 1, or None, got {scale}")


def check_latents(config: Mapping[str, Any], hidden_states: torch.Tensor, image_mask: torch.Tensor | None) -> None:
    """Refuse latents that the model cannot read.

    Raises:
        ValueError: a list of samples of different length, wrong channels, frames or size, or a mask of another batch.
    """
    if isinstance(hidden_states, (list, tuple)):
        lengths = sorted({sample.shape[-3] for sample in hidden_states})
        raise ValueError(
            f"hidden_states must be one tensor, got {len(hidden_states)} samples of {lengths} latent frames; a mixed "
            "batch holds images as stacks of as many frames as the clips, named by image_mask"
        )
    channels, patch, frames = config["in_channels"], config["patch_size"], config["sample_frames"]
    shape = tuple(hidden_states.shape)
    if hidden_states.ndim != 5 or shape[1] != channels:
        raise ValueError(f"hidden_states must be (B, {channels}, T, h, w), got {shape}")
    if shape[2] > frames:
        raise ValueError(
            f"hidden_states may have at most {frames} latent frames, got {shape[2]}; "
            "interpolate_positions makes a model for more"
        )
    if shape[3] % patch or shape[4] % patch:
        raise ValueError(f"hidden_states height and width must be multiples of patch_size={patch}, got {shape[3:]}")
    if image_mask is not None and image_mask.shape != hidden_states.shape[:1]:
        raise ValueError(f"image_mask must be ({shape[0]},), got {tuple(image_mask.shape)}")


def check_like(value: torch.Tensor | None, name: str, hidden_states: torch.Tensor) -> None:
    """Refuse latents beside `hidden_states` that have another shape.

    Raises:
        ValueError: the shapes differ; where only the frames do, images and clips were probably mixed.
    """
    if value is None or value.shape == hidden_states.shape:
        return
    given, expected = tuple(value.shape), tuple(hidden_states.shape)
    if len(given) == 5 and given[2] != expected[2]:
        raise ValueError(
            f"{name} must have the {expected[2]} latent frames of hidden_states, got {given[2]}; a mixed batch holds "
            "images as stacks of as many frames as the clips, named by image_mask"
        )
    raise ValueError(f"{name} must have the shape of hidden_states {expected}, got {given}")


def check_labels(labels: torch.Tensor | None, num_classes: int | None, batch: int, frames: int) -> None:
    """Refuse class labels that the model does not know; `num_classes` itself is the null class.

    Raises:
        ValueError: labels for an unconditional model, of another batch, or outside [0, num_classes].
    """
    if labels is None:
        return
    if num_classes is None:
        raise ValueError("class_labels given, but the model has num_classes=None")
    if tuple(labels.shape) not in ((batch,), (batch, frames)):
        raise ValueError(f"class_labels must be ({batch},) or ({batch}, {frames}), got {tuple(labels.shape)}")
    if torch.compiler.is_compiling() or labels.device.type == "meta" or not labels.numel():
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high > num_classes:
        raise ValueError(
            f"class_labels must lie in [0, {num_classes}] ({num_classes} is the null class), "
            f"got {low if low < 0 else high}"
        )


def check_text(config: Mapping[str, Any], text: torch.Tensor | None, mask: torch.Tensor | None, batch: int) -> None:
    """Refuse text that the model cannot read.

    Raises:
        ValueError: text for a model without cross-attention, of another width or batch, or a mask without its text.
    """
    width = config["text_dim"]
    if text is None:
        if mask is not None:
            raise ValueError("encoder_attention_mask given without encoder_hidden_states")
        return
    if width is None:
        kind = "unconditional" if config["num_classes"] is None else "class-conditional"
        raise ValueError(f"encoder_hidden_states given, but this {kind} model reads no text (text_dim=None)")
    if text.ndim not in (3, 4) or text.shape[0] != batch or text.shape[-1] != width:
        raise ValueError(f"encoder_hidden_states must be ({batch}, L, {width}), got {tuple(text.shape)}")
    if mask is not None and (mask.shape != text.shape[:-1] or mask.dtype != torch.bool):
        raise ValueError(
            f"encoder_attention_mask must be bool {tuple(text.shape[:-1])}, got {mask.dtype} {tuple(mask.shape)}"
        )


def check_given_frames(
    config: Mapping[str, Any], frames: torch.Tensor | None, mask: torch.Tensor | None, hidden_states: torch.Tensor
) -> None:
    """Refuse given frames that the model cannot use.

    Raises:
        ValueError: one of the two without the other, a model without frame conditioning, or a wrong shape.
    """
    if frames is None and mask is None:
        return
    if not config["frame_conditioning"]:
        raise ValueError("frame_condition given, but the model has frame_conditioning=False")
    if frames is None or mask is None:
        given, missing = ("frame_condition", "frame_mask") if mask is None else ("frame_mask", "frame_condition")
        raise ValueError(f"{given} given without {missing}")
    check_like(frames, "frame_condition", hidden_states)
    expected = (hidden_states.shape[0], hidden_states.shape[2])
    if tuple(mask.shape) != expected or mask.dtype != torch.bool:
        raise ValueError(f"frame_mask must be bool {expected}, got {mask.dtype} {tuple(mask.shape)}")


def check_low_resolution(config: Mapping[str, Any], low_res: torch.Tensor | None, hidden_states: torch.Tensor) -> None:
    """Refuse what a super-resolution model cannot start from, and such latents for another model.

    Raises:
        ValueError: missing, not asked for, or of a size that the scale does not bring to that of `hidden_states`.
    """
    scale = config["low_res_scale"]
    if scale is None:
        if low_res is not None:
            raise ValueError("low_res given, but the model has low_res_scale=None")
        return
    batch, channels, frames, height, width = hidden_states.shape
    expected = (batch, channels, frames, height // scale, width // scale)
    if low_res is None:
        raise ValueError(f"low_res must be given to a super-resolution model (low_res_scale={scale}), got None")
    if height % scale or width % scale or tuple(low_res.shape) != expected:
        raise ValueError(
            f"low_res must be {expected}, hidden_states {tuple(hidden_states.shape)} over low_res_scale={scale}, "
            f"got {tuple(low_res.shape)}"
        )
