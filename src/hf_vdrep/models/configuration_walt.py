# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The transformers configuration of a WALT tokenizer and denoiser."""

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers.configuration_utils import PreTrainedConfig


@strict
class WaltConfig(PreTrainedConfig):
    """Configs of the two components and how to read features from them.

    Args:
        vae_config: arguments of `AutoencoderWalt`; absent ones take its defaults.
        transformer_config: arguments of `WaltTransformer3DModel`.
        scheduler_config: arguments of `DDIMScheduler`, over those of `make_scheduler`.
        timestep: noise level in [0, 999] at which features are read unless a call says otherwise.
    """

    model_type = "walt"

    vae_config: dict[str, Any] | None = None
    transformer_config: dict[str, Any] | None = None
    scheduler_config: dict[str, Any] | None = None
    timestep: int = 200

    def __post_init__(self, **kwargs: Any) -> None:
        self.vae_config = dict(self.vae_config or {})
        self.transformer_config = dict(self.transformer_config or {})
        self.scheduler_config = dict(self.scheduler_config or {})
        if not 0 <= self.timestep <= 999:
            raise ValueError(f"timestep must lie in [0, 999], got {self.timestep}")
        super().__post_init__(**kwargs)

    @property
    def num_hidden_layers(self) -> int:
        """Blocks; `hidden_states` has one entry more."""
        return self._of_transformer("num_layers", 24)

    @property
    def num_attention_heads(self) -> int:
        return self._of_transformer("num_attention_heads", 16)

    @property
    def hidden_size(self) -> int:
        return self.num_attention_heads * self._of_transformer("attention_head_dim", 64)

    def _of_transformer(self, name: str, default: int) -> int:
        return (self.transformer_config or {}).get(name, default)
