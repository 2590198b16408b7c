# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pictures of what a denoiser generates while it trains: images in rows, clips as strips, from the same noise."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ..models.scheduler_walt import make_scheduler
from .stream import derive_seed

if TYPE_CHECKING:
    from ..models import AutoencoderWalt

GAP = 2
# Colour of the gaps between pictures, which tells them from black frames.
PAPER = 255


class SampleGrids:
    """Generates with a few DDIM steps from noise that is a function of the seed alone.

    Args:
        vae: frozen tokenizer.
        count: images; of clips half as many, at least one.
        steps: DDIM steps.
        seed: of the noise.
        shown_frames: frames of a clip in its strip, evenly spread.
        conditions: arguments of the pipeline's call for a number of samples, such as class labels.
    """

    def __init__(
        self,
        vae: "AutoencoderWalt",
        *,
        count: int = 8,
        steps: int = 16,
        seed: int = 0,
        shown_frames: int = 9,
        conditions: Callable[[int], dict[str, Any]] = lambda number: {},
    ) -> None:
        self.vae, self.count, self.steps, self.seed = vae, count, steps, seed
        self.shown_frames, self.conditions = shown_frames, conditions

    def __call__(self, model: nn.Module) -> dict[str, np.ndarray]:
        """`images` and, for V-WALT, `clips`: uint8 (H, W, 3).

        Args:
            model: `WaltTransformer3DModel` with the weights to look at; it keeps its mode.
        """
        inner: Any = getattr(model, "_orig_mod", model)
        training = inner.training
        inner.eval()
        try:
            grids = {"images": image_grid(self._generate(inner, self.count, 1)[:, 0])}
            if inner.config.objective == "video":
                grids["clips"] = video_strips(self._generate(inner, max(1, self.count // 2), None), self.shown_frames)
        finally:
            inner.train(training)
        return grids

    @torch.no_grad()
    def _generate(self, model: Any, number: int, num_frames: int | None) -> np.ndarray:
        """uint8 (N, T, H, W, 3); every sample has noise of its own, whatever is made beside it."""
        from ..models import WaltPipeline

        pipeline = WaltPipeline(vae=self.vae, transformer=model, scheduler=make_scheduler())
        pipeline.set_progress_bar_config(disable=True)
        seeds = [derive_seed("samples", self.seed, place) for place in range(number)]
        result = pipeline(
            batch_size=number,
            num_frames=num_frames,
            num_inference_steps=self.steps,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds],
            output_type="pt",
            **self.conditions(number),
        )
        pixels = result.images[:, None] if num_frames == 1 else result.frames
        return (pixels.float().cpu().permute(0, 1, 3, 4, 2) * 255).round().to(torch.uint8).numpy()


def image_grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """uint8 (N, H, W, 3) in rows of `columns` (default: as square as can be) on paper, uint8 (H', W', 3)."""
    number = len(images)
    columns = columns or int(np.ceil(np.sqrt(number)))
    return _paste([images[start : start + columns] for start in range(0, number, columns)])


def video_strips(clips: np.ndarray, shown_frames: int) -> np.ndarray:
    """Clips uint8 (N, T, H, W, 3), one below the other, `shown_frames` of each from left to right."""
    places = np.linspace(0, clips.shape[1] - 1, min(shown_frames, clips.shape[1])).round().astype(int)
    return _paste([clip[places] for clip in clips])


def _paste(rows: Sequence[np.ndarray]) -> np.ndarray:
    height, width, channels = rows[0].shape[1:]
    columns = max(len(row) for row in rows)
    shape = (len(rows) * (height + GAP) + GAP, columns * (width + GAP) + GAP, channels)
    paper = np.full(shape, PAPER, np.uint8)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            top, left = GAP + y * (height + GAP), GAP + x * (width + GAP)
            paper[top : top + height, left : left + width] = picture
    return paper
