# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Samples of a pipeline as a set: sample i depends on the seed and on i, not on how many are drawn."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...backbones.fingerprint import fingerprint
from .sets import ClipSet, check_kind
from .store import kept

CHUNK = 16
"""Samples that are drawn, and kept, together."""


class GeneratedSet(ClipSet):
    """What a pipeline generates.

    Args:
        pipeline: a WALT pipeline, or any of diffusers that makes images or videos.
        kind: "image" or "video".
        size: samples.
        seed: of the noise of all.
        steps: denoising steps.
        labels: class of a class-conditional pipeline: one for all, or "all": sample i has class i modulo their number.
        prompts: of a text-conditional pipeline: sample i has prompt i modulo their number.
        guidance_scale: weight of label or prompt; None leaves the pipeline's own.
        cache_dir: keeps samples, so that a stopped run goes on; None keeps nothing.
        name: for tables.
        progress: called with the number of samples drawn.

    Raises:
        ValueError: an image model asked for videos.
    """

    def __init__(
        self,
        pipeline: Any,
        kind: str,
        size: int,
        *,
        seed: int = 0,
        steps: int = 20,
        labels: int | str | None = None,
        prompts: Sequence[str] = (),
        guidance_scale: float | None = None,
        cache_dir: str | Path | None = None,
        name: str = "",
        progress: Callable[[int], object] | None = None,
    ) -> None:
        check_kind(kind)
        if kind == "video" and getattr(pipeline, "default_num_frames", None) == 1:
            raise ValueError('kind must be "image" for a model of images, got "video"')
        self.pipeline, self.kind, self.size, self.seed, self.steps = pipeline, kind, size, seed, steps
        self.labels, self.prompts, self.guidance_scale = labels, tuple(prompts), guidance_scale
        self.cache_dir = Path(cache_dir) / "samples" if cache_dir else None
        self.name, self.progress = name or type(pipeline).__name__, progress
        self._shape: tuple[int, int, int] | None = None

    @cached_property
    def key(self) -> str:
        modules = {n: part for n, part in self.pipeline.components.items() if isinstance(part, torch.nn.Module)}
        settings = {
            "scheduler": dict(self.pipeline.scheduler.config),
            "kind": self.kind,
            "seed": self.seed,
            "steps": self.steps,
            "labels": self.labels,
            "prompts": self.prompts,
            "guidance": self.guidance_scale,
            "torch": torch.__version__,
            "device": self.pipeline.device.type,
        }
        return f"generated-1-{fingerprint(modules, json.loads(json.dumps(settings, default=str)))}"

    def clips(self, indices: Sequence[int]) -> torch.Tensor:
        found = []
        for chunk in sorted({index // CHUNK for index in indices}):
            first = chunk * CHUNK
            count = min(CHUNK, self.size - first)
            drawn = self._chunk(first, count)
            wanted = [index - first for index in indices if index // CHUNK == chunk]
            found.append(drawn[wanted])
        return torch.cat(found)

    @property
    def shape(self) -> tuple[int, int, int]:
        if self._shape is None:
            self._chunk(0, min(CHUNK, self.size))
        assert self._shape is not None
        return self._shape

    def _chunk(self, first: int, count: int) -> torch.Tensor:
        key = f"{self.key} {first} {count}" if self.cache_dir else ""
        drawn = kept(self.cache_dir, key, lambda: self._draw(range(first, first + count)))
        self._shape = drawn.shape[1], drawn.shape[2], drawn.shape[3]
        if self.progress:
            self.progress(count)
        return drawn

    def _draw(self, indices: Sequence[int]) -> torch.Tensor:
        output = self.pipeline(**self._arguments(indices))
        pictures = output.frames if getattr(output, "frames", None) is not None else output.images
        values = np.asarray(pictures)
        if values.ndim == 4:
            values = values[:, None]
        if self.kind == "image" and values.shape[1] > 1:
            values = values[:, :1]
        return torch.from_numpy((values * 255).round().clip(0, 255).astype(np.uint8))

    def _arguments(self, indices: Sequence[int]) -> dict[str, Any]:
        """Those of the call that this pipeline takes."""
        count = len(indices)
        offered: dict[str, Any] = {
            "batch_size": count,
            "num_inference_steps": self.steps,
            "output_type": "np",
            "generator": [torch.Generator().manual_seed(_seed(self.seed, index)) for index in indices],
        }
        if self.kind == "image":
            offered["num_frames"] = 1
        if self.guidance_scale is not None:
            offered["guidance_scale"] = self.guidance_scale
        if self.labels is not None:
            offered["class_labels"] = [self._label(index) for index in indices]
        if self.prompts:
            offered["prompt"] = [self.prompts[index % len(self.prompts)] for index in indices]
            del offered["batch_size"]
        known = inspect.signature(self.pipeline.__call__).parameters
        return {name: value for name, value in offered.items() if name in known}

    def _label(self, index: int) -> int:
        if self.labels != "all":
            return int(self.labels)  # type: ignore[arg-type]
        return index % int(self.pipeline.transformer.config.num_classes)


def open_pipeline(model: str | Path) -> Any:
    """A pipeline by name: "v-walt", "i-walt", or the folder or Hub id of a saved diffusers pipeline."""
    from diffusers import DiffusionPipeline
    from diffusers.utils import logging

    from ...models import WaltPipeline, shipped

    logging.disable_progress_bar()
    name = str(model)
    if name in shipped.names():
        return WaltPipeline.from_pretrained(shipped.path(name))
    if Path(name).is_dir() or name.count("/") == 1:
        return DiffusionPipeline.from_pretrained(name)
    known = ", ".join(shipped.names())
    raise ValueError(f"model must be one of {known}, or the folder or Hub id of a saved pipeline, got {name!r}")


def _seed(seed: int, index: int) -> int:
    """Seeds that no two (seed, index) share, unlike their sum."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> 1)
