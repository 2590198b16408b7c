# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tiny vision encoders of every family with random weights."""

from typing import Any

import torch
from transformers import AutoConfig, AutoModel

SIDE, FRAMES = 32, 4

_PLAIN = {
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "image_size": SIDE,
    "patch_size": 8,
}
_STAGES = {"embed_dim": 12, "depths": [1, 1, 2], "num_heads": [2, 3, 4], "window_size": 2}
_SWIN = {**_STAGES, "image_size": SIDE, "patch_size": 2}
_CONVOLUTIONS = {"hidden_sizes": [16, 24, 32, 48], "depths": [1, 1, 2, 1], "image_size": SIDE}
_CLIPS = {**_PLAIN, "num_frames": FRAMES}
_PAIR = {"image_size": [SIDE, SIDE]}

_OWN: dict[str, dict[str, Any]] = {
    "siglip2_vision_model": {**_PLAIN, "num_patches": 16},
    "internvl_vision": {**_PLAIN, **_PAIR, "patch_size": [8, 8]},
    "yolos": {**_PLAIN, **_PAIR, "num_detection_tokens": 5},
    "vitdet": {**_PLAIN, "window_size": 2},
    "sam_vision_model": {**_PLAIN, "window_size": 2, "mlp_dim": 96, "output_channels": 16, "global_attn_indexes": [1]},
    "swin": _SWIN,
    "swinv2": _SWIN,
    "hiera": {
        **_STAGES,
        **_PAIR,
        "patch_size": [7, 7],
        "patch_stride": [4, 4],
        "patch_padding": [3, 3],
        "num_heads": [1, 2, 4],
        "num_query_pool": 2,
        "masked_unit_size": [4, 4],
        "masked_unit_attention": [True, True, False],
    },
    "focalnet": {
        "embed_dim": 12,
        "depths": [1, 1, 2],
        "hidden_sizes": [12, 24, 48],
        "focal_levels": [2, 2, 2],
        "focal_windows": [3, 3, 3],
        "image_size": SIDE,
    },
    "pvt_v2": {**_CONVOLUTIONS, "num_attention_heads": [1, 2, 4, 4]},
    "videomae": {**_CLIPS, "tubelet_size": 2},
    "vivit": {**_CLIPS, "tubelet_size": [2, 8, 8]},
    "timesformer": _CLIPS,
    "vjepa2": {
        "hidden_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "mlp_ratio": 2,
        "crop_size": SIDE,
        "patch_size": 8,
        "frames_per_clip": FRAMES,
        "tubelet_size": 2,
        "pred_hidden_size": 24,
        "pred_num_hidden_layers": 1,
        "pred_num_attention_heads": 2,
    },
    "videoprism_vision_model": {
        **_CLIPS,
        "tubelet_size": [1, 8, 8],
        "num_spatial_layers": 2,
        "num_temporal_layers": 2,
    },
    **dict.fromkeys(("convnext", "convnextv2", "dinov3_convnext", "resnet", "regnet"), _CONVOLUTIONS),
}


def tiny_encoder(model_type: str) -> Any:
    """A model of that type in which every weight matters: zeros and layer scales near zero are drawn anew."""
    known = AutoConfig.for_model(model_type)
    values = {name: value for name, value in _OWN.get(model_type, _PLAIN).items() if hasattr(known, name)}
    torch.manual_seed(0)
    model = AutoModel.from_config(AutoConfig.for_model(model_type, **values))
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.15 if parameter.shape[0] > 1 else 0.05)
        elif bool((parameter == 0).all()):
            torch.nn.init.normal_(parameter, std=0.05)
    return model.eval()
