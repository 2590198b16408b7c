# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A 2-D image tokenizer's weights in the causal 3-D one, so that both agree on single frames."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from .autoencoder_walt import AutoencoderWalt


@torch.no_grad()
def inflate(
    image: "AutoencoderWalt",
    temporal_downsample: Sequence[bool] | None = None,
    temporal_kernel_sizes: int | Sequence[int] = 3,
) -> "AutoencoderWalt":
    """A video tokenizer of the image tokenizer's widths and depths, started from its weights.

    MAGVIT inflates centrally (a 2-D kernel in the middle temporal tap). A causal kernel's present is its last tap, so
    the 2-D kernel goes there and zeros go before it (papers.md §1.2). An up-sampler that doubles time gets the 2-D
    channels twice: every frame starts as a picture of its own latent frame. At the start encoding and decoding of a
    single frame equal the image tokenizer's to the bit.

    Args:
        image: a tokenizer without any temporal kernel or stride.
        temporal_downsample: for each step between levels, whether it halves time (None: the last two, ratio 4).
        temporal_kernel_sizes: temporal kernel of every level.

    Raises:
        ValueError: `image` looks at more than one frame.
    """
    from .autoencoder_walt import AutoencoderWalt

    config = {key: value for key, value in image.config.items() if not key.startswith("_")}
    kernels = config["temporal_kernel_sizes"]
    if any(config["temporal_downsample"]) or max([kernels] if isinstance(kernels, int) else kernels) > 1:
        raise ValueError(
            "image_autoencoder must be 2-D (temporal_kernel_sizes 1, no temporal_downsample), got "
            f"temporal_kernel_sizes={kernels}, temporal_downsample={list(config['temporal_downsample'])}"
        )
    steps = len(config["block_out_channels"]) - 1
    if temporal_downsample is None:
        temporal_downsample = [step >= steps - 2 for step in range(steps)]
    changes = {"temporal_downsample": list(temporal_downsample), "temporal_kernel_sizes": temporal_kernel_sizes}
    video = AutoencoderWalt(**{**config, **changes})
    if image.dtype != video.dtype:
        video = video.to(image.dtype)
    given = image.state_dict()
    video.load_state_dict({name: _inflated(given[name], value) for name, value in video.state_dict().items()})
    return video.to(image.device).train(image.training)


def _inflated(image: torch.Tensor, video: torch.Tensor) -> torch.Tensor:
    repeats = video.shape[0] // image.shape[0]  # 2 in an up-sampler that doubles time, whose channels go (t, h, w, C)
    image = image.repeat(repeats, *[1] * (image.ndim - 1))
    if image.ndim < 5:
        return image
    result = torch.zeros_like(video, device=image.device)
    result[:, :, -1:] = image
    return result
