# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Fitting one decoded picture to the working resolution."""

import numpy as np
from PIL import Image

_WHITE = (255, 255, 255)


def over_white(image: Image.Image) -> Image.Image:
    """Any Pillow mode to RGB; transparency is composited over white, 16-bit greyscale keeps its upper 8 bits."""
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if image.mode.startswith("I;16") or values.max(initial=0) > 255:
            values = values >> 8
        return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        sheet = Image.new("RGB", layer.size, _WHITE)
        sheet.paste(layer, mask=layer.getchannel("A"))
        return sheet
    return image.convert("RGB")


def fit(image: Image.Image, size: tuple[int, int], crop: str, pixel_aspect: float = 1.0) -> np.ndarray:
    """Resize with antialiasing to `size`.

    Args:
        image: RGB picture of any size.
        size: (height, width) in pixels.
        crop: "center" fills the frame and cuts what hangs over on both sides; "pad" shows all, on black.
        pixel_aspect: width of a stored pixel over its height (anamorphic video).

    Returns:
        uint8 (height, width, 3).
    """
    height, width = size
    shown_width = image.width * pixel_aspect
    if crop == "pad":
        scale = min(width / shown_width, height / image.height)
        inner = max(1, round(shown_width * scale)), max(1, round(image.height * scale))
        sheet = Image.new("RGB", (width, height))
        resized = image.resize(inner, Image.Resampling.BICUBIC, reducing_gap=3.0)
        sheet.paste(resized, ((width - inner[0]) // 2, (height - inner[1]) // 2))
        return np.array(sheet)
    scale = max(width / shown_width, height / image.height)
    cut_x, cut_y = width / scale / pixel_aspect, height / scale
    left, top = max(0.0, (image.width - cut_x) / 2), max(0.0, (image.height - cut_y) / 2)
    box = (left, top, min(float(image.width), left + cut_x), min(float(image.height), top + cut_y))
    return np.array(image.resize((width, height), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0))
