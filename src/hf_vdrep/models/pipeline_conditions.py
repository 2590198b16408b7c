# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a sampling run is told beside the noise."""

import dataclasses
from dataclasses import dataclass

import torch

_GUIDED = ("class_labels", "encoder_hidden_states", "frame_condition")


@dataclass(frozen=True)
class Conditions:
    """Conditions of N samples; None where there is none. Shapes as in `WaltTransformer3DModel.forward`.

    Attributes:
        class_labels: (N,).
        encoder_hidden_states, encoder_attention_mask: of the prompts.
        negative_hidden_states, negative_attention_mask: of the negative prompts; the learned null text where None.
        frame_condition, frame_mask: clean latents of the frames that are given, and which those are.
        low_res, low_res_timestep: low-resolution latents with their noise, and its level.
    """

    class_labels: torch.Tensor | None = None
    encoder_hidden_states: torch.Tensor | None = None
    encoder_attention_mask: torch.Tensor | None = None
    negative_hidden_states: torch.Tensor | None = None
    negative_attention_mask: torch.Tensor | None = None
    frame_condition: torch.Tensor | None = None
    frame_mask: torch.Tensor | None = None
    low_res: torch.Tensor | None = None
    low_res_timestep: torch.Tensor | None = None

    @property
    def can_guide(self) -> bool:
        """Whether there is a condition that guidance could drop."""
        return any(getattr(self, name) is not None for name in _GUIDED)

    def positive(self) -> dict[str, torch.Tensor]:
        """Keyword arguments of the denoiser."""
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value for name, value in given.items() if value is not None and not name.startswith("negative_")}

    def null(self) -> dict[str, torch.Tensor]:
        """The same with class, text and given frames dropped (WALT §4.4); low resolution is not guided by."""
        kept = {
            "encoder_hidden_states": self.negative_hidden_states,
            "encoder_attention_mask": self.negative_attention_mask,
            "low_res": self.low_res,
            "low_res_timestep": self.low_res_timestep,
        }
        return {name: value for name, value in kept.items() if value is not None}
