# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Settings of the denoiser's training."""

from dataclasses import dataclass, field
from typing import Any

from .config import option
from .loop_config import LoopConfig


@dataclass
class WaltTrainConfig(LoopConfig):
    """Settings of `train_walt`."""

    output_dir: str = option("runs/walt", "folder for config, log, checkpoints and pipeline/")
    objective: str = option("video", "video: V-WALT; image: I-WALT, its twin", choices=["video", "image"])
    vae: str = option("runs/tokenizer-tiny/vae", "trained tokenizer: folder or Hub id")
    model: dict[str, Any] = field(default_factory=dict, metadata={"help": "arguments of WaltTransformer3DModel"})
    image_fraction: float = option(0.0, "share of a V-WALT batch that is stacks of images instead of clips")
    self_condition_probability: float = option(0.9, "share of samples trained with a first estimate as input")
    resolution: int = option(64, "height and width of the clips, pixels")
    pool_size: int = option(8192, "training clips, encoded once")
    pool_workers: int = option(0, "processes that render the pool; 0 renders in this one")
    cache_dir: str | None = option(None, "where clips and latents live; default: cache/ beside output_dir")
    latents_seed: int = option(0, "picks the frames that are encoded as images")
    train_split: str = option("train", "ProbeWorld split to train on")
    eval_split: str = option("validation", "ProbeWorld split to validate on")
    eval_clips: int = option(128, "held-out clips")
    storage_dtype: str = option("float32", "dtype of the saved weights", choices=["float32", "bfloat16", "float16"])

    def check(self, parts: int = 1) -> None:
        super().check(parts)
        for name in ("image_fraction", "self_condition_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if "objective" in self.model:
            raise ValueError("objective must be set beside model, not inside it")
