# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How much a tokenizer compresses, read from its config alone."""

from collections.abc import Mapping, Sequence
from typing import Any


def spatial_ratio(vae_config: Mapping[str, Any]) -> int:
    """Pixels per latent along height and width; 8 unless the config says otherwise."""
    halved = vae_config.get("spatial_downsample")
    if halved is None:
        return 2 ** (len(vae_config.get("block_out_channels") or (1,) * 4) - 1)
    return 2 ** sum(map(bool, halved))


def temporal_ratio(vae_config: Mapping[str, Any]) -> int:
    """Frames per latent step after the first; 4 unless the config says otherwise."""
    return 2 ** sum(map(bool, vae_config.get("temporal_downsample", (False, True, True))))


def sides(sample_size: int | Sequence[int]) -> tuple[int, int]:
    """(height, width) of a size given as one number or two."""
    if isinstance(sample_size, int):
        return sample_size, sample_size
    height, width = sample_size
    return height, width
