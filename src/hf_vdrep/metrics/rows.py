# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the `evaluate` modules of this package share: rows that are arrays of any shape and type.

A row is stored with its type and shape, so nothing is rounded, clips of different sizes stand in one evaluation, and
the module computes exactly what the plain function does. Samples are weighed one by one, never by batch or process.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import datasets
import evaluate
import numpy as np

from .means import nan_mean
from .samples import per_sample

Array = np.ndarray

_ROW = {"dtype": datasets.Value("string"), "shape": datasets.Sequence(datasets.Value("int64"))}
_ABSENT = {"dtype": "", "shape": [], "data": b""}


class ArrayRows(evaluate.EvaluationModule):
    """An `evaluate` module over columns of arrays. A subclass names its columns and gives `score`.

    Attributes:
        columns: names of the inputs, one row per sample each.
        optional: columns that may be left out; the row is None then.
        paired: whether a row of one column belongs to the same row of the others. Where not, the columns may differ in
            length and be added apart.
    """

    columns: ClassVar[tuple[str, ...]] = ("predictions", "references")
    optional: ClassVar[tuple[str, ...]] = ()
    paired: ClassVar[bool] = True

    def score(self, columns: Mapping[str, list[Any]], **options: Any) -> dict[str, float]:
        """The result from the rows of every process."""
        raise NotImplementedError

    def describe(
        self, description: str, inputs: str, citation: str = "", kind: type = evaluate.MetricInfo
    ) -> evaluate.EvaluationModuleInfo:
        """What `_info` returns."""
        row = {**_ROW, "data": datasets.Value("large_binary")}
        features = datasets.Features(dict.fromkeys(self.columns, row))
        return kind(description=description, citation=citation, inputs_description=inputs, features=features)

    def add_batch(self, *, predictions: Any = None, references: Any = None, **kwargs: Any) -> None:
        """Add samples.

        Raises:
            ValueError: an unknown or missing column, columns of different lengths, or a row that is not numbers.
        """
        given = _given(predictions=predictions, references=references, **kwargs)
        unknown = sorted(set(given) - set(self.columns))
        if unknown:
            raise ValueError(f"columns must be among {list(self.columns)}, got {unknown}")
        lengths = {name: len(column) for name, column in given.items()}
        if self.paired:
            missing = [name for name in self.columns if name not in given and name not in self.optional]
            if missing or len(set(lengths.values())) > 1:
                raise ValueError(f"{list(self.columns)} must hold the same samples, got rows {lengths}")
        count = max(lengths.values(), default=0)
        if count:
            kept = self.kept(given)
            super().add_batch(**{name: _packed(name, kept.get(name, ()), count) for name in self.columns})

    def kept(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is stored of the columns added; everything, unless a subclass can do with less."""
        return given

    def add(self, *, prediction: Any = None, reference: Any = None, **kwargs: Any) -> None:
        """Add one sample."""
        given = _given(predictions=prediction, references=reference, **kwargs)
        self.add_batch(**{name: [row] for name, row in given.items()})

    def compute(self, *, predictions: Any = None, references: Any = None, **kwargs: Any) -> dict[str, float] | None:
        """The result over everything added, by every process; None on all processes but the first.

        Raises:
            ValueError: no samples at all, or what `add_batch` and the metric's plain function refuse.
        """
        inputs = {name: kwargs.pop(name) for name in self.columns if name in kwargs}
        given = _given(predictions=predictions, references=references, **inputs)
        if given:
            self.add_batch(**given)
        if self.writer is None:
            self._open_without_samples()
        return super().compute(**kwargs)

    def _open_without_samples(self) -> None:
        """A process whose share is empty must still meet the others, or they wait for it until they time out."""
        if self.num_process == 1:
            raise ValueError(f"{self.name} has no samples: add some before compute")
        self.selected_feature_format = self.features
        self._init_writer()

    def _compute(self, **kwargs: Any) -> dict[str, float]:
        columns = {name: [_unpacked(row) for row in kwargs.pop(name)] for name in self.columns}
        if not columns[self.columns[0]]:
            raise ValueError(f"{self.name} has no samples: add some before compute")
        return self.score(columns, **kwargs)


class SampleRows(ArrayRows):
    """A module whose result is the mean of a value per sample, samples without a value (NaN) left out.

    Attributes:
        metric: its name in `per_sample`, which measures the samples.
    """

    metric: ClassVar[str]

    def score(self, columns: Mapping[str, list[Any]], **options: Any) -> dict[str, float]:
        """One sample at a time: shapes may differ from sample to sample."""
        rows = zip(*columns.values(), strict=True)
        batches = ({name: x[None] for name, x in zip(columns, row, strict=True) if x is not None} for row in rows)
        values = [per_sample(self.metric, batch, **options) for batch in batches]
        return {name: nan_mean(np.concatenate([value[name] for value in values])) for name in values[0]}


class MeasuredRows(SampleRows):
    """A module without options: a sample is measured when it is added, and its value alone is stored.

    Clips are large; their values are not.
    """

    def kept(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """One value per sample, in place of the predictions."""
        rows = zip(*(given[name] for name in self.columns), strict=True)
        batches = ({name: np.asarray(x)[None] for name, x in zip(self.columns, row, strict=True)} for row in rows)
        return {self.columns[0]: [per_sample(self.metric, batch)[self.metric][0] for batch in batches]}

    def score(self, columns: Mapping[str, list[Any]], **options: Any) -> dict[str, float]:
        """The mean of the values."""
        if options:
            raise TypeError(f"{self.metric} takes no options, got {sorted(options)}")
        return {self.metric: nan_mean(stacked(self.metric, columns[self.columns[0]]))}


def stacked(name: str, column: Sequence[Array | None]) -> Array:
    """The rows of a column as one array, absent ones left out.

    Raises:
        ValueError: no rows, or rows of different shapes.
    """
    kept = [row for row in column if row is not None]
    shapes = sorted({row.shape for row in kept})
    if len(shapes) != 1:
        raise ValueError(f"{name} must hold samples of one shape, got {shapes or 'none'}")
    return np.stack(kept)


def _given(**columns: Any) -> dict[str, Any]:
    return {name: column for name, column in columns.items() if column is not None}


def _packed(name: str, column: Sequence[Any], count: int) -> list[dict[str, Any]]:
    rows = [_pack(name, row) for row in column]
    return rows + [_ABSENT] * (count - len(rows))


def _pack(name: str, row: Any) -> dict[str, Any]:
    try:
        array = np.asarray(row)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold arrays of numbers, got {str(row)[:80]!r}")
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": array.tobytes()}


def _unpacked(row: Mapping[str, Any]) -> Array | None:
    if not row["dtype"]:
        return None
    return np.frombuffer(row["data"], dtype=row["dtype"]).reshape(row["shape"])
