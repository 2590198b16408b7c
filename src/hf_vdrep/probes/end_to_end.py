# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""End-to-end reference: what a small network reaches when it is trained on the pixels and labels themselves.

It stands above the frozen probes in every table: a task that it cannot learn is too hard to tell backbones apart.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from .box_task import asked
from .box_tracker import RecurrentBoxReadout
from .point_refiner import PointRefiner
from .pose import PoseReadout
from .reference_heads import CLIP_TASKS, IMAGE_TASKS, ClipHeads, DepthHead, ImageHeads
from .reference_trunk import Trunk


class EndToEndReference(nn.Module):
    """One trunk, and a head for each of the ten tasks.

    The image heads see the middle frame alone, as the frozen probes of the image tasks do.

    Args:
        classes: number of classes of each of the six classification tasks; those of "fine" are the categories of
            "object", each with the same surfaces.
        num_frames: T of the clips.
        widths: channels at strides 2, 4, 8.
        depth: (2+1)-D blocks at stride 8.
        image_width: of the image branch.
        track_width: width of the point tracker's state.
        track_rounds: refinements of the point tracker.
    """

    def __init__(
        self,
        classes: Mapping[str, int],
        *,
        num_frames: int = 17,
        widths: tuple[int, int, int] = (32, 64, 96),
        depth: int = 3,
        image_width: int = 96,
        track_width: int = 96,
        track_rounds: int = 3,
    ) -> None:
        super().__init__()
        if missing := sorted({*IMAGE_TASKS, *CLIP_TASKS} - set(classes)):
            raise ValueError(f"classes must name the six classification tasks, missing {missing}")
        if not classes["fine"] or classes["fine"] % classes["object"]:
            raise ValueError(f"classes['fine'] must be a multiple of {classes['object']}, got {classes['fine']}")
        self.config: dict[str, Any] = {
            "classes": dict(classes),
            "num_frames": num_frames,
            "widths": list(widths),
            "depth": depth,
            "image_width": image_width,
            "track_width": track_width,
            "track_rounds": track_rounds,
        }
        fine, middle, coarse = widths
        image = {name: classes[name] for name in IMAGE_TASKS}
        spans = [[frame, frame + 1] for frame in range(num_frames)]
        self.trunk = Trunk(num_frames, (fine, middle, coarse), depth)
        self.image_heads = ImageHeads(widths, image, width=image_width)
        self.clip_heads = ClipHeads(
            coarse, num_frames, {name: classes[name] for name in CLIP_TASKS}, sum(image.values()), width=coarse
        )
        self.depth_head = DepthHead(fine, middle)
        self.pose_head = PoseReadout(coarse, num_frames, width=coarse, num_queries=8, octaves=0)
        self.point_head = PointRefiner(widths, middle, num_frames, width=track_width, rounds=track_rounds)
        self.box_head = RecurrentBoxReadout(coarse, spans, num_frames, width=track_width, centred_looks=False)
        for weight in self.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)

    def features(self, video: torch.Tensor) -> dict[str, torch.Tensor]:
        """Maps of the trunk for uint8 clips (B, T, H, W, 3): (B, T, C, h, w)."""
        if video.ndim != 5 or video.shape[1] != self.config["num_frames"] or video.shape[-1] != 3:
            raise ValueError(f"video must be uint8 (B, {self.config['num_frames']}, H, W, 3), got {tuple(video.shape)}")
        maps = self.trunk(_pixels(video.flatten(0, 1)))
        return {name: value.unflatten(0, (len(video), -1)) for name, value in maps.items()}

    def forward(
        self,
        video: torch.Tensor,
        query_points: torch.Tensor,
        query_boxes: torch.Tensor,
        *,
        depth_frames: torch.Tensor | None = None,
    ) -> dict[str, Any]:
        """All predictions, as the heads give them.

        Args:
            video: uint8 (B, T, H, W, 3).
            query_points: (B, N, 2) x, y in [0, 1] in frame 0.
            query_boxes: (B, K, 4) x1, y1, x2, y2 in [0, 1] in frame 0.
            depth_frames: int (F,), the frames whose depth is decoded; all by default.

        Returns:
            Logits of the six classification tasks, `log_depth` (B, F, H, W), `camera_pose` (B, 12) as `PoseReadout`
            gives it, `point_tracks`: one PointTracks per round, `box_tracks`: BoxTracks; `maps` of the trunk.
        """
        maps = self.features(video)
        frames = torch.arange(video.shape[1]) if depth_frames is None else depth_frames
        middle = video.shape[1] // 2
        image = self.image_heads(*[maps[name][:, middle] for name in ("fine", "middle", "coarse")])
        last = {name: value.movedim(2, -1) for name, value in maps.items()}
        log_depth = self.depth_head(maps["fine"][:, frames].flatten(0, 1), maps["moving"][:, frames].flatten(0, 1))
        return {
            **image,
            **self.clip_heads(last["clip"], image),
            "log_depth": log_depth.unflatten(0, (len(video), -1)),
            "camera_pose": self.pose_head(last["clip"]),
            "point_tracks": self.point_head(
                [last[name] for name in ("fine", "middle", "coarse")], last["moving"], query_points
            ),
            "box_tracks": self.box_head(last["clip"], query_boxes),
            "maps": last,
        }

    @torch.no_grad()
    def predict(
        self, video: torch.Tensor, query_points: torch.Tensor, query_boxes: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Probabilities, metres, poses and tracks; arguments as of `forward`.

        Returns:
            Probabilities (B, K) of the six classification tasks, `depth` (B, T, H, W) metres, `pose` (B, 3, 4) of the
            last frame's camera in the first frame's, `tracks` (B, N, T, 2) and `boxes` (B, K, T, 4) in [0, 1],
            `visible` bool (B, N, T).
        """
        found = self(video, query_points, query_boxes)
        last = found["point_tracks"][-1]
        return {
            **{name: found[name].float().softmax(-1) for name in (*IMAGE_TASKS, *CLIP_TASKS)},
            "depth": found["log_depth"].float().exp(),
            "pose": self.pose_head.decode(found["camera_pose"]),
            "tracks": last.positions.clamp(0, 1),
            "visible": last.said_visible(),
            "boxes": found["box_tracks"].boxes.clamp(0, 1),
        }

    def classify_images(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits of single images, uint8 (B, H, W, 3), by image task."""
        return self.image_heads(*self.trunk.stem(_pixels(images)))

    @staticmethod
    def queries(batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Query points and boxes of a batch's labels, what it holds in frame 0."""
        return batch["tracks"][:, :, 0].float(), asked(batch["boxes"].float(), batch["present"].bool())


def _pixels(frames: torch.Tensor) -> torch.Tensor:
    """uint8 (N, H, W, 3) -> (N, 3, H, W) in [-1, 1]."""
    return frames.permute(0, 3, 1, 2).float() / 127.5 - 1
