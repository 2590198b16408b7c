# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The contract's fields agree, and spans tile the clip."""

import pytest
import torch

from hf_vdrep.backbones import FeatureMap, causal_frame_spans


@pytest.mark.parametrize(("frames", "ratio"), [(1, 4), (5, 4), (17, 4), (17, 1), (9, 2)])
def test_frame_spans_tile_every_frame_once(frames, ratio):
    covered = [frame for start, end in causal_frame_spans(frames, ratio).tolist() for frame in range(start, end)]
    assert covered == list(range(frames))


def test_frame_spans_of_the_tokenizer():
    """papers.md §6: latent 0 is frame 0, latent k is frames 4k - 3 to 4k."""
    assert causal_frame_spans(17, 4).tolist() == [[0, 1], [1, 5], [5, 9], [9, 13], [13, 17]]


def test_frame_spans_refuse_other_lengths():
    with pytest.raises(ValueError, match=r"videos must have 1 \+ 4k frames, got 16"):
        causal_frame_spans(16, 4)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("values", torch.zeros(1, 2, 3, 3)),
        ("values", torch.zeros(1, 2, 3, 3, 4, dtype=torch.int32)),
        ("frame_spans", torch.tensor([[0, 1]])),
        ("frame_spans", torch.tensor([[0, 1], [1, 1]])),
        ("layer", -1),
        ("stride", 0),
    ],
)
def test_contradictions_name_the_field(field, value):
    fields = {
        "values": torch.zeros(1, 2, 3, 3, 4),
        "layer": 0,
        "timestep": None,
        "frame_spans": torch.tensor([[0, 1], [1, 5]]),
        "stride": 8,
    }
    FeatureMap(**fields)
    with pytest.raises(ValueError, match=f"^{field} must"):
        FeatureMap(**{**fields, field: value})
