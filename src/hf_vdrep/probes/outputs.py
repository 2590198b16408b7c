# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the readouts return, where it is more than one tensor."""

from typing import NamedTuple

import torch


class PointTracks(NamedTuple):
    """Predicted point tracks.

    Attributes:
        positions: (B, N, T, 2) x, y in [0, 1].
        visible: (B, N, T) logits, positive where the point is held to be seen.
        certain: (B, N, T) logits, positive where the position is held to be within 6 px of 256.
    """

    positions: torch.Tensor
    visible: torch.Tensor
    certain: torch.Tensor

    def said_visible(self) -> torch.Tensor:
        """bool (B, N, T): P(visible) * P(certain) > 0.5, the rule of TAPIR and MooG."""
        return self.visible.float().sigmoid() * self.certain.float().sigmoid() > 0.5


class BoxTracks(NamedTuple):
    """Predicted box tracks.

    Attributes:
        boxes: (B, K, T, 4) x1, y1, x2, y2, x1 <= x2 and y1 <= y2; may reach out of [0, 1].
        present: (B, K, T) logits, positive where something of the object is held to be seen; None where not judged.
    """

    boxes: torch.Tensor
    present: torch.Tensor | None
