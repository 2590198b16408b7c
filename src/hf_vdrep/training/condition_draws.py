# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a batch is conditioned on: labels or captions, which of them are hidden, and which frames are given.

Everything random is drawn for the whole batch of a step and then divided, as the noise is, so that neither resuming
nor the number of processes changes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from .loop import Batch
from .stream import derive_seed
from .text_states import CaptionEncoder
from .walt_config import WaltTrainConfig


class ConditionDraws:
    """Adds conditions to batches of latents.

    Args:
        config: condition, its dropout, the share of frame prediction, seed.
        known: class labels or captions of a pool's clips, by index; None where the batch carries `labels`, one mapping
            of label or `caption` for each of its elements.
        encoder: of captions.
    """

    def __init__(
        self,
        config: WaltTrainConfig,
        known: Sequence[Any] | np.ndarray | None = None,
        encoder: CaptionEncoder | None = None,
    ) -> None:
        self.config, self.known, self.encoder = config, known, encoder

    def add(self, batch: Batch, stacks: np.ndarray, step: int, part: int, parts: int) -> Batch:
        """Put `<kind>_label` or `<kind>_text` and `_text_mask`, `<kind>_hidden` and `<kind>_given` into a batch.

        Args:
            batch: latents of places `part::parts` of a step.
            stacks: bool (batch_size,), the places of the whole batch that hold stacks of images.
            step: optimiser step.
            part, parts: as in `loop.Task`.
        """
        config = self.config
        if config.condition == "none" and not config.frame_prediction_probability:
            return batch
        size, stacks = len(stacks), stacks[part::parts]
        frames = batch["video"].shape[2] if "video" in batch else len(batch["image"]) // int(stacks.sum())
        rng = np.random.default_rng(derive_seed("conditions", config.seed, step))
        hidden = (rng.random((size, frames)) < config.condition_dropout)[part::parts]
        predicts = (rng.random(size) < config.frame_prediction_probability)[part::parts]
        given = rng.integers(1, 3, size)[part::parts]
        if config.condition != "none":
            values = self._values(batch, len(stacks))
            for kind, rows in (("video", ~stacks), ("image", stacks)):
                if kind in batch:
                    times = 1 if kind == "video" else frames
                    self._tell(batch, kind, [values[row] for row in np.flatnonzero(rows)], times)
                    batch[f"{kind}_hidden"] = torch.from_numpy(hidden[rows, :times].reshape(-1))
        if config.frame_prediction_probability and "video" in batch:
            # WALT §4.4: one latent frame (image to video) or two (five frames of video).
            count = np.where(predicts, np.minimum(given, frames - 1), 0)[~stacks]
            batch["video_given"] = torch.from_numpy(np.arange(frames)[None] < count[:, None])
        return batch

    def _tell(self, batch: Batch, kind: str, values: list[Any], times: int) -> None:
        if self.encoder is None:
            batch[f"{kind}_label"] = torch.tensor(values, dtype=torch.int64).repeat_interleave(times)
            return
        text, mask = self.encoder(values)
        batch[f"{kind}_text"] = text.repeat_interleave(times, 0)
        batch[f"{kind}_text_mask"] = mask.repeat_interleave(times, 0)

    def _values(self, batch: Batch, count: int) -> list[Any]:
        """Label or caption of every element of a part of the batch."""
        if self.known is not None:
            return [self.known[index] for index in batch["ids"]]
        name = "caption" if self.config.condition == "text" else self.config.condition
        given: Sequence[Mapping[str, Any]] = batch.get("labels") or []
        if len(given) != count or any(name not in labels for labels in given):
            raise ValueError(f"condition={self.config.condition} must have {name} with every sample, got data without")
        return [labels[name] for labels in given]
