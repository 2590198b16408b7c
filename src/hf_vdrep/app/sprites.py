# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frames below each other in one picture, as text that a page can hold."""

import base64
import io
from typing import Any

import numpy as np
import torch
from PIL import Image


def photographs(frames: torch.Tensor) -> dict[str, Any]:
    """uint8 (T, H, W, 3) as JPEG."""
    return _sprite(frames.numpy(), "JPEG", quality=88)


def maps(values: torch.Tensor) -> dict[str, Any]:
    """float (S, h, w, 3) in [0, 1] as PNG."""
    return _sprite((values.clamp(0, 1) * 255).round().to(torch.uint8).numpy(), "PNG")


def scalar_maps(values: torch.Tensor, low: float, high: float, colours: str) -> dict[str, Any]:
    """float (S, h, w) through a colour map of matplotlib; `low` and below is its first colour, NaN is transparent."""
    import matplotlib

    scaled = ((values.double() - low) / max(high - low, 1e-12)).numpy()
    painted = matplotlib.colormaps[colours](scaled, bytes=True)
    painted[..., 3] = np.where(np.isnan(scaled), 0, 255)
    return _sprite(painted, "PNG")


def colour_table(colours: str) -> str:
    """256 colours of a map of matplotlib: base64 of uint8 (256, 3)."""
    import matplotlib

    return encode(matplotlib.colormaps[colours](np.arange(256), bytes=True)[:, :3])


def encode(values: np.ndarray) -> str:
    """The bytes of an array, little-endian, in base64."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def _sprite(frames: np.ndarray, kind: str, **options: Any) -> dict[str, Any]:
    count, height, width, channels = frames.shape
    image = Image.fromarray(frames.reshape(count * height, width, channels))
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    data = base64.b64encode(buffer.getvalue()).decode()
    return {"src": f"data:image/{kind.lower()};base64,{data}", "count": count, "width": width, "height": height}
