# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""End-to-end reference: what a small network reaches when it is trained on the pixels and labels themselves.

It stands above the frozen probes in every table: a task that it cannot learn is too hard to tell backbones apart.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from .attentive import AttentiveClassifier
from .losses import classification_loss, depth_loss, point_track_loss
from .outputs import PointTracks
from .point_refiner import PointRefiner
from .reference_trunk import ConvUnit, ResidualBlock, Trunk

ROUND_DECAY = 0.7
DEPTH_WEIGHT = 3.0


class EndToEndReference(nn.Module):
    """One trunk, four heads: object of one frame, motion of the clip, depth of every pixel, point tracks.

    The object head sees one frame alone, as the frozen probes of the image task do.

    Args:
        num_objects: classes of `object`.
        num_motions: classes of `action_motion`.
        num_frames: T of the clips.
        widths: channels at strides 2, 4, 8.
        depth: (2+1)-D blocks at stride 8.
        track_width: width of the tracker's state.
        track_rounds: refinements of the tracker.
    """

    def __init__(
        self,
        num_objects: int,
        num_motions: int,
        *,
        num_frames: int = 17,
        widths: tuple[int, int, int] = (32, 64, 96),
        depth: int = 3,
        track_width: int = 96,
        track_rounds: int = 3,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {
            "num_objects": num_objects,
            "num_motions": num_motions,
            "num_frames": num_frames,
            "widths": list(widths),
            "depth": depth,
            "track_width": track_width,
            "track_rounds": track_rounds,
        }
        fine, middle, coarse = widths
        self.trunk = Trunk(num_frames, (fine, middle, coarse), depth)
        self.object_blocks = nn.Sequential(ConvUnit(coarse, coarse, 3, 2), ResidualBlock(coarse))
        self.object_head = nn.Linear(2 * coarse, num_objects)
        self.motion_head = AttentiveClassifier(coarse, num_frames, num_motions, width=coarse, num_heads=8)
        self.depth_head = nn.Sequential(ConvUnit(fine, fine), nn.Conv2d(fine, 4, 1), nn.PixelShuffle(2))
        self.tracker = PointRefiner(fine, middle, width=track_width, rounds=track_rounds)
        for weight in self.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)

    def features(self, video: torch.Tensor) -> dict[str, torch.Tensor]:
        """Maps of the trunk for uint8 clips (B, T, H, W, 3), frames folded into the batch."""
        if video.ndim != 5 or video.shape[1] != self.config["num_frames"] or video.shape[-1] != 3:
            raise ValueError(f"video must be uint8 (B, {self.config['num_frames']}, H, W, 3), got {tuple(video.shape)}")
        frames = video.flatten(0, 1).permute(0, 3, 1, 2)
        return self.trunk(frames.float() / 127.5 - 1)

    def classify_objects(self, coarse: torch.Tensor) -> torch.Tensor:
        """Logits of per-frame maps (B, C, h, w) of the stem."""
        maps = self.object_blocks(coarse)
        return self.object_head(torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1))

    def forward(self, video: torch.Tensor, query_points: torch.Tensor) -> dict[str, Any]:
        """All four predictions.

        Args:
            video: uint8 (B, T, H, W, 3).
            query_points: (B, N, 2) x, y in [0, 1] in frame 0.

        Returns:
            `object` logits of the middle frame, `action_motion` logits, `log_depth` (B, T, H, W), `point_tracks`: one
            PointTracks per round.
        """
        maps = self.features(video)
        return self._heads(maps, len(video), query_points, torch.arange(self.config["num_frames"]))

    def _heads(
        self, maps: dict[str, torch.Tensor], batch: int, query_points: torch.Tensor, depth_frames: torch.Tensor
    ) -> dict[str, Any]:
        clips = {name: value.unflatten(0, (batch, -1)) for name, value in maps.items()}
        log_depth = self.depth_head(clips["fine"][:, depth_frames].flatten(0, 1))
        middle_frame = clips["frame"][:, self.config["num_frames"] // 2]
        return {
            "object": self.classify_objects(middle_frame),
            "action_motion": self.motion_head(clips["clip"].permute(0, 1, 3, 4, 2)),
            "log_depth": log_depth.unflatten(0, (batch, -1))[:, :, 0],
            "point_tracks": self.tracker(clips["fine"], clips["middle"], query_points),
        }

    def loss(
        self,
        batch: Mapping[str, torch.Tensor],
        *,
        depth_frames: torch.Tensor | None = None,
        track_choice: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Training losses of a batch of samples.

        Args:
            batch: `video`, `object` (B,), `action_motion` (B,), `depth` (B, T, H, W), `tracks` (B, N, T, 2), `visible`.
            depth_frames: int (F,), the frames whose depth is decoded; all by default.
            track_choice: int (B, K), the tracks that are followed; all by default.

        Returns:
            `loss` and its parts `object`, `action_motion`, `depth`, `point_tracks`.
        """
        frames = torch.arange(self.config["num_frames"]) if depth_frames is None else depth_frames
        tracks, visible = batch["tracks"], batch["visible"]
        if track_choice is not None:
            rows = torch.arange(len(tracks))[:, None]
            tracks, visible = tracks[rows, track_choice], visible[rows, track_choice]
        maps = self.features(batch["video"])
        found = self._heads(maps, len(tracks), tracks[:, :, 0], frames)
        parts = {
            "object": classification_loss(found["object"], batch["object"]),
            "action_motion": classification_loss(found["action_motion"], batch["action_motion"]),
            "depth": DEPTH_WEIGHT * depth_loss(found["log_depth"], batch["depth"][:, frames].float()),
            "point_tracks": self._track_loss(found["point_tracks"], tracks, visible),
        }
        return {"loss": torch.stack(list(parts.values())).sum(), **parts}

    def _track_loss(self, rounds: list[PointTracks], tracks: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        known = visible[:, :, :1]
        total = tracks.new_zeros(())
        for age, found in enumerate(reversed(rounds)):
            total = total + ROUND_DECAY**age * point_track_loss(found, tracks, visible, mask=known)["loss"]
        return total

    @torch.no_grad()
    def predict(self, video: torch.Tensor, query_points: torch.Tensor) -> dict[str, torch.Tensor]:
        """Probabilities, depth in metres, tracks.

        Returns:
            `object` (B, K) and `action_motion` (B, K') probabilities, `depth` (B, T, H, W) metres,
            `tracks` (B, N, T, 2) in [0, 1], `visible` bool (B, N, T).
        """
        found = self(video, query_points)
        last = found["point_tracks"][-1]
        return {
            "object": found["object"].float().softmax(-1),
            "action_motion": found["action_motion"].float().softmax(-1),
            "depth": found["log_depth"].float().exp(),
            "tracks": last.positions.clamp(0, 1),
            "visible": last.said_visible(),
        }

    @torch.no_grad()
    def predict_objects(self, images: torch.Tensor) -> torch.Tensor:
        """Class probabilities (B, K) of single images, uint8 (B, H, W, 3)."""
        coarse = self.trunk.stem(images.permute(0, 3, 1, 2).float() / 127.5 - 1)[-1]
        return self.classify_objects(coarse).float().softmax(-1)
