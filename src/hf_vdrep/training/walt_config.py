# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Settings of the denoiser's training."""

from dataclasses import dataclass, field
from typing import Any

from .config import option
from .data_config import DataConfig
from .loop_config import LoopConfig


@dataclass
class WaltTrainConfig(DataConfig, LoopConfig):
    """Settings of `train_walt`."""

    output_dir: str = option("runs/walt", "folder for config, log, checkpoints and pipeline/")
    objective: str = option("video", "video: V-WALT; image: I-WALT, its twin", choices=["video", "image"])
    vae: str = option("runs/tokenizer-tiny/vae", "trained tokenizer: folder or Hub id")
    model: dict[str, Any] = field(default_factory=dict, metadata={"help": "arguments of WaltTransformer3DModel"})
    self_condition_probability: float = option(0.9, "share of samples trained with a first estimate as input")
    latents_seed: int = option(0, "picks the frames that are encoded as images")
    storage_dtype: str = option("float32", "dtype of the saved weights", choices=["float32", "bfloat16", "float16"])

    def check(self, parts: int = 1) -> None:
        super().check(parts)
        self.check_data()
        if not 0 <= self.self_condition_probability <= 1:
            raise ValueError(f"self_condition_probability must lie in [0, 1], got {self.self_condition_probability}")
        if "objective" in self.model:
            raise ValueError("objective must be set beside model, not inside it")
