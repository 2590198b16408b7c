# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Camera motion through the pose readout."""

from typing import Any

import torch
from transformers.utils.generic import can_return_tuple

from ..probes.losses import pose_loss
from ..probes.pose import PoseReadout
from .outputs import WaltCameraPoseOutput
from .readout_model import WaltWithReadout


class WaltForCameraPose(WaltWithReadout):
    """Pose of the last frame's camera in the first frame's."""

    readout_class = PoseReadout

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        pixel_values_videos: torch.Tensor | None = None,
        latents: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> WaltCameraPoseOutput:
        """Relative pose of clips.

        Args:
            pixel_values, pixel_values_videos, latents: one of them, as in `WaltModel.forward`.
            labels: (B, 3, 4) or (B, 12), true relative pose [R | t]; gives the L2 loss on the twelve numbers, in the
                readout's units, as `loss`.
            kwargs: `timestep`, `seed`, `output_hidden_states`, `output_attentions`, as in `WaltModel.forward`.
        """
        seen = self.look(pixel_values, pixel_values_videos, latents, **kwargs)
        logits = self.readout(seen.values)
        loss = None
        if labels is not None:
            if labels.shape not in ((batch := len(logits), 3, 4), (batch, 12)):
                raise ValueError(f"labels must be ({batch}, 3, 4) or ({batch}, 12), got {tuple(labels.shape)}")
            loss = pose_loss(logits, self.readout.normalise(labels.to(logits.device).reshape(-1, 3, 4)))
        return WaltCameraPoseOutput(
            loss=loss,
            pose=self.readout.decode(logits),
            logits=logits,
            hidden_states=seen.hidden_states,
            attentions=seen.attentions,
        )
