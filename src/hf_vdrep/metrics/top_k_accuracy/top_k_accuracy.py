# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Top-k accuracy and per-class mean of top-1, as an `evaluate` module."""

import datasets
import evaluate
import numpy as np

from hf_vdrep.metrics.classification import top_k_accuracy_scores

_DESCRIPTION = "Share of samples whose true class is among the k highest scores, and the mean over classes of top-1."

_INPUTS = """
Args:
    predictions: (N, K) scores of the classes, logits or probabilities.
    references: (N,) class indices in [0, K).
    top_k: the k's to report, (1, 5) by default.

Returns:
    top_1, top_5, ...: shares in [0, 1], higher is better. per_class_mean: mean over the classes that occur of top-1.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class TopKAccuracy(evaluate.Metric):
    def _info(self) -> evaluate.MetricInfo:
        columns = {"predictions": datasets.Sequence(datasets.Value("float32")), "references": datasets.Value("int64")}
        info = evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features(columns),
        )
        # Set afterwards: the constructor refuses it for sequences, and Python lists of pixels take minutes.
        info.format = "numpy"
        return info

    def _compute(self, predictions, references, top_k=(1, 5)) -> dict[str, float]:
        return top_k_accuracy_scores(np.stack(list(predictions)), np.asarray(references), top_k)
