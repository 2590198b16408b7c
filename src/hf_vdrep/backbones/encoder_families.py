# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What has to be known about each family of vision encoders of transformers, a line each."""

from dataclasses import dataclass, field
from typing import Any, Literal

Layout = Literal["tokens", "stages", "maps", "maps_last", "hiera", "videoprism"]


@dataclass(frozen=True)
class EncoderFamily:
    """How a family is called and read.

    Attributes:
        blocks: names of the blocks in the model, `*` for a number, `|` between alternatives; their order is that of
            `named_modules`.
        layout: what a block puts out. "tokens": (B, N, C) on a grid of patches, after prefix tokens (class,
            registers). "stages": (B, N, C) on a grid that shrinks, without prefix. "maps": (B, C, H', W').
            "maps_last": (B, H', W', C). The rest are layouts of one family.
        order: of the grid's tokens of a video; TimeSformer alone keeps time innermost.
        suffix: tokens after the grid's, by the config's name for their number.
        key: argument that takes the pixels.
        options: further arguments of the forward pass.
        video: takes clips (B, T, 3, H, W); the others take single images.
        frames: name in the config of the number of frames, where it is fixed.
        square: the model takes no other resolution than its config's.
    """

    blocks: str
    layout: Layout = "tokens"
    order: Literal["thw", "hwt"] = "thw"
    suffix: str | None = None
    key: str = "pixel_values"
    options: dict[str, Any] = field(default_factory=dict)
    video: bool = False
    frames: str | None = None
    square: bool = False


_INTERPOLATED = {"interpolate_pos_encoding": True}

FAMILIES: dict[str, EncoderFamily] = {
    # Plain vision transformers on images.
    "vit": EncoderFamily("layers.*", options=_INTERPOLATED),
    "deit": EncoderFamily("layers.*", options=_INTERPOLATED),
    "beit": EncoderFamily("layers.*", square=True),
    "data2vec-vision": EncoderFamily("encoder.layer.*", square=True),
    "dinov2": EncoderFamily("encoder.layer.*"),
    "dinov2_with_registers": EncoderFamily("encoder.layer.*"),
    "dinov3_vit": EncoderFamily("model.layer.*"),
    "clip_vision_model": EncoderFamily("encoder.layers.*", options=_INTERPOLATED),
    "chinese_clip_vision_model": EncoderFamily("encoder.layers.*", options=_INTERPOLATED),
    "siglip_vision_model": EncoderFamily("encoder.layers.*", options=_INTERPOLATED),
    "siglip2_vision_model": EncoderFamily("encoder.layers.*"),
    "ijepa": EncoderFamily("layers.*", options=_INTERPOLATED),
    "vit_mae": EncoderFamily("layers.*", options=_INTERPOLATED),
    "vit_msn": EncoderFamily("layers.*", options=_INTERPOLATED),
    "pixio": EncoderFamily("layers.*", options=_INTERPOLATED),
    "tipsv2_vision_model": EncoderFamily("encoder.layer.*"),
    "sapiens2": EncoderFamily("model.layer.*"),
    "aimv2_vision_model": EncoderFamily("encoder.layers.*"),
    "internvl_vision": EncoderFamily("encoder.layer.*", square=True),
    "yolos": EncoderFamily("encoder.layer.*", suffix="num_detection_tokens"),
    "vitdet": EncoderFamily("encoder.layer.*", layout="maps", square=True),
    "sam_vision_model": EncoderFamily("vision_encoder.layers.*", layout="maps_last", square=True),
    # Hierarchies: the grid shrinks from stage to stage.
    "swin": EncoderFamily("encoder.layers.*.blocks.*", layout="stages", options=_INTERPOLATED),
    "swinv2": EncoderFamily("encoder.layers.*.blocks.*", layout="stages", options=_INTERPOLATED),
    "hiera": EncoderFamily("encoder.stages.*.layers.*", layout="hiera", square=True),
    "convnext": EncoderFamily("encoder.stages.*.layers.*", layout="maps"),
    "convnextv2": EncoderFamily("encoder.stages.*.layers.*", layout="maps"),
    "dinov3_convnext": EncoderFamily("model.stages.*.layers.*", layout="maps"),
    "resnet": EncoderFamily("encoder.stages.*.layers.*", layout="maps"),
    "regnet": EncoderFamily("encoder.stages.*.layers.*", layout="maps"),
    "focalnet": EncoderFamily("encoder.stages.*.layers.*", layout="stages"),
    "pvt_v2": EncoderFamily("encoder.layers.*.blocks.*", layout="stages"),
    # Clips.
    "videomae": EncoderFamily("encoder.layer.*", video=True, frames="num_frames", square=True),
    "vivit": EncoderFamily("layers.*", video=True, frames="num_frames", options=_INTERPOLATED),
    "timesformer": EncoderFamily("encoder.layer.*", video=True, frames="num_frames", order="hwt", square=True),
    "vjepa2": EncoderFamily("encoder.layer.*", video=True, key="pixel_values_videos", options={"skip_predictor": True}),
    "videoprism_vision_model": EncoderFamily(
        "spatial_layers.*|temporal_layers.*",
        layout="videoprism",
        video=True,
        frames="num_frames",
        key="pixel_values_videos",
        options=_INTERPOLATED,
    ),
}
