# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""WALT as a backbone of other vision models of transformers."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.backbone_utils import BackboneMixin
from transformers.modeling_outputs import BackboneOutput
from transformers.utils.generic import can_return_tuple

from ..models.configuration_walt import WaltConfig
from ..models.hidden_state_index import resolve_hidden_states
from ..models.modeling_walt import WaltModel
from ..models.modeling_walt_base import WaltPreTrainedModel


class WaltBackbone(BackboneMixin, WaltPreTrainedModel):
    """Feature maps of the stages that `config.out_features` or `out_indices` name; no block runs after the last.

    Stage "stem" is the embedding, "stage1" the first block's output. The maps are (B, C, H', W') with 4-D
    `pixel_values`, and (B, C, T', H', W') with clips.
    """

    def __init__(self, config: WaltConfig) -> None:
        super().__init__(config)
        self.walt = WaltModel(config)
        self.num_features = [config.hidden_size] * (config.num_hidden_layers + 1)
        self.post_init()

    @can_return_tuple
    def forward(  # type: ignore[override]
        self,
        pixel_values: torch.Tensor | None = None,
        pixel_values_videos: torch.Tensor | None = None,
        latents: torch.Tensor | None = None,
        output_hidden_states: bool | int | Sequence[int] | None = None,
        output_attentions: bool | None = None,
        **kwargs: Any,
    ) -> BackboneOutput:
        """Feature maps of one denoising step.

        Args:
            pixel_values, pixel_values_videos, latents: one of them, as in `WaltModel.forward`.
            output_hidden_states: also return hidden states, all or those of some indices.
            output_attentions: also return attention weights.
            kwargs: `timestep`, `seed`, `latent_noise`, and conditions, as in `WaltModel.forward`.
        """
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        if output_attentions is None:
            output_attentions = self.config.output_attentions
        stages = [self.stage_names.index(name) for name in self.out_features]
        wanted = resolve_hidden_states(output_hidden_states, len(self.stage_names))
        clean = self.walt.encode_latents(pixel_values, pixel_values_videos, latents)
        seen = self.walt(
            latents=clean,
            output_hidden_states=sorted({*stages, *wanted}),
            output_attentions=output_attentions,
            stop_early=not output_attentions,
            return_dict=True,
            **kwargs,
        )
        grid = self.walt.grid_of(clean)
        maps = [seen.hidden_states[stage].unflatten(1, grid).movedim(-1, 1) for stage in stages]
        if pixel_values is not None and pixel_values.ndim == 4:
            maps = [each.squeeze(2) for each in maps]
        states = tuple(state if index in wanted else None for index, state in enumerate(seen.hidden_states))
        return BackboneOutput(
            feature_maps=tuple(maps), hidden_states=states if wanted else None, attentions=seen.attentions
        )
