# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Named settings of the tokenizer: every column of WALT's first-stage table, and the tiny one.

The table gives inputs, ratios, 128 base channels and multipliers. Not in it: 8 latent channels (§5.2), and 4 residual
blocks per level, the "deeper" of MAGVIT-v2, which is what its open re-implementation builds (inferred).
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FirstStage:
    """One column of WALT Table 8, first stage.

    Attributes:
        frames: of a training clip.
        height: of a frame, pixels.
        width: of a frame, pixels.
        base_channels: width that the multipliers multiply.
        multipliers: one per level, finest first.
        temporal_downsample: for each step between levels, whether it halves time; none in a 2-D tokenizer.
        layers_per_block: residual blocks of every level.
        mid_block_layers: residual blocks beyond the coarsest level.
        temporal_kernel_sizes: of every level.
        latent_channels: c.
        norm_num_groups: of the per-frame GroupNorm.
    """

    frames: int
    height: int
    width: int
    base_channels: int = 128
    multipliers: tuple[float, ...] = (1, 2, 2, 4)
    temporal_downsample: tuple[bool, ...] = (False, True, True)
    layers_per_block: int | tuple[int, ...] = 4
    mid_block_layers: int = 4
    temporal_kernel_sizes: int | tuple[int, ...] = 3
    latent_channels: int = 8
    norm_num_groups: int = 32

    @property
    def latent_shape(self) -> tuple[int, int, int, int]:
        """(T', h, w, c) of the training clips' latents."""
        space, time = 2 ** (len(self.multipliers) - 1), 2 ** sum(self.temporal_downsample)
        return 1 + (self.frames - 1) // time, self.height // space, self.width // space, self.latent_channels

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of `AutoencoderWalt`, JSON-able."""
        depth, kernels = self.layers_per_block, self.temporal_kernel_sizes
        return {
            "latent_channels": self.latent_channels,
            "block_out_channels": [round(self.base_channels * factor) for factor in self.multipliers],
            "layers_per_block": depth if isinstance(depth, int) else list(depth),
            "mid_block_layers": self.mid_block_layers,
            "temporal_downsample": list(self.temporal_downsample),
            "temporal_kernel_sizes": kernels if isinstance(kernels, int) else list(kernels),
            "norm_num_groups": self.norm_num_groups,
        }


AUTOENCODERS: dict[str, FirstStage] = {
    "imagenet": FirstStage(
        1, 256, 256, multipliers=(1, 1, 2, 4), temporal_downsample=(False,) * 3, temporal_kernel_sizes=1
    ),
    "ucf-101": FirstStage(17, 128, 128),
    "k600": FirstStage(17, 128, 128),
    "t2v-base": FirstStage(17, 128, 128),
    "t2v-2x": FirstStage(17, 256, 448),
    "t2v-2x2x": FirstStage(17, 512, 896),
    # Ours, for 64x64 clips on a CPU: Table 8 scaled down, no temporal kernels where frames are large.
    "tiny": FirstStage(
        17,
        64,
        64,
        base_channels=16,
        multipliers=(1, 2, 4, 6),
        layers_per_block=(0, 1, 1, 0),
        mid_block_layers=1,
        temporal_kernel_sizes=(1, 1, 3, 3),
        norm_num_groups=8,
    ),
}
"""Name -> column. UCF-101, K600 and the three text-to-video stages share one network."""


def autoencoder_config(name: str) -> dict[str, Any]:
    """Arguments of `AutoencoderWalt` for a named first stage: `AutoencoderWalt(**autoencoder_config("t2v-base"))`.

    Raises:
        ValueError: no such name.
    """
    if name not in AUTOENCODERS:
        raise ValueError(f"name must be one of {sorted(AUTOENCODERS)}, got {name!r}")
    return AUTOENCODERS[name].arguments()


def autoencoder_sizes() -> list[dict[str, Any]]:
    """One row per named first stage: name, input and latent shape, parameters of encoder and decoder (no memory)."""
    import torch

    from .autoencoder_walt import AutoencoderWalt

    rows = []
    for name, stage in AUTOENCODERS.items():
        with torch.device("meta"):
            model = AutoencoderWalt(**stage.arguments())
        halves = {half: sum(p.numel() for p in getattr(model, half).parameters()) for half in ("encoder", "decoder")}
        shapes = {"input": (stage.frames, stage.height, stage.width, 3), "latents": stage.latent_shape}
        rows.append({"name": name, **shapes, **halves, "parameters": sum(halves.values())})
    return rows
