# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frechet distance between two sets of features, as an `evaluate` module."""

import evaluate

from hf_vdrep.metrics import frechet, rows

_DESCRIPTION = (
    "Frechet distance between two sets of features, each taken for a Gaussian: FID, or FVD with a video network."
)

_CITATION = """
@inproceedings{heusel2017gans,
  title={{GANs} Trained by a Two Time-Scale Update Rule Converge to a Local {Nash} Equilibrium},
  author={Heusel, Martin and Ramsauer, Hubert and Unterthiner, Thomas and Nessler, Bernhard and Hochreiter, Sepp},
  booktitle={NeurIPS},
  year={2017}
}
"""

_INPUTS = """
Args:
    predictions: (N, D) features of generated samples.
    references: (M, D) features of real samples; the two may be added apart.

Returns:
    frechet_distance: at least 0, lower is better.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class FrechetDistance(rows.ArrayRows, evaluate.Metric):
    paired = False

    def _info(self) -> evaluate.EvaluationModuleInfo:
        return self.describe(_DESCRIPTION, _INPUTS, _CITATION)

    def score(self, columns, **options) -> dict[str, float]:
        sets = (rows.stacked(name, columns[name]) for name in self.columns)
        return {"frechet_distance": frechet.frechet_distance(*sets, **options)}
