# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A linear layer that a CPU computes with oneDNN instead of MKL, forward and backward.

Where MKL does not use the widest vectors of a CPU (AMD Zen 5: 98 against 210 GFLOP/s a thread in float32), this
doubles the speed of a denoiser; elsewhere the two are about equal. torch sends no float32 product to oneDNN, but it
does so with convolutions, and a 1 x 1 convolution over a channels-last picture is the same product over the same
memory. `torch.backends.mkldnn.flags(enabled=False)` turns it off.
"""

import torch
import torch.nn.functional as F
from torch import nn

# torch convolves with oneDNN on one thread from this batch on.
_PICTURES = 16
# Below, the set-up of a convolution costs more than it gains.
_FEWEST_ROWS = 128
_FEWEST_WEIGHTS = 4096


class WaltLinear(nn.Linear):
    """`nn.Linear`; the same parameters, and the same function up to rounding."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(..., in_features) -> (..., out_features)."""
        rows = input.numel() // self.in_features
        if (
            input.device.type != "cpu"
            or torch.compiler.is_compiling()
            or not (input.dtype == self.weight.dtype == torch.float32)
            or rows % _PICTURES
            or rows < _FEWEST_ROWS
            or self.weight.numel() < _FEWEST_WEIGHTS
            or not torch.backends.mkldnn.enabled
            or not torch.backends.mkldnn.is_available()
        ):
            return super().forward(input)
        pictures = input.reshape(_PICTURES, 1, rows // _PICTURES, self.in_features).permute(0, 3, 1, 2)
        product = F.conv2d(pictures, self.weight[:, :, None, None], self.bias)
        return product.permute(0, 2, 3, 1).reshape(*input.shape[:-1], self.out_features)


def as_walt_linear(layer: nn.Linear) -> WaltLinear:
    """`layer` with the same parameters, computed by `WaltLinear`."""
    with torch.device("meta"):
        other = WaltLinear(layer.in_features, layer.out_features, bias=layer.bias is not None)
    other.weight, other.bias = layer.weight, layer.bias
    return other
