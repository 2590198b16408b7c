# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Places within a WALT block other than its output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import torch

from ...backbones.base import Backbone
from ...backbones.feature_map import FeatureMap
from ...backbones.walt import WaltBackbone
from .config import SITES

Taken = dict[tuple[int, str], torch.Tensor]


class SitedWalt(Backbone):
    """A WALT backbone whose features are taken inside of its blocks.

    Args:
        backbone: gives everything else.
        site: "middle", the residual stream between attention and MLP; "attention", what attention adds to the stream,
            gate included; "mlp", likewise of the MLP. The block's output is the backbone's own.

    Raises:
        ValueError: another site.
    """

    uses_timestep = True

    def __init__(self, backbone: WaltBackbone, site: str) -> None:
        if site not in SITES[1:]:
            raise ValueError(f"site must be one of {list(SITES[1:])}, got {site!r}")
        self.backbone, self.site = backbone, site
        self.name, self.num_layers = backbone.name, backbone.num_layers
        self.transformer = backbone.transformer

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]
        return f"{self.backbone.fingerprint}-{self.site}"

    @property
    def device(self) -> torch.device:
        return self.backbone.device

    @property
    def tokenizer(self) -> Backbone:
        return self.backbone.tokenizer

    def inputs_from(self, features: FeatureMap) -> Any:
        return self.backbone.inputs_from(features)

    def prepare(self, videos: torch.Tensor) -> Any:
        return self.backbone.prepare(videos)

    def check_timesteps(self, timesteps: Sequence[int | None]) -> None:
        self.backbone.check_timesteps(timesteps)

    @torch.inference_mode()
    def extract(
        self,
        inputs: Any,
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        indices, found = self.resolve_layers(layers), []
        for timestep in timesteps:
            with _watched(self.transformer.blocks, indices) as taken:
                maps = self.backbone.extract(
                    inputs, sample_ids=sample_ids, layers=indices, timesteps=[timestep], seed=seed
                )
            for index, block in zip(indices, maps, strict=True):
                values = self._place(taken, index).reshape(block.values.shape)
                found.append(FeatureMap(values, index, timestep, block.frame_spans, block.stride, self.site))
        return found

    def _place(self, taken: Taken, index: int) -> torch.Tensor:
        before, middle, after = (taken[index, name] for name in ("before", "middle", "after"))
        return {"middle": middle, "attention": middle - before, "mlp": after - middle}[self.site]


@contextmanager
def _watched(blocks: Any, indices: Sequence[int]) -> Iterator[Taken]:
    """Keeps the stream before a block, before its second norm and after it."""
    taken: Taken = {}

    def keep_input(key: tuple[int, str]) -> Any:
        return lambda _, inputs: taken.__setitem__(key, inputs[0])

    def keep_output(key: tuple[int, str]) -> Any:
        return lambda _, inputs, output: taken.__setitem__(key, output)

    hooks = []
    for index in indices:
        block = blocks[index]
        hooks.append(block.register_forward_pre_hook(keep_input((index, "before"))))
        hooks.append(block.norm2.register_forward_pre_hook(keep_input((index, "middle"))))
        hooks.append(block.register_forward_hook(keep_output((index, "after"))))
    try:
        yield taken
    finally:
        for hook in hooks:
            hook.remove()
