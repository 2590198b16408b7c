# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The transformers configuration of a WALT tokenizer and denoiser, and of a readout over them."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub.dataclasses import strict
from transformers.backbone_utils import BackboneConfigMixin
from transformers.configuration_utils import PreTrainedConfig

from .compression import sides, spatial_ratio, temporal_ratio

# Defaults of the two components, here without their imports; a test compares them.
_DENOISER = {
    "num_layers": 24,
    "num_attention_heads": 16,
    "attention_head_dim": 64,
    "sample_frames": 5,
    "sample_size": 16,
    "patch_size": 1,
}


@strict
class WaltConfig(BackboneConfigMixin, PreTrainedConfig):
    """Configs of the two components and how to read features from them.

    Args:
        vae_config: arguments of `AutoencoderWalt`; absent ones take its defaults.
        transformer_config: arguments of `WaltTransformer3DModel`.
        scheduler_config: arguments of `DDIMScheduler`, over those of `make_scheduler`.
        timestep: noise level in [0, 999] at which features are read unless a call says otherwise.
        seed: of the noise, unless a call says otherwise.
        layer: block that a head reads: an index, negative from the end, or a relative depth in (0, 1].
        readout_config: arguments of a head's readout, and its class under `architectures`; the head's own by default.
        freeze_backbone: a head's tokenizer and denoiser take no gradients.
        depth_stride: pixels between the answers of a depth head, along both axes.
        out_features, out_indices: stages that `WaltBackbone` returns ("stem", "stage1", ...); the last by default.
    """

    model_type = "walt"

    vae_config: dict[str, Any] | None = None
    transformer_config: dict[str, Any] | None = None
    scheduler_config: dict[str, Any] | None = None
    timestep: int = 200
    seed: int = 0
    layer: int | float = 0.67
    readout_config: dict[str, Any] | None = None
    freeze_backbone: bool = False
    depth_stride: int = 1
    _out_features: list[str] | None = None
    _out_indices: list[int] | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        self.vae_config = _arguments(self.vae_config)
        self.transformer_config = _arguments(self.transformer_config)
        self.scheduler_config = _arguments(self.scheduler_config)
        if not 0 <= self.timestep <= 999:
            raise ValueError(f"timestep must lie in [0, 999], got {self.timestep}")
        if self.depth_stride < 1:
            raise ValueError(f"depth_stride must be at least 1, got {self.depth_stride}")
        kwargs.pop("stage_names", None)
        # The auto classes walk through it when they look for a class of ours.
        if self.architectures is None:
            self.architectures: list[str] | None = []
        self.set_output_features_output_indices(
            out_features=kwargs.pop("out_features", None), out_indices=kwargs.pop("out_indices", None)
        )
        super().__post_init__(**kwargs)

    @property
    def stage_names(self) -> list[str]:
        """Names of the hidden states: "stem" for the embedding, "stage1" for the first block's output."""
        return ["stem", *(f"stage{index}" for index in range(1, self.num_hidden_layers + 1))]

    @property
    def num_hidden_layers(self) -> int:
        """Blocks; `hidden_states` has one entry more."""
        return self._of_denoiser("num_layers")

    @num_hidden_layers.setter
    def num_hidden_layers(self, value: int) -> None:
        self.transformer_config = {**(self.transformer_config or {}), "num_layers": value}

    @property
    def num_attention_heads(self) -> int:
        return self._of_denoiser("num_attention_heads")

    @num_attention_heads.setter
    def num_attention_heads(self, value: int) -> None:
        self.transformer_config = {**(self.transformer_config or {}), "num_attention_heads": value}

    @property
    def hidden_size(self) -> int:
        """Width of a token."""
        return self.num_attention_heads * self._of_denoiser("attention_head_dim")

    @hidden_size.setter
    def hidden_size(self, value: int) -> None:
        raise NotImplementedError(
            "hidden_size is num_attention_heads x attention_head_dim of transformer_config: set those"
        )

    @property
    def num_channels(self) -> int:
        """Of a pixel."""
        return (self.vae_config or {}).get("in_channels", 3)

    @property
    def image_size(self) -> int | tuple[int, int]:
        """Height and width of a training sample in pixels, one number where they agree."""
        ratio = spatial_ratio(self.vae_config or {})
        height, width = sides(self._of_denoiser("sample_size"))
        return height * ratio if height == width else (height * ratio, width * ratio)

    @property
    def patch_size(self) -> int:
        """Height and width in pixels of what one token stands for; `image_size / patch_size` tokens a side."""
        return self._of_denoiser("patch_size") * spatial_ratio(self.vae_config or {})

    @property
    def num_frames(self) -> int:
        """Frames of a training clip, 1 + 4k."""
        return 1 + (self._of_denoiser("sample_frames") - 1) * self.tubelet_size

    @property
    def tubelet_size(self) -> int:
        """Frames of one latent step; the first frame is a step of its own."""
        return temporal_ratio(self.vae_config or {})

    def _of_denoiser(self, name: str) -> Any:
        return (self.transformer_config or {}).get(name, _DENOISER[name])

    @classmethod
    def register_for_auto_class(cls, auto_class: str | type = "AutoConfig") -> None:
        """Nothing to do: a saved folder names the package's own classes, and copied code would not import."""


def _arguments(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """A component's arguments without diffusers' notes, such as `_class_name` in a file or `_use_default_values` in a
    live config: `from_config` would obey the latter and put back defaults over what is given."""
    return {name: value for name, value in (config or {}).items() if not name.startswith("_")}
