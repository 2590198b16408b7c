# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What has to be known about a family of diffusers denoisers, and one forward pass as its arguments see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch

InputLayout = Literal["image", "clip", "frames", "last", "packed", "own"]
OutputLayout = Literal["tokens", "maps", "left", "clips", "grid", "latte", "fractal", "sequence_first", "unidiffuser"]
Scale = Literal["steps", "sigma", "clean", "clean_steps"]
# Words of the null text.
TEXT_LENGTH = 8
TO_SCALE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "steps": lambda steps: steps,
    "sigma": lambda steps: steps / 1000,
    "clean": lambda steps: 1 - steps / 1000,
    "clean_steps": lambda steps: 1000 - steps,
}


@dataclass(frozen=True)
class Call:
    """One forward pass of a denoiser.

    Attributes:
        model: the denoiser.
        latents: (B, C, T, H, W), as many channels as the model takes.
        grid: T', H', W' of the blocks' tokens.
        level: (B,), noise level in the model's own units.
        ratios: frames and pixels per latent of the tokenizer, where they are known.
        words: of the text, where the model does not fix their number.
        blank: (1, C, T, H, W), what the tokenizer makes of a grey clip, where it is known and the model asks for it.
    """

    model: Any
    latents: torch.Tensor
    grid: tuple[int, int, int]
    level: torch.Tensor
    ratios: tuple[int, int] | None = None
    words: int = TEXT_LENGTH
    blank: torch.Tensor | None = None

    @property
    def config(self) -> Any:
        """The model's config."""
        return self.model.config

    @property
    def batch(self) -> int:
        """B."""
        return self.latents.shape[0]

    @property
    def count(self) -> int:
        """Tokens of the grid."""
        return self.grid[0] * self.grid[1] * self.grid[2]

    @cached_property
    def frames(self) -> int:
        """Frames of the latents."""
        return self.latents.shape[2]

    def grey(self, channels: int) -> torch.Tensor:
        """Latents of a grey clip, where a pipeline shows one to say that nothing is given; zeros if not known."""
        if self.blank is None:
            return self.zeros(self.batch, channels, *self.latents.shape[2:])
        return self.blank.to(self.latents).expand(self.batch, -1, -1, -1, -1)

    def zeros(self, *shape: int) -> torch.Tensor:
        """Zeros on the latents' device, of their type."""
        return self.latents.new_zeros(shape)

    def ones(self, *shape: int, dtype: torch.dtype | None = None) -> torch.Tensor:
        """Ones on the latents' device."""
        return self.latents.new_ones(shape, dtype=dtype or self.latents.dtype)


Argument = Callable[[Call], Any]


@dataclass(frozen=True)
class DenoiserFamily:
    """How a family is called and read.

    Attributes:
        kind: image models read the frames of a clip on their own.
        blocks: names of the blocks, `*` for a number, `|` between alternatives; in order of their running.
        arguments: of the forward pass beside latents and timestep, each built from the call; None leaves it out.
        layout: of the latents that go in. "image" (B, C, H, W), "clip" (B, C, T, H, W), "frames" (B, T, C, H, W),
            "last" (B, T, H, W, C), "packed" (B, T H W / p^2, C p^2), "own": an argument builds it.
        key: argument that takes the latents.
        time: argument that takes the noise level, "" where there is none.
        scale: units of the noise level. "steps" in [0, 1000], "sigma" in [0, 1], "clean" 1 - sigma,
            "clean_steps" 1000 - steps.
        output: of the blocks. "tokens" (B, N, C); "maps" (B T, C, H', W') or (B, C, H', W'); "left"
            maps of twice the width, the grid at the left; "clips"
            (B, C, T, H', W'); "grid" (B, T, H', W', C); the rest are layouts of one family.
        part: of an output that is a tuple, which entry holds the grid.
        inner: the same for what an attention or an MLP puts out.
        side: where the grid's tokens stand in a longer sequence.
        channels: name in the config of the channels that go in, or a function of the config.
        patch: T, H, W of a cell in latents after packing, or a function of the config; the config's own if None.
        pack: side of the square of latents that packing puts into one token.
        ramp: name of the config's argument, or a function of the config, that multiplies the noise level.
        least: smallest side of the latents that the model takes.
        square: takes no other than square grids.
        single: takes one sample at a time.
        one_level: hears one noise level for all samples of a call.
        grey: asks for the latents of a grey clip.
        version: raised when the same weights would give other features; part of the fingerprint.
        note: what a user must know, for the table in the docs.
    """

    kind: Literal["image", "video"]
    blocks: str = "transformer_blocks.*"
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    layout: InputLayout = "image"
    key: str = "hidden_states"
    time: str = "timestep"
    scale: Scale = "steps"
    output: OutputLayout = "tokens"
    part: int = 0
    inner: int = 0
    side: Literal["last", "first"] = "last"
    channels: str | Callable[[Any], int] = "in_channels"
    patch: tuple[int, int, int] | Callable[[Any], tuple[int, int, int]] | None = None
    pack: int = 1
    ramp: str | None = None
    least: int = 1
    square: bool = False
    single: bool = False
    one_level: bool = False
    grey: bool = False
    version: int = 1
    note: str = ""
