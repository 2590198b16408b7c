# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""End-point, rotation and translation error of camera poses, as an `evaluate` module."""

import evaluate

from hf_vdrep.metrics import rows

_DESCRIPTION = "How far a predicted relative camera pose moves the corners of a box in front of the camera astray."

_INPUTS = """
Args:
    predictions: (N, 3, 4) relative poses [R | t]; R is projected to the nearest rotation.
    references: (N, 3, 4) true relative poses; NaN where a pose is not known.
    box: (low, high) in x, y and z of the box, ((-5, 5), (-5, 5), (0, 10)) by default.

Returns:
    epe and translation in the unit of the references (metres), rotation and translation_angle in degrees, [0, 180]; all
    at least 0, lower is better.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class PoseError(rows.SampleRows, evaluate.Metric):
    metric = "pose_error"

    def _info(self) -> evaluate.EvaluationModuleInfo:
        return self.describe(_DESCRIPTION, _INPUTS)
