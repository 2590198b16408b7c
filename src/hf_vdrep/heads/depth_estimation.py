# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Metric depth through the dense readout."""

from typing import Any

import torch
from transformers.modeling_outputs import DepthEstimatorOutput
from transformers.utils.generic import can_return_tuple

from ..models.configuration_walt import WaltConfig
from ..probes.dense import SRTDepthReadout, sub_grid
from ..probes.losses import depth_loss
from .readout_model import WaltWithReadout, spans_of

# Queries of one pass of the decoder; a clip asks for all its pixels, which together would not fit into memory.
MAX_QUERIES = 1 << 16


class WaltForDepthEstimation(WaltWithReadout):
    """Depth of every pixel, or of every `config.depth_stride`-th along both axes, in metres."""

    readout_class = SRTDepthReadout
    keeps_whole_picture = True

    @classmethod
    def default_readout(cls, config: WaltConfig) -> dict[str, Any]:
        return {"in_channels": config.hidden_size, "frame_spans": spans_of(config), "num_frames": config.num_frames}

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        pixel_values_videos: torch.Tensor | None = None,
        latents: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> DepthEstimatorOutput:
        """Depth of pictures, or of all frames of clips.

        Args:
            pixel_values, pixel_values_videos, latents: one of them, as in `WaltModel.forward`.
            labels: depth in metres at every pixel, (B, H, W) for pictures, else (B, T, H, W); outside (0.001, 10) m it
                does not count. Gives the mean |log p - log d| as `loss`.
            kwargs: `timestep`, `seed`, `output_hidden_states`, `output_attentions`, as in `WaltModel.forward`.

        Returns:
            `predicted_depth` (B, h, w) for pictures, else (B, T, h, w), h = H / depth_stride.
        """
        seen = self.look(pixel_values, pixel_values_videos, latents, **kwargs)
        picture = pixel_values is not None and pixel_values.ndim == 4
        stride = self.config.depth_stride
        index, pixels = sub_grid(*seen.pixel_size, stride, (stride // 2, stride // 2))
        frames = range(1 if picture else self.readout.num_frames)
        log_depth = self._ask(seen.values, pixels, frames)
        loss = None
        if labels is not None:
            truth = labels.unsqueeze(1) if picture else labels
            if truth.shape != (len(log_depth), len(frames), *seen.pixel_size):
                expected = seen.pixel_size if picture else (len(frames), *seen.pixel_size)
                sizes = ", ".join(map(str, (len(log_depth), *expected)))
                raise ValueError(f"labels must be ({sizes}), got {tuple(labels.shape)}")
            loss = depth_loss(log_depth, truth.to(log_depth.device).flatten(2)[:, :, index.to(log_depth.device)])
        shape = tuple(-(-(side - stride // 2) // stride) for side in seen.pixel_size)
        depth = log_depth.float().exp().unflatten(-1, shape)
        return DepthEstimatorOutput(
            loss=loss,
            predicted_depth=depth[:, 0] if picture else depth,
            hidden_states=seen.hidden_states,
            attentions=seen.attentions,
        )

    def _ask(self, values: torch.Tensor, pixels: torch.Tensor, frames: range) -> torch.Tensor:
        """Log-depth (B, F, Q), some frames at a time."""
        pixels = pixels.to(values)
        at_once = max(1, MAX_QUERIES // (len(pixels) * len(values)))
        parts = [
            self.readout(values, pixels, torch.tensor(frames[first : first + at_once], device=values.device))
            for first in range(0, len(frames), at_once)
        ]
        return torch.cat(parts, dim=1)
