# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Intervals of the difference between two models on the same samples, as an `evaluate` comparison."""

import evaluate
import numpy as np

from hf_vdrep.metrics import bootstrap, means, rows

_DESCRIPTION = "How sure the difference between two models is, given a value of each on the same samples."

_CITATION = """
@book{efron1993introduction,
  title={An Introduction to the Bootstrap},
  author={Efron, Bradley and Tibshirani, Robert J.},
  publisher={Chapman and Hall},
  year={1993}
}
"""

_INPUTS = """
Args:
    predictions1: value of the baseline per sample: a number, or one for each of its readout seeds.
    predictions2: value of the candidate per sample, in the same order.
    resamples: number of draws, 10,000 by default.
    seed: of the draws, 0 by default.
    confidence: mass of the intervals, 0.95 by default.

Returns:
    baseline, candidate, difference (candidate - baseline), gain, error_gain, error_reduction (percent), each with its
    _low and _high; count, the samples that entered.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class PairedBootstrap(rows.ArrayRows, evaluate.Comparison):
    columns = ("predictions1", "predictions2")

    def _info(self) -> evaluate.EvaluationModuleInfo:
        return self.describe(_DESCRIPTION, _INPUTS, _CITATION, evaluate.ComparisonInfo)

    def score(self, columns, **options) -> dict[str, float]:
        values = [rows.stacked(name, columns[name]).astype(np.float64) for name in self.columns]
        baseline, candidate = (value.reshape(len(value), -1) for value in values)
        # The draws fall on places: in an order of its own, a sample has the same place whichever process saw it.
        pairs = means.sorted_rows(np.concatenate([baseline, candidate], axis=1)).T
        found = bootstrap.paired_bootstrap(*np.split(pairs, [baseline.shape[1]]), **options)
        return _flat(found)


def _flat(found: bootstrap.PairedComparison) -> dict[str, float]:
    result: dict[str, float] = {"count": found.count}
    for name in ("baseline", "candidate", "difference", "gain", "error_gain", "error_reduction"):
        interval = getattr(found, name)
        result.update({name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high})
    return result
