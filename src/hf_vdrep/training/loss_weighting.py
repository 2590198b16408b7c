# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How much each noise level counts in the loss (Hang et al. 2303.09556)."""

import torch

WEIGHTINGS = ("plain", "min-snr")


def level_weights(alphas_cumprod: torch.Tensor, weighting: str, gamma: float = 5.0) -> torch.Tensor | None:
    """Factor of the squared velocity error at every diffusion step, float32 (steps,); None for equal weights.

    Min-SNR caps the weight of the clean-latents error at `gamma`; the velocity error is the clean-latents error times
    SNR + 1, hence min(SNR, gamma) / (SNR + 1) (§3.4 there). Pure noise (SNR 0) counts nothing.

    Args:
        alphas_cumprod: g of every step in [0, 1]; SNR = g / (1 - g).
        weighting: "plain" or "min-snr".
        gamma: the cap, above 0.

    Raises:
        ValueError: unknown weighting, or gamma not above 0.
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting must be one of {', '.join(WEIGHTINGS)}, got {weighting!r}")
    if weighting == "plain":
        return None
    if gamma <= 0:
        raise ValueError(f"min_snr_gamma must be above 0, got {gamma}")
    signal = alphas_cumprod.double()
    # min(SNR, gamma) / (SNR + 1), multiplied by 1 - g above and below: finite for every g.
    return torch.minimum(signal, gamma * (1 - signal)).float()
