# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The look of the inspection pictures: a figure measured in inches, its type sizes and colours."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

INK, SOFT, FAINT, EMPTY = "#1d232b", "#67707c", "#d9dde2", "#f3f4f6"
CHANGE_COLOURS, DEPTH_COLOURS = "inferno", "viridis_r"
CHANGE_MEANINGS = {0.0: "stands still", 1.0: "as far as two\nrandom places\nof the clip"}

_NAMES = {"i-walt": "I-WALT", "v-walt": "V-WALT"}
# Okabe and Ito's vermillion and blue, as in the comparison's figure.
_MODEL_INKS = {"i-walt": "#c2410c", "v-walt": "#0b66b2"}


def model_title(name: str) -> str:
    """How a model is called in pictures."""
    return _NAMES.get(name, name)


def model_ink(name: str) -> str:
    """Colour of a model's name."""
    return _MODEL_INKS.get(name, INK)


class Board:
    """A white figure on which things are placed in inches from the upper left corner.

    Args:
        width: inches.
        height: inches.
        dpi: pixels per inch of what `pixels` returns.
    """

    def __init__(self, width: float, height: float, dpi: int = 200) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white")
        self.canvas = FigureCanvasAgg(self.figure)

    def text(self, x: float, y: float, words: str, size: float = 8.5, colour: str = INK, **options: Any) -> Any:
        """Text whose upper left corner (or other anchor, by `ha` and `va`) is at (x, y)."""
        font = FontProperties(family="DejaVu Sans", size=size, weight=options.pop("weight", "normal"))
        options = {"ha": "left", "va": "top", **options}
        return self.figure.text(
            x / self.width, 1 - y / self.height, words, color=colour, fontproperties=font, **options
        )

    def rule(self, x: float, y: float, length: float, colour: str = FAINT, thickness: float = 0.009) -> Any:
        """A horizontal line."""
        corner = (x / self.width, 1 - (y + thickness / 2) / self.height)
        size = (length / self.width, thickness / self.height)
        return self.figure.add_artist(Rectangle(corner, *size, color=colour, lw=0, transform=self.figure.transFigure))

    def axes(self, x: float, y: float, width: float, height: float) -> Any:
        """Bare axes with the upper left corner at (x, y)."""
        axes = self.figure.add_axes(
            (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)
        )
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes

    def picture(self, x: float, y: float, width: float, height: float, values: np.ndarray, **options: Any) -> Any:
        """An image; cells of feature maps stay visible as squares."""
        options = {"interpolation": "nearest", "aspect": "auto", **options}
        return self.axes(x, y, width, height).imshow(values, **options)

    def scale(
        self, x: float, y: float, height: float, limits: tuple[float, float], colours: str, meanings: dict[float, str]
    ) -> None:
        """An upright colour scale; `meanings` stand beside the values that lie within `limits`."""
        low, high = limits
        axes = self.axes(x, y, 0.13, height)
        bar = Colorbar(axes, cmap=colormaps[colours], norm=Normalize(low, high), orientation="vertical")
        bar.outline.set_visible(False)  # type: ignore[operator]
        axes.tick_params(length=2.5, width=0.6, color=SOFT, labelcolor=SOFT, labelsize=7, pad=2)
        axes.locator_params(axis="y", nbins=max(3, round(height * 2)))
        for label in axes.get_yticklabels():
            label.set_fontfamily("DejaVu Sans")
        for value, words in meanings.items():
            if low <= value <= high:
                half = 0.07 * (1 + words.count("\n"))  # of the text's height: it stays beside the scale
                place = min(max(height * (high - value) / (high - low), half), height - half)
                self.text(x + 0.47, y + place, words, 7, INK, va="center", linespacing=1.4)

    def pixels(self) -> np.ndarray:
        """Draw: uint8 (H, W, 3)."""
        self.canvas.draw()
        return np.array(self.canvas.buffer_rgba())[..., :3]  # a copy: the canvas draws over its buffer


def show_change(values: np.ndarray, limit: float) -> dict[str, Any]:
    """Arguments of `Board.picture` for a map of feature change."""
    return {"values": values, "cmap": CHANGE_COLOURS, "vmin": 0.0, "vmax": limit}
