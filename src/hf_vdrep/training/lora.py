# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""LoRA fine-tuning of a denoiser through peft: only the adapters learn, and only they are saved."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from ..models import WaltTransformer3DModel

WEIGHTS = "pytorch_lora_weights.safetensors"
PREFIX = "transformer"


def add_adapters(
    model: "WaltTransformer3DModel", rank: int, *, alpha: float = 0.0, targets: Sequence[str]
) -> "WaltTransformer3DModel":
    """Freeze a denoiser and give it trainable adapters, which change nothing before their first step.

    Args:
        model: is changed in place.
        rank: of the adapters, at least 1.
        alpha: scale times rank; 0 means the rank, that is a scale of 1.
        targets: linear layers, by the end of their names.

    Raises:
        ValueError: a target that names no linear layer.
    """
    from peft import LoraConfig

    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    missing = [target for target in targets if not any(_named(name, target) for name in linear)]
    if missing:
        raise ValueError(f"lora_targets must name linear layers of the denoiser, got {missing}")
    model.requires_grad_(False)
    scale: Any = alpha or rank  # peft also takes what is no integer
    model.add_adapter(LoraConfig(r=rank, lora_alpha=scale, target_modules=list(targets)))
    return model


def save_adapters(model: "WaltTransformer3DModel", folder: str | Path, dtype: torch.dtype = torch.float32) -> Path:
    """Write `pytorch_lora_weights.safetensors`, which `load_lora_adapter` of the transformer reads.

    Args:
        model: with adapters of `add_adapters`.
        folder: where the file goes.
        dtype: of the saved adapters.
    """
    from diffusers.loaders.lora_base import LoraBaseMixin
    from peft import get_peft_model_state_dict

    weights = get_peft_model_state_dict(model, adapter_name="default")
    layers = {name: value.detach().to("cpu", dtype).contiguous() for name, value in weights.items()}
    settings = {name: value for name, value in model.peft_config["default"].to_dict().items() if _plain(value)}
    LoraBaseMixin.write_lora_layers(
        LoraBaseMixin.pack_weights(layers, PREFIX),
        str(folder),
        is_main_process=True,
        weight_name=WEIGHTS,
        save_function=None,
        safe_serialization=True,
        lora_adapter_metadata=LoraBaseMixin.pack_weights(settings, PREFIX),
    )
    return Path(folder) / WEIGHTS


def merge_adapters(model: "WaltTransformer3DModel") -> "WaltTransformer3DModel":
    """Fold the adapters into the weights, in place; what is left is an ordinary denoiser."""
    model.fuse_lora()
    model.unload_lora()
    return model


def _named(name: str, target: str) -> bool:
    return name == target or name.endswith("." + target)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool, list, dict, set))
