# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Classes of pictures and clips through the attentive readout."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from transformers.modeling_outputs import ImageClassifierOutput
from transformers.utils.generic import can_return_tuple

from ..models.configuration_walt import WaltConfig
from ..probes.attentive import AttentiveClassifier
from ..probes.losses import classification_loss
from ..probes.readout import Readout
from .readout_model import WaltWithReadout


class _WaltClassifier(WaltWithReadout):
    readout_class = AttentiveClassifier

    @classmethod
    def make_readout(cls, config: WaltConfig) -> Readout:
        """As the base; `num_labels` decides the number of classes, so that a head can be made anew for others."""
        given = config.readout_config or cls.default_readout(config)
        saved, config.readout_config = config.readout_config, {**given, "num_classes": config.num_labels}
        try:
            return super().make_readout(config)
        finally:
            config.readout_config = saved

    @classmethod
    def _name_classes(cls, config: WaltConfig, readout: Readout, labels: Sequence[str] | None) -> None:
        count = readout.config["num_classes"]
        if labels is not None and len(labels) != count:
            raise ValueError(f"labels must name the readout's {count} classes, got {len(labels)}")
        if labels is not None and (twice := sorted({label for label in labels if labels.count(label) > 1})):
            raise ValueError(f"labels must name each class otherwise, got {', '.join(twice)} more than once")
        if labels is not None:
            config.id2label = dict(enumerate(labels))
            config.label2id = {label: index for index, label in enumerate(labels)}
        elif config.num_labels != count:
            config.num_labels = count

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        pixel_values_videos: torch.Tensor | None = None,
        latents: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> ImageClassifierOutput:
        """Logits of the classes.

        Args:
            pixel_values, pixel_values_videos, latents: one of them, as in `WaltModel.forward`.
            labels: (B,) long; gives the cross-entropy as `loss`. With `config.problem_type`
                "multi_label_classification", (B, num_labels) in [0, 1], and the binary cross-entropy of each label;
                with "regression", (B, num_labels) or, for one, (B,), and the mean squared error.
            kwargs: `timestep`, `seed`, `output_hidden_states`, `output_attentions`, as in `WaltModel.forward`.

        Raises:
            ValueError: labels of another shape or kind than the problem's.
        """
        seen = self.look(pixel_values, pixel_values_videos, latents, **kwargs)
        logits = self.readout(seen.values)
        loss = None if labels is None else self._loss(logits, labels.to(logits.device))
        return ImageClassifierOutput(
            loss=loss, logits=logits, hidden_states=seen.hidden_states, attentions=seen.attentions
        )

    def _loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """transformers' three problems; without a name, one class each."""
        problem = self.config.problem_type or "single_label_classification"
        if problem == "single_label_classification":
            if labels.shape != logits.shape[:1] or labels.is_floating_point():
                asked = f"(B,) = ({len(logits)},) class indices"
                raise ValueError(
                    f"labels must be {asked} for {problem}, got {labels.dtype} {tuple(labels.shape)} "
                    f"(batch_size {len(logits)}; other kinds of labels need config.problem_type)"
                )
            return classification_loss(logits, labels.long())
        truth = labels.unsqueeze(-1) if labels.ndim == 1 and logits.shape[-1] == 1 else labels
        if truth.shape != logits.shape:
            raise ValueError(f"labels must be {tuple(logits.shape)} for {problem}, got {tuple(labels.shape)}")
        loss = F.binary_cross_entropy_with_logits if problem == "multi_label_classification" else F.mse_loss
        return loss(logits.float(), truth.float())


class WaltForImageClassification(_WaltClassifier):
    """Class of a picture; `readout` is an `AttentiveClassifier` of one latent step."""

    @classmethod
    def default_readout(cls, config: WaltConfig) -> dict[str, Any]:
        return {"in_channels": config.hidden_size, "num_steps": 1}


class WaltForVideoClassification(_WaltClassifier):
    """Class of a clip; `readout` is an `AttentiveClassifier` of all its latent steps."""
