# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a backbone sees in one clip: principal components as colours, and how much its features change.

The qualitative comparison of "From Image to Video" (2502.07001): principal components of I-WALT's and V-WALT's
features side by side, and the brick wall seen by a moving camera.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..backbones.base import Backbone
from ..backbones.feature_map import FeatureMap
from ..data.media import Clip
from .inspect_dense import Tap, dense_features, position_pattern
from .pca import PrincipalComponents, match_signs, to_colours


@dataclass(frozen=True)
class ModelView:
    """One model's view of a clip of T frames.

    Attributes:
        name: the backbone's name.
        reading: how it read the clip: "video", "stack", "stride", "frames", "image" for a photo; "" if it has one way.
        layer: block index, and `num_layers` the number of blocks.
        timestep: noise level, None where none was added.
        colours: float32 (T, h, w, 3) in [0, 1], the first three principal components over the whole clip.
        explained: their shares of the variance.
        change: float32 (T, h, w), see `feature_change`; NaN in frame 0.
        steps: int64 (T,), which feature step covers each frame.
        cell: pixels of the input per value.
    """

    name: str
    reading: str
    layer: int
    num_layers: int
    timestep: int | None
    colours: torch.Tensor
    explained: tuple[float, ...]
    change: torch.Tensor
    steps: torch.Tensor
    cell: int


@dataclass(frozen=True)
class Inspection:
    """A clip and the views of several models on it.

    Attributes:
        title: shown above the pictures.
        clip: what the models saw.
        pictures: uint8 (T, H', W', 3), the same frames as they are shown, of any size.
        views: one per model.
        columns: frames that stand for the feature steps in a contact sheet.
        lag: frames over which change is measured.
        tap: layer, noise and density of the features.
        keep_position: whether the colours and changes hold the position pattern.
    """

    title: str
    clip: Clip
    pictures: torch.Tensor
    views: tuple[ModelView, ...]
    columns: tuple[int, ...]
    lag: int
    tap: Tap
    keep_position: bool

    @property
    def change_limit(self) -> float:
        """Top of the scale that all views share: the 99.5 % quantile, at least 0.25 so that noise stays dark."""
        seen = torch.cat([view.change[1:].flatten() for view in self.views])
        if not seen.numel():
            return 1.0
        return max(0.25, float(seen.sort().values[round(0.995 * (seen.numel() - 1))]))


def inspect_clip(
    clip: Clip,
    backbones: Sequence[Backbone],
    tap: Tap,
    *,
    title: str,
    keep_position: bool = False,
    pictures: torch.Tensor | None = None,
) -> Inspection:
    """Extract every backbone's features of `clip` and make them visible.

    Args:
        clip: T = 1 + 4k frames.
        backbones: models to compare.
        tap: layer, noise and density of the features.
        title: shown above the pictures; it also names the sample, on which the noise depends.
        keep_position: show also what features hold because of their place alone (`position_pattern`), which often
            outweighs what is seen.
        pictures: uint8 (T, H', W', 3), the frames to show; those of `clip` if None.

    Raises:
        ValueError: a layer, timestep or clip that a backbone cannot take, or features that are not finite.
    """
    maps = [dense_features(backbone, clip.frames, title, tap) for backbone in backbones]
    lag = max(int((m.frame_spans[:, 1] - m.frame_spans[:, 0]).max()) for m in maps)
    coarsest = min(maps, key=lambda m: len(m.frame_spans))
    columns = tuple((coarsest.frame_spans[:, 1] - 1).tolist())
    views: list[ModelView] = []
    reference = None
    for backbone, features in zip(backbones, maps, strict=True):
        values = features.values[0]
        if not keep_position:
            values = values - position_pattern(backbone, clip.frames, title, tap)
        view, scores = _view(backbone, features, values, clip, lag, reference)
        reference = scores if reference is None else reference
        views.append(view)
    shown = clip.frames if pictures is None else pictures
    return Inspection(title, clip, shown, tuple(views), columns, lag, tap, keep_position)


def feature_change(values: torch.Tensor, steps: torch.Tensor, lag: int) -> torch.Tensor:
    """How far each place's features have moved over the last `lag` frames.

    The distance is divided by the root mean square distance of two features drawn at random from the clip: 0 is
    standing still, 1 is as different as two random places. Models of any scale can so be compared. Frames nearer to
    the start than `lag` are compared with frame 0.

    Args:
        values: float (T', h, w, C), one map per feature step.
        steps: int64 (T,), the step that covers each frame.
        lag: frames, at least 1.

    Returns:
        float32 (T, h, w), NaN in frame 0, which has nothing before it.
    """
    centred = values.double() - values.double().mean((0, 1, 2))
    unit = (2 * centred.square().sum(-1).mean()).sqrt().clamp_min(1e-30)
    change = torch.full((len(steps), *values.shape[1:3]), float("nan"))
    for frame in range(1, len(steps)):
        before = centred[steps[max(0, frame - lag)]]
        change[frame] = ((centred[steps[frame]] - before).norm(dim=-1) / unit).float()
    return change


def frame_steps(frame_spans: torch.Tensor, num_frames: int) -> torch.Tensor:
    """int64 (T,): the feature step that covers each frame (the last one that begins no later)."""
    frames = torch.arange(num_frames)
    return (torch.searchsorted(frame_spans[:, 0].contiguous(), frames, right=True) - 1).clamp_min(0)


def _view(
    backbone: Backbone,
    features: FeatureMap,
    values: torch.Tensor,
    clip: Clip,
    lag: int,
    reference: torch.Tensor | None,
) -> tuple[ModelView, torch.Tensor]:
    steps = frame_steps(features.frame_spans, len(clip.frames))
    basis = PrincipalComponents.fit(values)
    scores = basis.transform(values)[steps]
    if reference is not None and reference.shape == scores.shape:
        scores = match_signs(scores, reference)
    reading = "image" if clip.is_photo else str(getattr(backbone, "video_as", ""))
    view = ModelView(
        name=backbone.name,
        reading=reading,
        layer=features.layer,
        num_layers=backbone.num_layers,
        timestep=features.timestep,
        colours=to_colours(scores),
        explained=basis.explained,
        change=feature_change(values, steps, lag),
        steps=steps,
        cell=features.stride,
    )
    return view, scores
