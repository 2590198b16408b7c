# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The published WALT models as configs (WALT Table 8 and §5; the study's pairs), with what had to be inferred.

A published count pins the layout: 12 d^2 per layer says MLP ratio 4, 4 d^2 more a cross-attention in every layer.
Nothing here imports torch before a model is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .transformer_walt import WaltTransformer3DModel

T5_XL_WIDTH = 2048


@dataclass(frozen=True)
class WaltSize:
    """A published model.

    Attributes:
        name: what it is called here.
        config: arguments of `WaltTransformer3DModel`.
        published: parameters as published, in millions.
        source: where they stand.
        inferred: config fields that the papers do not state, each with why it has this value.
    """

    name: str
    config: Mapping[str, Any]
    published: float
    source: str
    inferred: Mapping[str, str]


_MLP = {"mlp_ratio": "12 d^2 parameters per layer"}
_TALL = {"sample_size": (32, 56), "spatial_window": (16, 28), "spatiotemporal_window": (8, 14)}
_SUPER = {"text_dim": T5_XL_WIDTH, "low_res_scale": 2}
_SR_WINDOWS = "windows not tabulated; those of the 16 x 28 grid of Table 6"
_SR = {
    **_MLP,
    "spatial_window": _SR_WINDOWS,
    "spatiotemporal_window": _SR_WINDOWS,
    "low_res_scale": "latents double in height between the stages of Table 8",
}
_STUDY = {
    "num_layers": "the paper gives the count alone; 16 d^2 per layer fits it",
    "num_attention_heads": "as WALT",
    "attention_head_dim": "width over 16 heads",
    "text_dim": "as WALT's text-to-video models",
    "frame_conditioning": "not said; without",
    **_MLP,
}


def _heads(width: int, layers: int) -> dict[str, int]:
    return {"num_layers": layers, "num_attention_heads": 16, "attention_head_dim": width // 16}


def _study_pair(label: str, published: float, width: int, layers: int) -> list[WaltSize]:
    shape = {**_heads(width, layers), "text_dim": T5_XL_WIDTH}
    source = "From Image to Video (2502.07001)"
    return [
        WaltSize(f"{letter}-walt-{label}", {**shape, "objective": objective}, published, source, _STUDY)
        for letter, objective in (("v", "video"), ("i", "image"))
    ]


SIZES: dict[str, WaltSize] = {
    size.name: size
    for size in (
        WaltSize("walt-l-k600", {**_heads(1024, 24), "frame_conditioning": True}, 313, "WALT Table 1, 8", _MLP),
        WaltSize("walt-xl-ucf", {**_heads(1152, 28), "num_classes": 101}, 460, "WALT Table 1, 8", _MLP),
        WaltSize(
            "walt-l-imagenet",
            {
                **_heads(1024, 24),
                **{"sample_frames": 1, "sample_size": 32, "objective": "image"},
                **{"adaln_lora_rank": None, "num_classes": 1000},
            },
            460,
            "WALT Table 2, 8",
            {**_MLP, "spatial_window": "16 x 16 as everywhere in the appendix; the text also says whole frames"},
        ),
        WaltSize(
            "walt-t2v-3b",
            {**_heads(1888, 52), "text_dim": T5_XL_WIDTH, "frame_conditioning": True},
            3000,
            "WALT §5.3, Table 8",
            {**_MLP, "attention_head_dim": "width 1888 from the count: the printed 9216 would give 70 B parameters"},
        ),
        WaltSize(
            "walt-t2v-1.3b",
            {**_heads(1408, 40), **_TALL, **_SUPER, "patch_size": 2},
            1300,
            "WALT §5.3, Table 8 (2x super-resolution)",
            _SR,
        ),
        WaltSize(
            "walt-t2v-419m",
            {**_heads(1024, 24), **_TALL, **_SUPER, "sample_size": (64, 112), "patch_size": 4},
            419,
            "WALT §5.3, Table 8 (2x2x super-resolution)",
            {**_SR, "patch_size": "4 in Table 8, 2 in §5.3; 4 gives both stages one grid"},
        ),
        *_study_pair("284m", 284, 1024, 16),
        *_study_pair("1.9b", 1900, 2048, 28),
    )
}


def size_config(name: str) -> dict[str, Any]:
    """Arguments of `WaltTransformer3DModel` for a published model.

    Raises:
        ValueError: no such model.
    """
    if name not in SIZES:
        raise ValueError(f"size must be one of {', '.join(SIZES)}, got {name!r}")
    return dict(SIZES[name].config)


def build_size(name: str, device: str = "cpu", **changes: Any) -> "WaltTransformer3DModel":
    """A published model with fresh weights; on the device "meta" without memory for them.

    Args:
        name: key of `SIZES`.
        device: where the parameters live.
        changes: config fields to change.
    """
    import torch

    from .transformer_walt import WaltTransformer3DModel

    with torch.device(device):
        return WaltTransformer3DModel(**{**size_config(name), **changes})


def count_parameters(name: str) -> int:
    """Parameters of a published model, counted without memory for them."""
    return sum(parameter.numel() for parameter in build_size(name, device="meta").parameters())
