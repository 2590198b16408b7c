# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Fresh weights of the denoiser, and module by module as transformers asks for them, equal in law."""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from .causal_conv import AdaptiveFrameGroupNorm
from .walt_blocks import WaltSpatialBlock
from .walt_conditioning import WaltTextEmbedding
from .walt_modulation import AdaLayerNorm, AdaLayerNormLora
from .walt_position import WaltRelativePositionBias

if TYPE_CHECKING:
    from .transformer_walt import WaltTransformer3DModel


def initialize_denoiser(model: "WaltTransformer3DModel") -> None:
    """Xavier weights, small positions, and zero gates: every block starts as the identity, the model as zero."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, WaltTextEmbedding):
            nn.init.normal_(module.null, std=0.02)
    for table in (model.pos_embed_space, model.pos_embed_time):
        nn.init.normal_(table, std=0.02)
    for layer in _zeroed(model):
        nn.init.zeros_(layer.weight)


def _zeroed(model: "WaltTransformer3DModel") -> list[Any]:
    layers: list[Any] = [model.adaln_out, model.proj_out]
    if model.adaln is not None:
        layers.append(model.adaln)
    for module in model.modules():
        if isinstance(module, AdaLayerNormLora) and module.up is not None:
            layers.append(module.up)
        elif isinstance(module, AdaLayerNorm):
            layers.append(module.linear)
        elif isinstance(module, WaltSpatialBlock) and module.text_window is not None:
            layers.append(module.cross_attn.to_out[0])
    return layers


@torch.no_grad()
def initialize_module(module: nn.Module) -> None:
    """Initialise what `module` owns.

    transformers goes from the leaves up, so that a parent has the last word over its children. Where some weights
    were loaded, its guarded `torch.nn.init` leaves those alone.
    """
    from .transformer_walt import WaltTransformer3DModel

    if isinstance(module, WaltTransformer3DModel):
        module._init_weights()
    elif isinstance(module, AdaptiveFrameGroupNorm):
        for projection, constant in ((module.scale, 1.0), (module.shift, 0.0)):
            nn.init.zeros_(projection.weight)
            nn.init.constant_(projection.bias, constant)
    elif isinstance(module, WaltRelativePositionBias):
        nn.init.zeros_(module.time)
        nn.init.zeros_(module.space)
    elif callable(reset := getattr(module, "reset_parameters", None)):
        reset()
