# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frechet distance between two sets of features, each taken for a Gaussian (Heusel et al. 2017, section 2).

The usual route takes the square root of the product of two covariances, which is singular with fewer samples than
dimensions. With X the centred samples over sqrt(N - 1), a covariance is X^T X, and the trace of that root is the sum of
the singular values of X_1 X_2^T: no root, no complex numbers, no epsilon on the diagonal.
"""

import numpy as np

from .feature_sets import feature_sets

Array = np.ndarray


def frechet_distance(predictions: Array, references: Array) -> float:
    """|mu_1 - mu_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2)), the C's with N - 1, in double precision.

    Args:
        predictions: (N, D) features of generated samples; N at least 2, and above D for a covariance of full rank.
        references: (M, D) features of real samples.

    Returns:
        At least 0, lower is better. The estimate is biased upwards for few samples: compare at equal N and M only.

    Raises:
        ValueError: shapes disagree, fewer than 2 samples on a side, or features that are not finite.
    """
    first, second = feature_sets(predictions, references, at_least=2)
    gap = first.mean(axis=0) - second.mean(axis=0)
    first, second = _root(first), _root(second)
    overlap = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    return max(0.0, float(gap @ gap + (first**2).sum() + (second**2).sum() - 2 * overlap))


def _root(features: Array) -> Array:
    """(N, D) -> X of at most D rows with X^T X the covariance."""
    centred = (features - features.mean(axis=0)) / np.sqrt(len(features) - 1)
    # With Q orthonormal, (QR)^T QR = R^T R, and R is small.
    return np.asarray(np.linalg.qr(centred, mode="r")) if len(centred) > centred.shape[1] else centred
