# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Precision and recall of generated samples, as an `evaluate` module."""

import evaluate

from hf_vdrep.metrics import manifold, rows

_DESCRIPTION = "Shares of generated samples near real ones, and of real samples near generated ones."

_CITATION = """
@inproceedings{kynkaanniemi2019improved,
  title={Improved Precision and Recall Metric for Assessing Generative Models},
  author={Kynk{\\"a}{\\"a}nniemi, Tuomas and Karras, Tero and Laine, Samuli and Lehtinen, Jaakko and Aila, Timo},
  booktitle={NeurIPS},
  year={2019}
}
"""

_INPUTS = """
Args:
    predictions: (N, D) features of generated samples.
    references: (M, D) features of real samples; the two may be added apart.
    neighbours: k of the k-nearest-neighbour balls, 3 by default.

Returns:
    precision, recall: shares in [0, 1], higher is better.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class PrecisionRecall(rows.ArrayRows, evaluate.Metric):
    paired = False

    def _info(self) -> evaluate.EvaluationModuleInfo:
        return self.describe(_DESCRIPTION, _INPUTS, _CITATION)

    def score(self, columns, **options) -> dict[str, float]:
        sets = (rows.stacked(name, columns[name]) for name in self.columns)
        return manifold.precision_recall(*sets, **options)
