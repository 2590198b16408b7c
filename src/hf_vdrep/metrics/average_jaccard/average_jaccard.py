# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""TAP-Vid Average Jaccard, as an `evaluate` module."""

import evaluate

from hf_vdrep.metrics import rows

_DESCRIPTION = (
    "Average Jaccard, position accuracy and occlusion accuracy of point tracks (TAP-Vid), averaged over clips."
)

_CITATION = """
@article{doersch2022tapvid,
  title={{TAP}-Vid: A Benchmark for Tracking Any Point in a Video},
  author={Doersch, Carl and Gupta, Ankush and Markeeva, Larisa and Recasens, Adri\\`a and Smaira, Lucas and others},
  journal={arXiv:2211.03726},
  year={2022}
}
"""

_INPUTS = """
Args:
    predictions: per clip (P, T, 2) x, y in [0, 1]; clips may differ in P and T.
    predicted_visible: per clip bool (P, T).
    references: per clip (P, T, 2) x, y in [0, 1].
    visible: per clip bool (P, T).
    query_frames: per clip int (P,), the frame in which each point was given.
    query_mode: "first" (only frames after the query count) or "strided" (all but the query frame).

Returns:
    average_jaccard, delta_avg, occlusion_accuracy, jaccard_1 ... jaccard_16, within_1 ... within_16, all in [0, 1],
    higher is better. Distances are in a 256x256 raster.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class AverageJaccard(rows.SampleRows, evaluate.Metric):
    metric = "average_jaccard"
    columns = ("predictions", "predicted_visible", "references", "visible", "query_frames")

    def _info(self) -> evaluate.EvaluationModuleInfo:
        return self.describe(_DESCRIPTION, _INPUTS, _CITATION)
