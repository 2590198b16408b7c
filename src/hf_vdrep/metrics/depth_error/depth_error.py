# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""AbsRel, RMSE and delta1 of depth, as an `evaluate` module."""

import datasets
import evaluate
import numpy as np

from hf_vdrep.metrics.depth import depth_errors, nan_mean

_DESCRIPTION = "Depth errors over the valid pixels of each sample, averaged over the samples."

_INPUTS = """
Args:
    predictions: (N, ...) metres; each sample is one map, one clip of maps, or any set of its pixels.
    references: (N, ...) metres in the same order, 0 where unknown.
    min_depth, max_depth: valid targets lie strictly between, 0.001 and 10 by default.

Returns:
    abs_rel (lower is better), rmse in metres (lower), delta_1 in [0, 1] (higher).
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class DepthError(evaluate.Metric):
    def _info(self) -> evaluate.MetricInfo:
        pixels = datasets.Sequence(datasets.Value("float32"))
        info = evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": pixels, "references": pixels}),
        )
        # Set afterwards: the constructor refuses it for sequences, and Python lists of pixels take minutes.
        info.format = "numpy"
        return info

    def add_batch(self, *, predictions=None, references=None, **kwargs) -> None:
        """Add samples of any shape, the same for prediction and reference."""
        super().add_batch(predictions=_flat(predictions), references=_flat(references), **kwargs)

    def add(self, *, prediction=None, reference=None, **kwargs) -> None:
        """Add one sample."""
        self.add_batch(predictions=[prediction], references=[reference], **kwargs)

    def _compute(self, predictions, references, **limits) -> dict[str, float]:
        # Sample by sample: maps of different sizes may stand in one evaluation.
        rows = [depth_errors(p[None], d[None], **limits) for p, d in zip(predictions, references, strict=True)]
        return {name: nan_mean(np.concatenate([row[name] for row in rows])) for name in ("abs_rel", "rmse", "delta_1")}


def _flat(column) -> list[np.ndarray]:
    return [np.asarray(sample, dtype=np.float32).ravel() for sample in column]
