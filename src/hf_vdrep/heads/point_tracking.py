# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Point tracks through the recurrent readout."""

from typing import Any

import torch
from transformers.utils.generic import can_return_tuple

from ..models.configuration_walt import WaltConfig
from ..probes.losses import point_track_loss
from ..probes.track_task import CERTAIN_WITHIN, asked
from ..probes.tracker import RecurrentPointReadout
from .outputs import WaltPointTrackingOutput
from .queries import check_batch, check_queries, flags_of
from .readout_model import WaltWithReadout, spans_of


class WaltForPointTracking(WaltWithReadout):
    """Follows points of the first frame through a clip."""

    readout_class = RecurrentPointReadout
    keeps_whole_picture = True

    @classmethod
    def default_readout(cls, config: WaltConfig) -> dict[str, Any]:
        return {"in_channels": config.hidden_size, "frame_spans": spans_of(config), "num_frames": config.num_frames}

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        query_points: torch.Tensor | None = None,
        pixel_values_videos: torch.Tensor | None = None,
        latents: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        visible_labels: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> WaltPointTrackingOutput:
        """Tracks of query points.

        Args:
            pixel_values, pixel_values_videos, latents: one of them, as in `WaltModel.forward`.
            query_points: (B, N, 2) x, y in [0, 1] in the first frame; those of the labels by default.
            labels: (B, N, T, 2), true tracks; gives the probe's own loss as `loss`: TAPIR's, with "certain" for what
                lies within 16 px of 256. Tracks hidden in the first frame do not count; hidden, any value will do.
            visible_labels: bool (B, N, T); everything is visible by default.
            kwargs: `timestep`, `seed`, `output_hidden_states`, `output_attentions`, as in `WaltModel.forward`.

        Raises:
            ValueError: no query points, or shapes that disagree.
        """
        if query_points is None and labels is not None and labels.ndim == 4:
            query_points = asked(labels, flags_of("visible_labels", visible_labels, labels))
        query_points = check_queries("query_points", query_points, "N", 2)
        seen = self.look(pixel_values, pixel_values_videos, latents, **kwargs)
        check_batch("query_points", query_points, len(seen.values))
        found = self.readout(seen.values, query_points.to(seen.values))
        loss = None
        if labels is not None:
            if labels.shape != found.positions.shape:
                raise ValueError(f"labels must be {tuple(found.positions.shape)}, got {tuple(labels.shape)}")
            truth = labels.to(found.positions.device)
            visible = flags_of("visible_labels", visible_labels, truth)
            loss = point_track_loss(found, truth, visible, mask=visible[:, :, :1], certain_within=CERTAIN_WITHIN)[
                "loss"
            ]
        return WaltPointTrackingOutput(
            loss=loss,
            tracks=found.positions,
            visible=found.said_visible(),
            visible_logits=found.visible,
            certain_logits=found.certain,
            hidden_states=seen.hidden_states,
            attentions=seen.attentions,
        )
