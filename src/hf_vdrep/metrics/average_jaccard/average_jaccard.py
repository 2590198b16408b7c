# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""TAP-Vid Average Jaccard, as an `evaluate` module."""

import datasets
import evaluate
import numpy as np

from hf_vdrep.metrics.depth import nan_mean
from hf_vdrep.metrics.tracking import tracking_scores

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

_COLUMNS = ("predictions", "predicted_visible", "references", "visible", "query_frames")


@evaluate.utils.file_utils.add_start_docstrings(_DESCRIPTION, _INPUTS)
class AverageJaccard(evaluate.Metric):
    def _info(self) -> evaluate.MetricInfo:
        kinds = dict(zip(_COLUMNS, ("float32", "bool", "float32", "bool", "int64"), strict=True))
        columns = {name: datasets.Sequence(datasets.Value(kind)) for name, kind in kinds.items()}
        info = evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(columns),
        )
        # Set afterwards: the constructor refuses it for sequences, and Python lists of pixels take minutes.
        info.format = "numpy"
        return info

    def add_batch(self, *, predictions=None, references=None, **kwargs) -> None:
        """Add clips, whatever their numbers of points and frames."""
        columns = {"predictions": predictions, "references": references, **kwargs}
        flat = {name: [np.asarray(clip).ravel() for clip in column] for name, column in columns.items()}
        super().add_batch(**flat)

    def add(self, *, prediction=None, reference=None, **kwargs) -> None:
        """Add one clip."""
        rest = {name: [value] for name, value in kwargs.items()}
        self.add_batch(predictions=[prediction], references=[reference], **rest)

    def _compute(self, query_mode="first", **columns) -> dict[str, float]:
        clips = zip(*(columns[name] for name in _COLUMNS), strict=True)
        rows = [_clip_scores(query_mode, *clip) for clip in clips]
        return {name: nan_mean(np.concatenate([row[name] for row in rows])) for name in rows[0]}


def _clip_scores(query_mode, predictions, said, references, visible, query_frames) -> dict[str, np.ndarray]:
    points = len(query_frames)
    return tracking_scores(
        predictions.reshape(1, points, -1, 2),
        said.reshape(1, points, -1),
        references.reshape(1, points, -1, 2),
        visible.reshape(1, points, -1),
        query_frames[None],
        query_mode=query_mode,
    )
