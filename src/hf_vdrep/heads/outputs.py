# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Outputs of the heads that transformers has no class for."""

from dataclasses import dataclass

import torch
from transformers.utils import ModelOutput


@dataclass
class WaltCameraPoseOutput(ModelOutput):
    """Pose of the last frame's camera in the first frame's.

    Args:
        loss: L2 in the readout's units, where labels were given.
        pose: (B, 3, 4) [R | t], R a rotation, t in the unit of the training labels (metres).
        logits: (B, 12), the readout's own output.
        hidden_states, attentions: of the backbone.
    """

    loss: torch.Tensor | None = None
    pose: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor | None, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class WaltPointTrackingOutput(ModelOutput):
    """Tracks of the points asked for.

    Args:
        loss: sum of the position, visibility and certainty losses, where labels were given.
        tracks: (B, N, T, 2) x, y in [0, 1].
        visible: bool (B, N, T), P(visible) * P(certain) > 0.5.
        visible_logits: (B, N, T).
        certain_logits: (B, N, T), positive where the position is held to be within 16 px of 256.
        hidden_states, attentions: of the backbone.
    """

    loss: torch.Tensor | None = None
    tracks: torch.Tensor | None = None
    visible: torch.Tensor | None = None
    visible_logits: torch.Tensor | None = None
    certain_logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor | None, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None


@dataclass
class WaltBoxTrackingOutput(ModelOutput):
    """Tracks of the boxes asked for.

    Args:
        loss: sum of the corner, overlap and presence losses, where labels were given.
        boxes: (B, K, T, 4) x1, y1, x2, y2; the frame is [0, 1].
        present_logits: (B, K, T), positive where the object is held to be seen; None where not judged.
        hidden_states, attentions: of the backbone.
    """

    loss: torch.Tensor | None = None
    boxes: torch.Tensor | None = None
    present_logits: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor | None, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
