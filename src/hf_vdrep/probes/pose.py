# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Camera pose: learned queries, cross-attention, twelve numbers, the nearest rotation (papers.md 8.4)."""

import torch
from torch import nn

from .pooling import AttentivePooling

IDENTITY = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)


class PoseReadout(AttentivePooling):
    """Pose of the last frame's camera in the first frame's, as 12 numbers: [R | t], row after row.

    The linear's output is in units of the training targets' spread around their mean: one scale for the nine entries of
    R, one for the three of t, so that neither the unit of length nor the smallness of a rotation decides what is
    learned (`start_at`). An untrained readout says the mean pose.

    Args:
        in_channels: C of the features.
        num_steps: T' of the features.
        width: of the queries (source: 256).
        num_heads: attention heads (source: 8).
        num_queries: learned queries; the linear reads all of them.
        folded: compute the folded form of the attention.
        statistics: tokens carry their mean and deviation beside them (`standardise`).
        octaves: of the Fourier features that tell a token its place: how a picture moves says nothing about the camera
            without where. 0 leaves it to the features, as in the source.
    """

    readout_type = "pose"
    target_mean: torch.Tensor
    target_scale: torch.Tensor

    def __init__(
        self,
        in_channels: int,
        num_steps: int,
        *,
        width: int = 128,
        num_heads: int = 8,
        num_queries: int = 4,
        folded: bool = True,
        statistics: bool = False,
        octaves: int = 4,
    ) -> None:
        super().__init__(
            in_channels,
            num_steps,
            width=width,
            num_heads=num_heads,
            num_queries=num_queries,
            folded=folded,
            statistics=statistics,
            octaves=octaves,
        )
        self.head = nn.Linear(num_queries * width, 12)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("target_mean", torch.tensor(IDENTITY))
        self.register_buffer("target_scale", torch.ones(12))

    @torch.no_grad()
    def start_at(self, relative: torch.Tensor) -> None:
        """Learn mean and scales from the training targets (N, 3, 4); poses that are not finite are left out."""
        flat = relative.flatten(1).to(self.target_mean)
        flat = flat[flat.isfinite().all(1)]
        if not len(flat):
            return
        self.target_mean.copy_(flat.mean(0))
        spread = (flat - self.target_mean).square().mean(0).view(3, 4)
        rotation, translation = spread[:, :3].mean().sqrt(), spread[:, 3].mean().sqrt()
        scale = torch.cat([rotation.expand(3, 3), translation.expand(3, 1)], 1).flatten()
        # Targets that never change have no scale of their own.
        self.target_scale.copy_(torch.where(scale > 1e-6, scale, 1.0))

    def normalise(self, relative: torch.Tensor) -> torch.Tensor:
        """(B, 3, 4) -> (B, 12) in the units of the output."""
        return (relative.flatten(1).to(self.target_mean) - self.target_mean) / self.target_scale

    def forward(self, values: torch.Tensor, *, standardised: bool = False) -> torch.Tensor:
        """Normalised 12-vectors (B, 12) of features (B, T', H', W', C); `decode` makes poses of them."""
        return self.head(self.attend(values, standardised=standardised).flatten(1))

    def decode(self, output: torch.Tensor) -> torch.Tensor:
        """Outputs (B, 12) -> poses float32 (B, 3, 4) whose left part is a rotation."""
        found = (output.float() * self.target_scale + self.target_mean).view(-1, 3, 4)
        return torch.cat([nearest_rotation(found[..., :3]), found[..., 3:]], dim=-1)


def nearest_rotation(matrices: torch.Tensor) -> torch.Tensor:
    """The rotation nearest to each matrix (..., 3, 3) in the Frobenius norm: U diag(1, 1, det(U V^T)) V^T."""
    u, _, vh = torch.linalg.svd(matrices.double())
    sign = torch.linalg.det(u @ vh)
    flip = torch.stack([torch.ones_like(sign), torch.ones_like(sign), sign], dim=-1)
    return ((u * flip[..., None, :]) @ vh).to(matrices.dtype)


def relative_pose(pose: torch.Tensor) -> torch.Tensor:
    """The last frame's camera in the first frame's, inv(P_0) P_last.

    Args:
        pose: (..., T, 3, 4) camera-to-world.

    Returns:
        (..., 3, 4), in the dtype of `pose`, computed in float64.
    """
    first, last = pose[..., 0, :, :].double(), pose[..., -1, :, :].double()
    back = first[..., :3].mT
    rotation, translation = back @ last[..., :3], back @ (last[..., 3:] - first[..., 3:])
    return torch.cat([rotation, translation], dim=-1).to(pose.dtype)
