# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Principal components of features as colours."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class PrincipalComponents:
    """An orthonormal basis of the directions in which features vary most.

    Attributes:
        mean: float64 (C,).
        axes: float64 (C, K), unit columns, by falling variance; a column is zero where C < K.
        explained: K shares of the total variance, in [0, 1].
    """

    mean: torch.Tensor
    axes: torch.Tensor
    explained: tuple[float, ...]

    @classmethod
    def fit(cls, values: torch.Tensor, components: int = 3) -> "PrincipalComponents":
        """Components of all vectors of `values` together.

        An axis and its negative are equally good; the one whose largest entry is positive is taken, so that the
        colours of two runs agree.

        Args:
            values: floating (..., C).
            components: K.

        Raises:
            ValueError: NaN or infinite values.
        """
        if not bool(torch.isfinite(values).all()):
            raise ValueError("values must be finite, got NaN or infinity among the features")
        flat = values.reshape(-1, values.shape[-1]).double()
        mean = flat.mean(0)
        centred = flat - mean
        variances, axes = torch.linalg.eigh(centred.T @ centred / len(flat))
        kept = min(components, flat.shape[1])
        axes, variances = axes.flip(1)[:, :kept], variances.clamp_min(0).flip(0)
        largest = axes.gather(0, axes.abs().argmax(0, keepdim=True))
        axes = torch.nn.functional.pad(axes * largest.sign(), (0, components - kept))
        shares = (variances / variances.sum().clamp_min(1e-30)).tolist() + [0.0] * components
        return cls(mean, axes, tuple(shares[:components]))

    def transform(self, values: torch.Tensor) -> torch.Tensor:
        """Coordinates of (..., C) in the basis: float64 (..., K)."""
        return (values.double() - self.mean) @ self.axes


def to_colours(scores: torch.Tensor, low: float = 0.01, high: float = 0.99) -> torch.Tensor:
    """Map each component to [0, 1], once for the whole clip, so that a colour means the same in every frame.

    Args:
        scores: (..., 3).
        low: quantile that becomes 0; a few outliers must not wash out the rest.
        high: quantile that becomes 1.

    Returns:
        float32 (..., 3); a component that does not vary is 0.5.
    """
    flat = scores.reshape(-1, scores.shape[-1]).double()
    ordered = flat.sort(0).values
    bounds = [ordered[round(quantile * (len(flat) - 1))] for quantile in (low, high)]
    span = bounds[1] - bounds[0]
    still = span <= 1e-9 * flat.abs().amax().clamp_min(1e-30)
    scaled = ((scores.double() - bounds[0]) / span.where(~still, torch.ones_like(span))).clamp(0, 1)
    return scaled.where(~still, torch.full_like(scaled, 0.5)).float()


def match_signs(scores: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Flip components of `scores` so that each correlates positively with the same one of `reference`.

    Only signs change: two models' pictures become easier to compare, and each stays its own PCA. Shapes must agree.
    """
    dims = tuple(range(scores.ndim - 1))
    product = (scores - scores.mean(dims)) * (reference - reference.mean(dims))
    return scores * torch.where(product.sum(dims) < 0, -1.0, 1.0)
