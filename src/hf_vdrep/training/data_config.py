# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Where a training's clips and pictures come from."""

from dataclasses import dataclass, field
from typing import Any

from .config import option


@dataclass
class DataConfig:
    """Settings of the data, a base of the trainings' own."""

    data: str = option(
        "probeworld", "probeworld (or probeworld-stream), a folder, *.tar, a Hub id, or a name of `data list`"
    )
    data_root: str | None = option(None, "folder (or Hub id) of the data where `data` is a name of `data list`")
    data_options: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "how clips are read: stride, fps, jitter, crop, flip, columns, ..."}
    )
    image_data: str | None = option(None, "pictures that are mixed in, in the words of `data`")
    image_root: str | None = option(None, "as data_root")
    image_options: dict[str, Any] = field(default_factory=dict, metadata={"help": "as data_options"})
    image_fraction: float = option(0.0, "share of what is trained on that is images instead of clips")
    train_split: str = option("train", "split to train on")
    eval_split: str = option("validation", "split to validate on")
    eval_clips: int = option(128, "held-out clips")
    resolution: int = option(64, "height and width of the clips, pixels")
    num_frames: int = option(17, "frames of a clip, 1 + 4k; ProbeWorld's have 17")
    shuffle_buffer: int = option(1000, "records of a stream that are permuted together; 1: shards only")
    lanes: int = option(0, "parallel readers of a stream, a multiple of processes x accumulation; 0: 8, or its shards")
    workers: int = option(0, "processes per rank that decode a stream; 0 decodes in this one")
    max_corrupt: float = option(0.05, "share of a stream's samples that may be corrupt")
    pool_size: int = option(8192, "ProbeWorld's training clips, rendered once and reused")
    pool_workers: int = option(0, "processes that render ProbeWorld; 0 renders in this one")
    cache_dir: str | None = option(None, "where rendered clips and latents live; default: cache/ beside output_dir")
    latent_cache: bool = option(False, "encode a stream's clips once and keep the latents (on | off)")
    latent_dtype: str = option("bfloat16", "dtype of kept latents", choices=["float32", "bfloat16", "float16"])
    latent_quota: float = option(0.0, "GB that cache_dir may hold with the latents to come; 0: what the disk has")

    @property
    def pooled(self) -> bool:
        """Whether the clips are ProbeWorld's, rendered once and read at random."""
        return self.data == "probeworld" and not self.image_data

    @property
    def only_pictures(self) -> bool:
        """Whether `image_data` is all there is to train on."""
        return bool(self.image_data) and self.image_fraction == 1

    def check_data(self) -> None:
        """Refuse settings that cannot be read from.

        Raises:
            ValueError: names the setting, what came and what is expected.
        """
        for name in ("image_fraction", "max_corrupt"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        for name in ("eval_clips", "resolution", "num_frames", "shuffle_buffer", "pool_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("lanes", "workers", "pool_workers", "latent_quota"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if (self.num_frames - 1) % 4:
            raise ValueError(f"num_frames must be 1 + 4k, got {self.num_frames}")
        if self.image_data and not self.image_fraction:
            raise ValueError(f"image_fraction must be above 0 with image_data={self.image_data}, got 0")
