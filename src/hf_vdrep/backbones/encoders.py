# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Vision encoders of transformers as frozen backbones."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from .base import Backbone, check_videos
from .encoder_families import FAMILIES, EncoderFamily
from .encoder_input import EncoderInputs, Preprocessing, call_arguments, preprocessing_of, sample_frames
from .encoder_layout import to_grid
from .feature_map import FeatureMap
from .fingerprint import fingerprint
from .tap import first_tensor, tap


@dataclass(frozen=True)
class _Block:
    name: str
    module: torch.nn.Module


class EncoderBackbone(Backbone):
    """Block outputs of a frozen vision encoder.

    An image encoder reads every frame of a clip on its own. A video encoder reads the clip; where it takes a fixed
    number of frames, that many are picked evenly.

    Args:
        model: a vision model of transformers, or a model of images and text that holds one (CLIP, SigLIP).
        preprocessing: size, mean and scale of the pixels; ImageNet's where None.
        name: short name for tables; the model type if None.

    Raises:
        ValueError: a model type that is not known; the line lists those that are.
    """

    uses_timestep = False

    def __init__(self, model: Any, preprocessing: Preprocessing | None = None, name: str | None = None) -> None:
        model = vision_part(model)
        self.family = family_of(model.config)
        self.model = model.eval().requires_grad_(False)
        if self.family is FAMILIES["vit_mae"]:
            model.config.mask_ratio = 0.0  # every patch is seen
        self.preprocessing = (preprocessing or Preprocessing()).for_model(model.config, self.family)
        self.name = name or model.config.model_type
        self.blocks = _blocks(model, self.family)
        self.num_layers = len(self.blocks)

    @classmethod
    def from_pretrained(
        cls, path: str | os.PathLike[str], *, resolution: int | None = None, name: str | None = None, **options: Any
    ) -> "EncoderBackbone":
        """Load a folder or Hub repository in float32, with the mean and scale of its image processor.

        Args:
            path: folder or Hub id.
            resolution: side that frames are resized to, pixels; the model's own if None.
            name: short name for tables.
            options: of `AutoModel.from_pretrained`, such as `revision`.

        Raises:
            OSError: nothing loadable there.
            ValueError: a model type that is not known.
        """
        from transformers import AutoModel

        _check_config(path, options.get("revision"))
        model = AutoModel.from_pretrained(path, **{"dtype": torch.float32, **options})
        known = preprocessing_of(path, resolution, options.get("revision"))
        return cls(model, known, name)

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]
        config = {"model": self.model.config.to_dict(), "pixels": repr(self.preprocessing), "site": "block"}
        if self.preprocessing.size is None and self.preprocessing.multiple > 1:
            config["multiple"] = self.preprocessing.multiple
        return fingerprint({"model": self.model}, config)

    @property
    def device(self) -> torch.device:
        return self.model.device

    def to(self, device: torch.device | str) -> "EncoderBackbone":
        """Move the weights."""
        self.model.to(device)
        return self

    def layer_names(self) -> list[str]:
        """Names of the blocks, by index."""
        return [block.name for block in self.blocks]

    @torch.inference_mode()
    def prepare(self, videos: torch.Tensor) -> EncoderInputs:
        """Resized and normalised frames of uint8 (B, T, H, W, 3)."""
        check_videos(videos)
        frames, spans = sample_frames(videos.shape[1], self.model.config, self.family)
        pixels = self.preprocessing(videos[:, frames].to(self.device))
        return EncoderInputs(pixels, spans, (videos.shape[2], videos.shape[3]))

    @torch.inference_mode()
    def extract(
        self,
        inputs: EncoderInputs,
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        indices = self.resolve_layers(layers)
        self.check_timesteps(timesteps)
        arguments = call_arguments(inputs.pixels, self.model.config, self.family)
        blocks = [self.blocks[index] for index in indices]
        outputs = tap(lambda: self.model(**arguments), [block.module for block in blocks])
        maps = [
            self._map(first_tensor(output), block, index, inputs)
            for output, block, index in zip(outputs, blocks, indices, strict=True)
        ]
        return maps * len(timesteps)

    def _map(self, output: torch.Tensor, block: _Block, index: int, inputs: EncoderInputs) -> FeatureMap:
        steps, size = len(inputs.frame_spans), (inputs.pixels.shape[3], inputs.pixels.shape[4])
        grid_steps = steps if self.family.video else 1
        values = to_grid(output, self.family, self.model, block.name, steps=grid_steps, size=size)
        if not self.family.video:
            values = values.squeeze(1).unflatten(0, (-1, steps))
        stride = max(1, round(inputs.size[0] / values.shape[2]))
        return FeatureMap(values, index, None, inputs.frame_spans, stride)


def _check_config(path: str | os.PathLike[str], revision: str | None) -> None:
    """Raise ValueError for a part of a diffusers pipeline, whose config names a class and no model type."""
    from transformers import PreTrainedConfig

    found, _ = PreTrainedConfig.get_config_dict(path, revision=revision)
    if "_class_name" in found and "model_type" not in found:
        part = found["_class_name"]
        raise ValueError(
            f"folder must hold an encoder or a whole pipeline, got {part} alone: give the pipeline's folder"
        )


def vision_part(model: Any) -> Any:
    """The vision tower of a model of images and text; other models as they are."""
    if model.config.model_type not in FAMILIES and hasattr(model, "vision_model"):
        return model.vision_model
    return model


def family_of(config: Any) -> EncoderFamily:
    """The line of the table for a model type.

    Raises:
        ValueError: there is none.
    """
    if config.model_type not in FAMILIES:
        raise ValueError(f"model must be a vision encoder of {', '.join(FAMILIES)}, got {config.model_type!r}")
    return FAMILIES[config.model_type]


def _blocks(model: Any, family: EncoderFamily) -> list[_Block]:
    pattern = re.compile(re.escape(family.blocks).replace(r"\*", r"\d+").replace(r"\|", "|"))
    found = [_Block(name, module) for name, module in model.named_modules() if pattern.fullmatch(name)]
    if not found:
        raise ValueError(f"model must have blocks named {family.blocks}, got a {type(model).__name__} without")
    return found
