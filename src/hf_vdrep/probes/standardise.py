# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The one normalisation every readout begins with: LayerNorm of each token, without scale and shift."""

import torch
import torch.nn.functional as F


def standardise(values: torch.Tensor) -> torch.Tensor:
    """Mean 0 and variance 1 over the channels of each token (..., C): backbones differ in scale by orders of ten."""
    return F.layer_norm(values, values.shape[-1:], eps=1e-6)
