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


@dataclass(frozen=True)
class Inspection:
    """A clip and the views of several models on it.

    Attributes:
        title: shown above the pictures.
        clip: the input.
        views: one per model.
        columns: frames that stand for the feature steps in a contact sheet.
        lag: frames over which change is measured.
        seed: seed of the noise.
        draws: noise draws over which features were averaged.
    """

    title: str
    clip: Clip
    views: tuple[ModelView, ...]
    columns: tuple[int, ...]
    lag: int
    seed: int
    draws: int

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
    *,
    title: str,
    layer: int | float = 0.67,
    timestep: int = 200,
    seed: int = 0,
    draws: int = 1,
) -> Inspection:
    """Extract every backbone's features of `clip` and make them visible.

    Args:
        clip: T = 1 + 4k frames.
        backbones: models to compare.
        title: shown above the pictures; it also names the sample, on which the noise depends.
        layer: block index, negative index, or relative depth in (0, 1].
        timestep: noise level in [0, 999]; left out for backbones that use none.
        seed: seed of the noise.
        draws: features are averaged over so many draws of the noise (seeds `seed`, `seed + 1`, …).

    Raises:
        ValueError: a layer, timestep or clip that a backbone cannot take, or features that are not finite.
    """
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    maps = [_features(backbone, clip, title, layer, timestep, seed, draws) for backbone in backbones]
    lag = max(int((m.frame_spans[:, 1] - m.frame_spans[:, 0]).max()) for m in maps)
    coarsest = min(maps, key=lambda m: len(m.frame_spans))
    columns = tuple((coarsest.frame_spans[:, 1] - 1).tolist())
    views: list[ModelView] = []
    reference = None
    for backbone, features in zip(backbones, maps, strict=True):
        view, scores = _view(backbone, features, clip, lag, reference)
        reference = scores if reference is None else reference
        views.append(view)
    return Inspection(title, clip, tuple(views), columns, lag, seed, draws)


def feature_change(values: torch.Tensor, lag: int) -> torch.Tensor:
    """How far each place's features have moved over the last `lag` frames.

    The distance is divided by the root mean square distance of two features drawn at random from the clip: 0 is
    standing still, 1 is as different as two random places. Models of any scale can so be compared. Frames nearer to
    the start than `lag` are compared with frame 0.

    Args:
        values: float (T, h, w, C), one map per frame.
        lag: frames, at least 1.

    Returns:
        float32 (T, h, w), NaN in frame 0, which has nothing before it.
    """
    values = values.double()
    earlier = (torch.arange(len(values)) - lag).clamp_min(0)
    moved = (values - values[earlier]).norm(dim=-1)
    variance = (values - values.mean((0, 1, 2))).square().sum(-1).mean()
    change = moved / (2 * variance).sqrt().clamp_min(1e-30)
    change[0] = float("nan")
    return change.float()


def frame_steps(frame_spans: torch.Tensor, num_frames: int) -> torch.Tensor:
    """int64 (T,): the feature step that covers each frame (the last one that begins no later)."""
    frames = torch.arange(num_frames)
    return (torch.searchsorted(frame_spans[:, 0].contiguous(), frames, right=True) - 1).clamp_min(0)


def _features(
    backbone: Backbone, clip: Clip, title: str, layer: int | float, timestep: int, seed: int, draws: int
) -> FeatureMap:
    inputs = backbone.prepare(clip.frames[None])
    level = timestep if backbone.uses_timestep else None
    count = draws if backbone.uses_timestep else 1
    total: FeatureMap | None = None
    for draw in range(count):
        (drawn,) = backbone.extract(inputs, sample_ids=[title], layers=[layer], timesteps=[level], seed=seed + draw)
        mean = drawn.values.float() / count + (total.values if total is not None else 0.0)
        total = FeatureMap(mean.cpu(), drawn.layer, drawn.timestep, drawn.frame_spans, drawn.stride, drawn.site)
    assert total is not None
    if not bool(torch.isfinite(total.values).all()):
        raise ValueError(f"features of {backbone.name} at block {total.layer} hold NaN or infinite values")
    return total


def _view(
    backbone: Backbone, features: FeatureMap, clip: Clip, lag: int, reference: torch.Tensor | None
) -> tuple[ModelView, torch.Tensor]:
    steps = frame_steps(features.frame_spans, len(clip.frames))
    values = features.values[0]
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
        change=feature_change(values[steps], lag),
        steps=steps,
    )
    return view, scores
