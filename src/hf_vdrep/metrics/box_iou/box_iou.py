# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Mean IoU of box tracks, as an `evaluate` module."""

import evaluate
import numpy as np

from hf_vdrep.metrics import boxes, means, rows

_DESCRIPTION = "Overlap of tracked boxes with the true ones, over the frames after the one in which a box was given."

_INPUTS = """
Args:
    predictions: per clip (K, T, 4), low corner before high corner; clips may differ in K and T.
    references: per clip (K, T, 4), in the same unit and order.
    present: per clip bool (K, T), whether the object is there.
    query_frames: per clip int (K,), the frame in which each box was given; 0 for all if left out.
    aggregation: "clip" (mean over the pairs of a clip, then over clips), "track" (over each object's frames, then its
        clip, then over clips) or "pooled" (all pairs of the set at once).

Returns:
    mean_iou, iou_after_occlusion, in [0, 1], higher is better.
"""


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class BoxIou(rows.SampleRows, evaluate.Metric):
    metric = "box_iou"
    columns = ("predictions", "references", "present", "query_frames")
    optional = ("query_frames",)

    def _info(self) -> evaluate.EvaluationModuleInfo:
        return self.describe(_DESCRIPTION, _INPUTS)

    def score(self, columns, **options) -> dict[str, float]:
        if options.get("aggregation") != "pooled":
            return super().score(columns, **options)
        parts = [
            boxes.counted_overlaps(p[None], b[None], there[None], None if query is None else query[None])
            for p, b, there, query in zip(*columns.values(), strict=True)
        ]
        overlap, counted, after = (np.concatenate([part[i].ravel() for part in parts]) for i in range(3))
        return {"mean_iou": means.nan_mean(overlap[counted]), "iou_after_occlusion": means.nan_mean(overlap[after])}
