# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Every mistake has one clear line: what came, and what is expected."""

from typing import Any

import pytest
import torch
from denoiser_variants import BASE, build, inputs

from hf_vdrep.models import WaltTransformer3DModel

L = torch.zeros


@pytest.mark.parametrize(
    ("variant", "changes", "message"),
    [
        ("video", {"hidden_states": L(2, 3, 3, 4, 4)}, r"hidden_states must be \(B, 4, T, h, w\), got \(2, 3, 3, 4"),
        ("video", {"hidden_states": L(2, 4, 4, 4)}, r"must be \(B, 4, T, h, w\), got \(2, 4, 4, 4\)"),
        ("video", {"hidden_states": L(2, 4, 5, 4, 4)}, "at most 3 latent frames, got 5; interpolate_positions makes"),
        ("patch", {"hidden_states": L(2, 4, 3, 4, 5)}, r"must be multiples of patch_size=2, got \(4, 5\)"),
        (
            "video",
            {"hidden_states": [L(4, 1, 4, 4), L(4, 3, 4, 4)]},
            r"one tensor, got 2 samples of \[1, 3\] latent frames; a mixed batch holds images as stacks",
        ),
        (
            "video",
            {"self_condition": L(2, 4, 1, 4, 4)},
            "self_condition must have the 3 latent frames of hidden_states, got 1; a mixed batch holds images as stack",
        ),
        ("video", {"self_condition": L(2, 4, 3, 4, 5)}, r"self_condition must have the shape of hidden_states \(2, 4"),
        ("video", {"image_mask": L(3, dtype=torch.bool)}, r"image_mask must be \(2,\), got \(3,\)"),
        ("video", {"class_labels": L(2).long()}, "class_labels given, but the model has num_classes=None"),
        ("class", {"class_labels": torch.tensor([0, 4])}, r"must lie in \[0, 3\] \(3 is the null class\), got 4"),
        ("class", {"class_labels": torch.tensor([-1, 0])}, r"must lie in \[0, 3\] .*, got -1"),
        ("class", {"class_labels": L(3).long()}, r"class_labels must be \(2,\) or \(2, 3\), got \(3,\)"),
        ("class", {"encoder_hidden_states": L(2, 5, 6)}, "this class-conditional model reads no text"),
        ("video", {"encoder_hidden_states": L(2, 5, 6)}, "this unconditional model reads no text"),
        ("text", {"encoder_hidden_states": L(2, 5, 7)}, r"must be \(2, L, 6\), got \(2, 5, 7\)"),
        (
            "text",
            {"encoder_attention_mask": L(2, 4, dtype=torch.bool)},
            r"must be bool \(2, 5\), got torch.bool \(2, 4",
        ),
        ("text", {"encoder_attention_mask": L(2, 5)}, r"must be bool \(2, 5\), got torch.float32"),
        ("text", {"encoder_hidden_states": None}, "encoder_attention_mask given without encoder_hidden_states"),
        ("frames", {"frame_mask": None}, "frame_condition given without frame_mask"),
        ("frames", {"frame_condition": None}, "frame_mask given without frame_condition"),
        ("frames", {"frame_mask": L(2, 3)}, r"frame_mask must be bool \(2, 3\), got torch.float32"),
        ("frames", {"frame_condition": L(2, 4, 2, 4, 4)}, "frame_condition must have the 3 latent frames"),
        ("video", {"frame_condition": L(2, 4, 3, 4, 4)}, "frame_condition given, but the model has frame_conditioning"),
        (
            "super",
            {"low_res": None},
            r"low_res must be given to a super-resolution model \(low_res_scale=2\), got None",
        ),
        ("super", {"low_res": L(2, 4, 3, 4, 4)}, r"low_res must be \(2, 4, 3, 2, 2\).*, got \(2, 4, 3, 4, 4\)"),
        ("video", {"low_res": L(2, 4, 3, 2, 2)}, "low_res given, but the model has low_res_scale=None"),
        ("video", {"timestep": torch.tensor([[1, 2]] * 2)}, "a condition for each frame must have the frames"),
    ],
)
def test_wrong_inputs_are_named(variant: str, changes: dict[str, Any], message: str):
    model = build(variant)
    with pytest.raises(ValueError, match=message) as caught:
        model(**inputs(model) | changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "both"}, "objective must be 'video' or 'image', got 'both'"),
        ({"sample_size": 5, "patch_size": 2}, "sample_size must be a multiple of patch_size=2, got 5"),
        ({"sample_size": (4, 4, 4)}, r"sample_size must be a positive integer or \(height, width\), got \(4, 4, 4\)"),
        ({"adaln_lora_rank": 0}, "adaln_lora_rank must be at least 1, or None for separate modulations, got 0"),
        ({"low_res_scale": 0}, "low_res_scale must be at least 1, or None, got 0"),
    ],
)
def test_wrong_configs_are_named(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        WaltTransformer3DModel(**BASE | changes)


def test_unknown_config_fields_are_named_with_the_nearest():
    with pytest.raises(
        ValueError, match="unknown config field 'num_layer' of WaltTransformer3DModel; did you mean 'nu"
    ):
        WaltTransformer3DModel.from_config({**BASE, "num_layer": 3})
    with pytest.raises(ValueError, match="unknown config field 'colour' of WaltTransformer3DModel; its fields are"):
        WaltTransformer3DModel.from_config({**BASE, "colour": "red"})
    with pytest.raises(TypeError, match="num_layer"):
        WaltTransformer3DModel(num_layer=3)
