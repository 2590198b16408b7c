# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the per-frame readouts look at: the features' tokens, told where they stand, and their way to input frames."""

import torch
from torch import nn

from .fourier import fourier_features, pixel_grid
from .resample import TimeMode, frame_weights
from .standardise import standardise, standardised_width


class StepTokens(nn.Module):
    """Standardise -> linear -> plus position, for each feature step; `to_frames` resamples what is made of them.

    The scale and shift of a LayerNorm would only repeat what the linear can do.

    A frozen feature need not carry its own position, and a depth or a track cannot be read without one.

    Args:
        in_channels: C of the features.
        frame_spans: int (T', 2), the input frames covered by each feature step.
        num_frames: T, number of input frames.
        width: of the tokens.
        time_mode: how steps become frames.
        octaves: of the Fourier position.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
    """

    weights: torch.Tensor

    def __init__(
        self,
        in_channels: int,
        frame_spans: torch.Tensor,
        num_frames: int,
        width: int,
        *,
        time_mode: TimeMode = "linear",
        octaves: int = 6,
        statistics: bool = False,
    ) -> None:
        super().__init__()
        self.octaves, self.statistics = octaves, statistics
        self.project = nn.Linear(standardised_width(in_channels, statistics), width)
        self.position = nn.Linear(4 * octaves, width)
        self.register_buffer("weights", frame_weights(frame_spans, num_frames, time_mode), persistent=False)

    def forward(self, values: torch.Tensor, *, standardised: bool = False) -> torch.Tensor:
        """(B, T', H', W', C) -> (B, T', H' * W', width); `standardised` values are taken as they are."""
        steps, height, width = values.shape[1:4]
        if steps != self.weights.shape[1]:
            raise ValueError(f"values must have {self.weights.shape[1]} steps, got {steps}")
        grid = fourier_features(pixel_grid(height, width).to(values.device).flatten(0, 1), self.octaves)
        tokens = self.project(values if standardised else standardise(values, statistics=self.statistics))
        tokens = tokens.flatten(2, 3)
        return tokens + self.position(grid.to(self.position.weight.dtype)).to(tokens.dtype)

    def to_frames(self, made: torch.Tensor, frames: torch.Tensor | None = None) -> torch.Tensor:
        """(B, T', ...) -> (B, F, ...), at the input frames `frames` (int (F,)), all by default.

        Readouts resample keys and values, not tokens: there are fewer steps than frames, and each is made once.
        """
        weights = self.weights if frames is None else self.weights[frames]
        return (weights.to(made.dtype) @ made.flatten(2)).unflatten(-1, made.shape[2:])
