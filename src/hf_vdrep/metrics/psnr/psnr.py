# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""PSNR of clips, as an `evaluate` module."""

import evaluate

from hf_vdrep.metrics import rows

_DESCRIPTION = "Peak signal-to-noise ratio of reconstructed clips, averaged over clips."

_INPUTS = """
Args:
    predictions: per clip (T, H, W, C) pixels, uint8 or float in [0, 1]; clips may differ in size.
    references: per clip (T, H, W, C) pixels of the original.

Returns:
    psnr: dB, higher is better; infinite where a clip is reproduced exactly.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class Psnr(rows.MeasuredRows, evaluate.Metric):
    metric = "psnr"

    def _info(self) -> evaluate.EvaluationModuleInfo:
        return self.describe(_DESCRIPTION, _INPUTS)
