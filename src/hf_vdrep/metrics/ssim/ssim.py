# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""SSIM of clips, as an `evaluate` module."""

import evaluate

from hf_vdrep.metrics import rows

_DESCRIPTION = "Structural similarity of reconstructed clips, averaged over frames, then over clips."

_CITATION = """
@article{wang2004image,
  title={Image Quality Assessment: From Error Visibility to Structural Similarity},
  author={Wang, Zhou and Bovik, Alan C. and Sheikh, Hamid R. and Simoncelli, Eero P.},
  journal={IEEE Transactions on Image Processing},
  year={2004}
}
"""

_INPUTS = """
Args:
    predictions: per clip (T, H, W, C) pixels, uint8 or float in [0, 1]; clips may differ in size.
    references: per clip (T, H, W, C) pixels of the original.

Returns:
    ssim: in [-1, 1], higher is better.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class Ssim(rows.MeasuredRows, evaluate.Metric):
    metric = "ssim"

    def _info(self) -> evaluate.EvaluationModuleInfo:
        return self.describe(_DESCRIPTION, _INPUTS, _CITATION)
