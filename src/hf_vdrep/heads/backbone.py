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
from .sites import SITES, at_site, check_site, middles


class WaltBackbone(BackboneMixin, WaltPreTrainedModel):
    """Feature maps of the stages that `config.out_features` or `out_indices` name; no block runs after the last.

    Stage "stem" is the embedding, "stage1" the first block's output. The maps are (B, C, H', W') with 4-D
    `pixel_values`, and (B, C, T', H', W') with clips.

    Args:
        config: of the model, and of the stages.
        site: where in a stage's block: "block", its output; "middle", the residual stream between attention and MLP;
            "attention" and "mlp", what each adds to the stream, gate included. `config.site` by default, where it is
            kept, and saved with the model. The stem has no other site than its output.

    Raises:
        ValueError: an unknown site, or the stem's other than "block".
    """

    def __init__(self, config: WaltConfig, site: str | None = None) -> None:
        site = check_site(getattr(config, "site", SITES[0]) if site is None else site)
        config.site = site  # type: ignore[attr-defined]
        super().__init__(config)
        self.site = site
        self._stages()
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
        stages = self._stages()
        inner = stages if self.site != SITES[0] else []
        wanted = resolve_hidden_states(output_hidden_states, len(self.stage_names))
        clean = self.walt.encode_latents(pixel_values, pixel_values_videos, latents)
        with middles(self.walt.transformer.blocks, [stage - 1 for stage in inner]) as between:
            seen = self.walt(
                latents=clean,
                output_hidden_states=sorted({*stages, *wanted, *(stage - 1 for stage in inner)}),
                output_attentions=output_attentions,
                stop_early=not output_attentions,
                return_dict=True,
                **kwargs,
            )
        grid, stream = self.walt.grid_of(clean), seen.hidden_states
        tokens = [
            at_site(self.site, stream[stage - 1], between[stage - 1], stream[stage]) if inner else stream[stage]
            for stage in stages
        ]
        maps = [each.unflatten(1, grid).movedim(-1, 1) for each in tokens]
        if pixel_values is not None and pixel_values.ndim == 4:
            maps = [each.squeeze(2) for each in maps]
        states = tuple(state if index in wanted else None for index, state in enumerate(seen.hidden_states))
        return BackboneOutput(
            feature_maps=tuple(maps), hidden_states=states if wanted else None, attentions=seen.attentions
        )

    def _stages(self) -> list[int]:
        """Hidden states of the stages asked for."""
        stages = [self.stage_names.index(name) for name in self.out_features]
        if self.site != SITES[0] and 0 in stages:
            raise ValueError(f"site must be {SITES[0]} where out_features has the stem, got {self.site}")
        return stages
