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


def legal_lengths(num_frames: int, ratio: int, longest: int | None = None) -> str:
    """The rule for the frames of a clip and the lengths nearest to one that breaks it, as words of an error.

    Args:
        num_frames: what was asked for.
        ratio: frames per latent step after the first.
        longest: the most that the denoiser takes.
    """
    below = max(1 + (num_frames - 1) // ratio * ratio, 1)
    near = {n if longest is None else min(n, longest) for n in (below, below + ratio)}
    most = "" if longest is None else f" and at most {longest}"
    return f"1 + {ratio}k{most}, got {num_frames} (nearest: {' or '.join(map(str, sorted(near)))})"
