# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Fresh weights module by module, as transformers asks for them, equal in law to the components' own __init__."""

import torch
from torch import nn

from .causal_conv import AdaptiveFrameGroupNorm
from .transformer_walt import WaltTransformer3DModel
from .walt_attention import WaltRelativePositionBias


@torch.no_grad()
def initialize_module(module: nn.Module) -> None:
    """Initialise what `module` owns.

    transformers goes from the leaves up, so that a parent has the last word over its children. Where some weights
    were loaded, its guarded `torch.nn.init` leaves those alone.
    """
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
