# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Top-k accuracy and per-class mean of top-1, as an `evaluate` module."""

import evaluate

from hf_vdrep.metrics import classification, rows

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
class TopKAccuracy(rows.ArrayRows, evaluate.Metric):
    def _info(self) -> evaluate.EvaluationModuleInfo:
        return self.describe(_DESCRIPTION, _INPUTS)

    def score(self, columns, **options) -> dict[str, float]:
        scores, labels = (rows.stacked(name, columns[name]) for name in self.columns)
        return classification.top_k_accuracy_scores(scores, labels, **options)
