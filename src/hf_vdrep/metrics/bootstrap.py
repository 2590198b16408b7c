# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Paired bootstrap: how sure a difference between two models is, given the same test samples for both.

Each resample draws samples with replacement, the same for both models, and where several readout seeds were run, seeds
with replacement too; the interval is that of the percentiles. One draw serves the difference and every gain.
"""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray

RESAMPLES = 10_000


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval. `excludes_zero` is what "wins" means."""

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class PairedComparison:
    """How `candidate` stands against `baseline`.

    Attributes:
        baseline, candidate: means over samples (and seeds) with their own intervals.
        difference: candidate - baseline.
        gain: score metrics, 100 * (V / I - 1), in percent.
        error_gain: error metrics, 100 * (I / V - 1).
        error_reduction: error metrics, 100 * (1 - V / I).
        count: samples that entered (those that are a number for both).
    """

    baseline: Interval
    candidate: Interval
    difference: Interval
    gain: Interval
    error_gain: Interval
    error_reduction: Interval
    count: int


def paired_bootstrap(
    baseline: Array,
    candidate: Array,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    confidence: float = 0.95,
) -> PairedComparison:
    """Compare per-sample values of two models on the same samples.

    Args:
        baseline: (N,) values of I, or (seeds, N).
        candidate: (N,) values of V on the same samples in the same order, or (seeds, N).
        resamples: number of draws.
        seed: of the draws.
        confidence: mass of the intervals, in (0, 1).

    Raises:
        ValueError: the samples disagree, none is left, or an argument is out of range.
    """
    first, second = _checked(baseline, candidate)
    if not 0 < confidence < 1 or resamples < 1:
        raise ValueError(f"confidence must lie in (0, 1) and resamples be positive, got {confidence} and {resamples}")
    rng = np.random.default_rng(seed)
    stacked = np.concatenate([first, second])
    means = _resampled_means(stacked, resamples, rng)
    drawn = [_mix_seeds(part, rng) for part in np.split(means, [len(first)], axis=1)]
    true = [float(first.mean()), float(second.mean())]
    tails = (50 * (1 - confidence), 50 * (1 + confidence))

    def interval(estimate: float | Array, values: float | Array) -> Interval:
        low, high = np.percentile(values, tails)
        return Interval(float(estimate), float(low), float(high))

    with np.errstate(divide="ignore", invalid="ignore"):
        return PairedComparison(
            baseline=interval(true[0], drawn[0]),
            candidate=interval(true[1], drawn[1]),
            difference=interval(true[1] - true[0], drawn[1] - drawn[0]),
            gain=interval(gain(*true), gain(*drawn)),
            error_gain=interval(error_gain(*true), error_gain(*drawn)),
            error_reduction=interval(error_reduction(*true), error_reduction(*drawn)),
            count=first.shape[1],
        )


def gain(baseline: float | Array, candidate: float | Array) -> float | Array:
    """100 * (V / I - 1), for metrics where higher is better; infinite where I is 0."""
    return 100 * (np.divide(candidate, baseline) - 1)


def error_gain(baseline: float | Array, candidate: float | Array) -> float | Array:
    """100 * (I / V - 1), for errors: how much larger the baseline's error is."""
    return 100 * (np.divide(baseline, candidate) - 1)


def error_reduction(baseline: float | Array, candidate: float | Array) -> float | Array:
    """100 * (1 - V / I), for errors: the share of the baseline's error that is gone."""
    return 100 * (1 - np.divide(candidate, baseline))


def _checked(baseline: Array, candidate: Array) -> tuple[Array, Array]:
    first, second = (np.atleast_2d(np.asarray(values, dtype=np.float64)) for values in (baseline, candidate))
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(
            f"baseline and candidate must hold the same samples, (N,) or (seeds, N), "
            f"got {np.shape(baseline)} and {np.shape(candidate)}"
        )
    kept = ~(np.isnan(first).any(axis=0) | np.isnan(second).any(axis=0))
    if not kept.any():
        raise ValueError("baseline and candidate share no sample with a value")
    return first[:, kept], second[:, kept]


def _resampled_means(values: Array, resamples: int, rng: np.random.Generator) -> Array:
    """(rows, N) -> (resamples, rows): means over N draws with replacement, the same draws for every row.

    A resample's mean is (how often each sample was drawn) . values / N: counting and one matrix product are several
    times faster than gathering.
    """
    count = values.shape[1]
    block = max(1, 2_000_000 // count)
    found = []
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = rng.integers(0, count, size=(rows, count), dtype=np.int32)
        drawn += (np.arange(rows, dtype=np.int32) * count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        found.append(times.astype(np.float64) @ values.T / count)
    return np.concatenate(found)


def _mix_seeds(means: Array, rng: np.random.Generator) -> Array:
    """(resamples, seeds) -> (resamples,): the mean over seeds drawn with replacement."""
    resamples, seeds = means.shape
    if seeds == 1:
        return means[:, 0]
    chosen = rng.integers(0, seeds, size=(resamples, seeds))
    return np.take_along_axis(means, chosen, axis=1).mean(axis=1)
