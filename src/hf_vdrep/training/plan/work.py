# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""FLOPs of a denoiser's training step in closed form, two for every multiply-add.

The backward pass costs twice the forward pass: a product for the gradient of each factor. Products whose input needs
no gradient (the noisy latents, the waves of the timestep, the text) cost it once. What self-conditioning and activation
checkpointing compute again is counted where hardware does it and left out of the model's own FLOPs (of which MFU
speaks), as is usual.
"""

from dataclasses import dataclass

from ...models.walt_flops import forward_flops
from .denoiser_shape import DenoiserShape

_WAVES = 256


@dataclass(frozen=True)
class StepWork:
    """FLOPs of one item (a clip, or a stack of as many images as a clip has latent frames).

    Attributes:
        forward: of one forward pass.
        backward: of one backward pass.
        estimate: of the first pass of self-conditioning, over all items.
        recomputed: of activation checkpointing.
    """

    forward: float
    backward: float
    estimate: float
    recomputed: float

    @property
    def model(self) -> float:
        """What learning needs: forward and backward, and the estimate that it is conditioned on."""
        return self.forward + self.backward + self.estimate

    @property
    def hardware(self) -> float:
        """All that is computed."""
        return self.model + self.recomputed


def clip_forward(shape: DenoiserShape, text_length: int = 128) -> int:
    """FLOPs of a forward pass over one clip."""
    return forward_flops(shape.config, text_length=text_length)


def stack_forward(shape: DenoiserShape, text_length: int = 128) -> int:
    """FLOPs of a forward pass over a stack of images, each on its own."""
    return shape.frames * forward_flops(shape.config, frames=1, text_length=text_length)


def input_flops(shape: DenoiserShape, samples: int, tokens: int, text_length: int = 128) -> int:
    """FLOPs of the products whose input needs no gradient.

    Args:
        shape: of the denoiser.
        samples: conditions: 1 for a clip, one per image for a stack.
        tokens: of all of them.
        text_length: tokens of text, for models that read some.
    """
    config, width = shape.config, shape.width
    channels, places = config["in_channels"], tokens * config["patch_size"] ** 2
    total = 2 * samples * _WAVES * width
    if config["text_dim"] is not None:
        total += 2 * samples * text_length * config["text_dim"] * width
    if config["low_res_scale"] is not None:
        # The convolution of the low-resolution latents, and the waves of their own noise level. The tokens' projection
        # then reads what was learnt, and gives its input a gradient.
        return total + 2 * 9 * channels**2 * places + 2 * samples * _WAVES * width
    planes = channels * (1 + config["self_condition"]) + (channels + 1) * config["frame_conditioning"]
    return total + 2 * places * width * planes


def step_work(
    shape: DenoiserShape,
    *,
    image_fraction: float = 0.0,
    self_condition: float = 0.0,
    checkpointing: bool = False,
    text_length: int = 128,
) -> StepWork:
    """Mean FLOPs of one item.

    Args:
        shape: of the denoiser; an image model trains on stacks alone.
        image_fraction: share of items that are stacks of images, for a video model.
        self_condition: probability of the first pass (WALT §4.3).
        checkpointing: blocks are computed again in the backward pass.
        text_length: tokens of text, for models that read some.
    """
    share = 1.0 if shape.config["objective"] == "image" else image_fraction
    tokens = shape.tokens
    clips = clip_forward(shape, text_length), input_flops(shape, 1, tokens, text_length)
    stacks = stack_forward(shape, text_length), input_flops(shape, shape.frames, tokens, text_length)
    forward, inputs = ((1 - share) * clip + share * stack for clip, stack in zip(clips, stacks, strict=True))
    estimate = self_condition * forward if shape.config["self_condition"] else 0.0
    return StepWork(forward, 2 * forward - inputs, estimate, forward if checkpointing else 0.0)
