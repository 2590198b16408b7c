# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A denoiser as plans see it: parameters and shapes, from its config, without memory for a weight."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class DenoiserShape:
    """Counts of a `WaltTransformer3DModel`.

    Attributes:
        config: every argument of the model, defaults filled in.
        parameters: all of them; every one is trained.
        largest_block: parameters of the largest block, what FSDP gathers at a time.
        tensors: parameter tensors.
        state_bytes: of its state dict in float32.
        names: characters of the state dict's names, which a safetensors header holds.
    """

    config: Mapping[str, Any]
    parameters: int
    largest_block: int
    tensors: int
    state_bytes: int
    names: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "DenoiserShape":
        """Build the model on the meta device and count.

        Raises:
            ValueError: arguments that no model can be built from.
        """
        import torch

        from ...models import WaltTransformer3DModel

        with torch.device("meta"):
            try:
                model = WaltTransformer3DModel(**config)
            except TypeError as error:
                raise ValueError(f"model must hold arguments of WaltTransformer3DModel: {error}") from error
        sizes = [parameter.numel() for parameter in model.parameters()]
        blocks = [sum(p.numel() for p in block.parameters()) for block in model.blocks]
        state = model.state_dict()
        full = {name: value for name, value in model.config.items() if not name.startswith("_")}
        return cls(
            full,
            sum(sizes),
            max(blocks),
            len(sizes),
            sum(value.numel() * value.element_size() for value in state.values()),
            sum(len(name) for name in state),
        )

    @property
    def width(self) -> int:
        """d."""
        return self.config["num_attention_heads"] * self.config["attention_head_dim"]

    @cached_property
    def latent_size(self) -> tuple[int, int]:
        """(height, width) of the latents."""
        size = self.config["sample_size"]
        return (size, size) if isinstance(size, int) else (size[0], size[1])

    @property
    def frames(self) -> int:
        """Latent frames T'."""
        return self.config["sample_frames"]

    @property
    def grid(self) -> tuple[int, int, int]:
        """(T', h, w) tokens of a clip."""
        patch = self.config["patch_size"]
        return self.frames, self.latent_size[0] // patch, self.latent_size[1] // patch

    @property
    def tokens(self) -> int:
        """Of a clip, and of a stack of images."""
        return math.prod(self.grid)

    @property
    def latent_numbers(self) -> int:
        """Numbers in the latents of a clip."""
        return self.config["in_channels"] * self.frames * math.prod(self.latent_size)
