# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Settings of the denoiser's training."""

from dataclasses import dataclass, field
from typing import Any

from ..data.sample import CLASS_LABELS
from .config import option
from .data_config import DataConfig
from .loop_config import LoopConfig
from .loss_weighting import WEIGHTINGS

LORA_TARGETS = ("to_q", "to_k", "to_v", "to_out.0")


@dataclass
class WaltTrainConfig(DataConfig, LoopConfig):
    """Settings of `train_walt`."""

    output_dir: str = option("runs/walt", "folder for config, log, checkpoints and pipeline/")
    objective: str = option("video", "video: V-WALT; image: I-WALT, its twin", choices=["video", "image"])
    twin_of: str | None = option(
        None, "RUN's settings (folder or YAML file), objective flipped; nothing else may differ"
    )
    vae: str = option("runs/tokenizer-tiny/vae", "trained tokenizer: folder, pipeline folder, shipped name or Hub id")
    model: dict[str, Any] = field(default_factory=dict, metadata={"help": "arguments of WaltTransformer3DModel"})
    init_from: str | None = option(None, "start from this: pipeline folder, shipped name, Hub id, run or checkpoint")
    self_condition_probability: float = option(0.9, "share of samples trained with a first estimate as input")
    loss_weighting: str = option("plain", "weight of the noise levels", choices=list(WEIGHTINGS))
    min_snr_gamma: float = option(5.0, "cap of the signal-to-noise ratio under min-snr")
    condition: str = option("none", "what the model is told", choices=["none", *CLASS_LABELS, "text"])
    condition_dropout: float = option(0.1, "share of samples whose label or text is hidden")
    text_encoder: str | None = option(None, "T5 encoder with tokenizer for condition=text: folder or Hub id")
    text_length: int = option(120, "tokens that texts are padded or cut to")
    frame_prediction_probability: float = option(0.0, "share of clips of which 1 or 2 latent frames are given")
    given_frames_count: bool = option(True, "given frames count in the loss")
    lora_rank: int = option(0, "train LoRA adapters of this rank on init_from, and nothing else; 0: everything")
    lora_alpha: float = option(0.0, "LoRA scale times rank; 0: the rank")
    lora_targets: list[str] = field(
        default_factory=lambda: list(LORA_TARGETS), metadata={"help": "layers that get adapters, by end of name"}
    )
    lora_merge: bool = option(False, "save pipeline/ with the adapters merged in as well")
    sample_count: int = option(8, "images, and half as many clips, in a sample grid")
    sample_inference_steps: int = option(16, "DDIM steps of a sample grid")
    latents_seed: int = option(0, "picks the frames that are encoded as images")
    storage_dtype: str = option("float32", "dtype of the saved weights", choices=["float32", "bfloat16", "float16"])

    def check(self, parts: int = 1) -> None:
        super().check(parts)
        self.check_data()
        for name in ("self_condition_probability", "condition_dropout", "frame_prediction_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        for name in ("sample_count", "sample_inference_steps", "text_length"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.min_snr_gamma <= 0:
            raise ValueError(f"min_snr_gamma must be above 0, got {self.min_snr_gamma}")
        if "objective" in self.model:
            raise ValueError("objective must be set beside model, not inside it")
        self._check_text()
        self._check_lora()

    def _check_text(self) -> None:
        if (self.condition == "text") != (self.text_encoder is not None):
            raise ValueError(f"text_encoder must go with condition=text, got {self.text_encoder} with {self.condition}")

    def _check_lora(self) -> None:
        if self.lora_rank < 0 or self.lora_alpha < 0:
            raise ValueError(f"lora_rank and lora_alpha must not be negative, got {self.lora_rank}, {self.lora_alpha}")
        if self.lora_rank and not self.init_from:
            raise ValueError("init_from must name the model that lora_rank adapts, got nothing")
        if self.lora_rank and not self.lora_targets:
            raise ValueError("lora_targets must name at least one layer, got none")
