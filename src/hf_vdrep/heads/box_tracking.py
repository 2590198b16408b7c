# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Box tracks through the recurrent readout."""

from typing import Any

import torch
from transformers.utils.generic import can_return_tuple

from ..models.configuration_walt import WaltConfig
from ..probes.box_losses import box_track_loss
from ..probes.box_task import asked
from ..probes.box_tracker import RecurrentBoxReadout
from .outputs import WaltBoxTrackingOutput
from .queries import check_batch, check_queries, flags_of
from .readout_model import WaltWithReadout, spans_of


class WaltForBoxTracking(WaltWithReadout):
    """Follows boxes of the first frame through a clip."""

    readout_class = RecurrentBoxReadout
    keeps_whole_picture = True

    @classmethod
    def default_readout(cls, config: WaltConfig) -> dict[str, Any]:
        return {"in_channels": config.hidden_size, "frame_spans": spans_of(config), "num_frames": config.num_frames}

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        query_boxes: torch.Tensor | None = None,
        pixel_values_videos: torch.Tensor | None = None,
        latents: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        present_labels: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> WaltBoxTrackingOutput:
        """Tracks of query boxes.

        Args:
            pixel_values, pixel_values_videos, latents: one of them, as in `WaltModel.forward`.
            query_boxes: (B, K, 4) x1, y1, x2, y2 in [0, 1] in the first frame; those of the labels by default.
            labels: (B, K, T, 4), true boxes; gives smooth-L1 + 0.5 (1 - GIoU) over all frames but the first, which was
                given, as `loss`. Objects that are absent from the first frame do not count.
            present_labels: bool (B, K, T); everything is present by default.
            kwargs: `timestep`, `seed`, `output_hidden_states`, `output_attentions`, as in `WaltModel.forward`.

        Raises:
            ValueError: no query boxes, or shapes that disagree.
        """
        if query_boxes is None and labels is not None and labels.ndim == 4:
            query_boxes = asked(labels, flags_of("present_labels", present_labels, labels))
        query_boxes = check_queries("query_boxes", query_boxes, "K", 4)
        seen = self.look(pixel_values, pixel_values_videos, latents, **kwargs)
        check_batch("query_boxes", query_boxes, len(seen.values))
        found = self.readout(seen.values, query_boxes.to(seen.values))
        loss = None
        if labels is not None:
            if labels.shape != found.boxes.shape:
                raise ValueError(f"labels must be {tuple(found.boxes.shape)}, got {tuple(labels.shape)}")
            truth = labels.to(found.boxes.device)
            present = flags_of("present_labels", present_labels, truth)
            counts = present[:, :, :1].expand_as(present).clone()
            counts[:, :, 0] = False
            loss = box_track_loss(found, truth, present, mask=counts)["loss"]
        return WaltBoxTrackingOutput(
            loss=loss,
            boxes=found.boxes,
            present_logits=found.present,
            hidden_states=seen.hidden_states,
            attentions=seen.attentions,
        )
