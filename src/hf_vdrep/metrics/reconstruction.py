# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How close a reconstructed clip is to its original: PSNR, SSIM and flicker, per clip.

Pixels are compared in [0, 1], in double precision, whatever the dtype they come in.
"""

import numpy as np

Array = np.ndarray

# Wang et al. 2004, section III.B: an 11 x 11 Gaussian window of 1.5 pixels, K1 = 0.01, K2 = 0.03.
WINDOW, SIGMA, K1, K2 = 11, 1.5, 0.01, 0.03


def psnr(reconstruction: Array, reference: Array) -> Array:
    """Peak signal-to-noise ratio of each clip in dB, 10 log10(1 / MSE), the MSE over all pixels of the clip.

    Args:
        reconstruction: (N, T, H, W, C) uint8, or float in [0, 1].
        reference: the same shape; the dtype may differ.

    Returns:
        float64 (N,), higher is better; infinite where the two are equal.

    Raises:
        ValueError: shapes disagree, or floats are not finite or lie outside [0, 1].
    """
    squared = [np.mean((a - b) ** 2) for a, b in _clips(reconstruction, reference)]
    with np.errstate(divide="ignore"):
        return -10 * np.log10(np.array(squared, dtype=np.float64))


def ssim(reconstruction: Array, reference: Array) -> Array:
    """Structural similarity of each clip: the mean over its frames, channels and window positions (Wang et al. 2004).

    Args:
        reconstruction: (N, T, H, W, C) uint8, or float in [0, 1]; H and W at least 11, the window.
        reference: the same shape; the dtype may differ.

    Returns:
        float64 (N,) in [-1, 1], 1 where the two are equal. Only windows that lie within the frame count.

    Raises:
        ValueError: as `psnr`, or frames smaller than the window.
    """
    height, width = np.shape(reference)[2:4] if np.ndim(reference) == 5 else (WINDOW, WINDOW)
    if min(height, width) < WINDOW:
        raise ValueError(f"height and width must be at least {WINDOW}, got {height} x {width}")
    return np.array([_similarity(a, b) for a, b in _clips(reconstruction, reference)], dtype=np.float64)


def flicker(reconstruction: Array, reference: Array) -> Array:
    """How much of the change between frames is not in the original.

    mean |(a[t + 1] - a[t]) - (b[t + 1] - b[t])| over pixels, channels and t: an error that stays the same from frame to
    frame costs nothing, one that comes and goes costs its size.

    Args:
        reconstruction: a, (N, T, H, W, C) uint8, or float in [0, 1].
        reference: b, the same shape; the dtype may differ.

    Returns:
        float64 (N,) in [0, 2], lower is better; NaN for clips of one frame, which cannot flicker.

    Raises:
        ValueError: as `psnr`.
    """
    pairs = _clips(reconstruction, reference)
    return np.array([np.abs(np.diff(a - b, axis=0)).mean() if len(a) > 1 else np.nan for a, b in pairs])


def _clips(reconstruction: Array, reference: Array) -> list[tuple[Array, Array]]:
    """The clips in pairs, float64 in [0, 1]."""
    first, second = np.asarray(reconstruction), np.asarray(reference)
    if first.shape != second.shape or first.ndim != 5 or 0 in first.shape[1:]:
        raise ValueError(
            f"reconstruction and reference must share a shape (N, T, H, W, C), got {first.shape} and {second.shape}"
        )
    scaled = [_unit(clip, name) for clip, name in ((first, "reconstruction"), (second, "reference"))]
    return list(zip(*scaled, strict=True))


def _unit(pixels: Array, name: str) -> Array:
    if pixels.dtype == np.uint8:
        return pixels / 255.0
    if not np.issubdtype(pixels.dtype, np.floating):
        raise ValueError(f"{name} must be uint8, or float in [0, 1], got {pixels.dtype}")
    low, high = (pixels.min(), pixels.max()) if pixels.size else (0, 0)
    # Written so that NaN fails it.
    if not (low >= 0 and high <= 1):
        raise ValueError(f"{name} must lie in [0, 1] where it is float, got {low:.4g}..{high:.4g}")
    return pixels.astype(np.float64)


def _similarity(first: Array, second: Array) -> float:
    """Mean SSIM of two clips (T, H, W, C) in [0, 1]."""
    mean_a, mean_b = _blur(first), _blur(second)
    variance_a, variance_b = _blur(first * first) - mean_a**2, _blur(second * second) - mean_b**2
    covariance = _blur(first * second) - mean_a * mean_b
    c1, c2 = K1**2, K2**2
    structure = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float(np.mean(structure / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))))


def _blur(frames: Array) -> Array:
    """(T, H, W, C) -> (T, H - 10, W - 10, C): Gaussian means of the windows that lie within the frame."""
    taps = np.exp(-0.5 * ((np.arange(WINDOW) - WINDOW // 2) / SIGMA) ** 2)
    taps /= taps.sum()
    rows, columns = frames.shape[1] - WINDOW + 1, frames.shape[2] - WINDOW + 1
    tall = sum(tap * frames[:, i : i + rows] for i, tap in enumerate(taps))
    return sum(tap * tall[:, :, i : i + columns] for i, tap in enumerate(taps))
