# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which of several points is kept, and which others the test clips set apart from it."""

from __future__ import annotations

from collections.abc import Sequence

from ....metrics.bootstrap import Interval
from .points import Point, Summary


def kept(points: Sequence[Point]) -> Point:
    """The point with the best validation score, so that the test clips choose nothing.

    Where a point has none (what was not trained), the best value decides.
    """
    sign = 1 if points[0].higher_is_better else -1
    if all(point.validation is not None for point in points):
        return max(points, key=lambda point: sign * (point.validation or 0.0))
    return max(points, key=lambda point: sign * point.value)


def difference(summary: Summary, first: Point, second: Point) -> Interval | None:
    """`second` less `first` in the metric's own unit, paired over test clips; None where nothing can be paired."""
    found = summary.paired(first, second)
    return found.difference if found else None


def set_apart(summary: Summary, first: Point, second: Point) -> bool:
    """Whether the paired 95 % interval of the difference excludes 0; without samples, whether both are disjoint."""
    found = difference(summary, first, second)
    if found is not None:
        return found.excludes_zero
    return first.low > second.high or second.low > first.high


def alike(summary: Summary, top: Point, points: Sequence[Point]) -> list[Point]:
    """Other points that the test clips do not set apart from `top`."""
    return [point for point in points if point is not top and not set_apart(summary, top, point)]


def share(summary: Summary, part: Point, whole: Point) -> Interval | None:
    """Quality of `part` as a percentage of that of `whole`, for errors the inverse ratio; None where that is no number.

    Paired over test clips, as every gain is.
    """
    found = summary.paired(whole, part)
    if found is None:
        return None
    gain = found.gain if part.higher_is_better else found.error_gain
    return Interval(100 + gain.estimate, 100 + gain.low, 100 + gain.high)
