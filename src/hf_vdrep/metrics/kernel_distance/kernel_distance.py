# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Kernel distance between two sets of features, as an `evaluate` module."""

import evaluate

from hf_vdrep.metrics import kernel, rows

_DESCRIPTION = "Unbiased squared MMD of two sets of features with a cubic kernel: KID, or KVD with a video network."

_CITATION = """
@inproceedings{binkowski2018demystifying,
  title={Demystifying {MMD} {GANs}},
  author={Bi{\\'n}kowski, Miko{\\l}aj and Sutherland, Danica J. and Arbel, Michael and Gretton, Arthur},
  booktitle={ICLR},
  year={2018}
}
"""

_INPUTS = """
Args:
    predictions: (N, D) features of generated samples.
    references: (M, D) features of real samples; the two may be added apart.
    subsets: how many random subsets, 100 by default.
    subset_size: samples of each side in a subset, 1000 by default; a smaller side enters whole.
    seed: of the subsets, 0 by default.

Returns:
    kernel_distance: lower is better, around 0 between samples of one distribution.
    kernel_distance_std: over the subsets.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class KernelDistance(rows.ArrayRows, evaluate.Metric):
    paired = False

    def _info(self) -> evaluate.EvaluationModuleInfo:
        return self.describe(_DESCRIPTION, _INPUTS, _CITATION)

    def score(self, columns, **options) -> dict[str, float]:
        sets = (rows.stacked(name, columns[name]) for name in self.columns)
        return kernel.kernel_distance(*sets, **options)
