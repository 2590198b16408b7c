# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which input frames each step of a causal tokenizer covers."""

import torch


def causal_frame_spans(num_frames: int, ratio: int) -> torch.Tensor:
    """Spans of a tokenizer that takes frame 0 alone and then `ratio` frames at a time (WALT §4.1).

    Args:
        num_frames: input frames, 1 + k * ratio.
        ratio: frames per step; 1 gives every frame its own step.

    Returns:
        int64 (1 + k, 2): step 0 covers [0, 1), step k covers [(k - 1) * ratio + 1, k * ratio + 1).

    Raises:
        ValueError: `num_frames` is not 1 + k * ratio.
    """
    if num_frames < 1 or (num_frames - 1) % ratio:
        raise ValueError(f"videos must have 1 + {ratio}k frames, got {num_frames}")
    ends = torch.arange(1, num_frames + 1, ratio)
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), ends[:-1]])
    return torch.stack([starts, ends], dim=1)
