# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""AbsRel, RMSE and delta1 of depth, as an `evaluate` module."""

import evaluate

from hf_vdrep.metrics import rows

_DESCRIPTION = "Depth errors over the valid pixels of each sample, averaged over the samples."

_INPUTS = """
Args:
    predictions: (N, ...) metres; each sample is one map, one clip of maps, or any set of its pixels.
    references: (N, ...) metres in the same order, 0 or NaN where unknown.
    min_depth, max_depth: valid targets lie strictly between, 0.001 and 10 by default.

Returns:
    abs_rel (lower is better), rmse in metres (lower), delta_1 in [0, 1] (higher).
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class DepthError(rows.SampleRows, evaluate.Metric):
    metric = "depth_error"

    def _info(self) -> evaluate.EvaluationModuleInfo:
        return self.describe(_DESCRIPTION, _INPUTS)
