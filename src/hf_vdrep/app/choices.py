# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a visitor chose, checked: values that come over the network may be anything."""

import math
from dataclasses import dataclass
from typing import Any

SITES = {
    "block": "output of the block",
    "middle": "between its attention and its MLP",
    "attention": "what its attention adds",
    "mlp": "what its MLP adds",
    "norm": "what goes into its attention",
}
"""Site -> what it is, for readers. A WALT has all of them, a denoiser of diffusers no "middle"."""
DENSITIES = {1: "the model's own grid", 2: "twice as fine", 4: "four times as fine (slow)"}


@dataclass(frozen=True)
class Choice:
    """Where and how features are taken.

    Attributes:
        models: names of the two models.
        depth: relative depth of the block, in (0, 1].
        timestep: noise level in [0, 999].
        site: where in the block.
        density: the maps are so many times finer than the models' grid.
        keep_position: leave in what features hold because of their place alone.
    """

    models: tuple[str, str]
    depth: float = 0.67
    timestep: int = 50
    site: str = "block"
    density: int = 2
    keep_position: bool = False

    @classmethod
    def checked(
        cls, first: Any, second: Any, depth: Any, timestep: Any, site: Any, density: Any, keep_position: Any
    ) -> "Choice":
        """A choice from values of any kind; `depth` is in per cent here, as on the page.

        Raises:
            ValueError: a value that is out of range or of the wrong kind.
        """
        models = model_name(first, "first model"), model_name(second, "second model")
        percent = _number(depth, "depth", 1, 100, " %")
        level = _number(timestep, "noise level", 0, 999)
        if level != int(level):
            raise ValueError(f"The noise level must be a whole number, got {level:g}.")
        if not isinstance(site, str) or site not in SITES:
            raise ValueError(f"The site must be one of {', '.join(SITES)}, got {_short(site)}.")
        if isinstance(density, bool) or not isinstance(density, int) or density not in DENSITIES:
            raise ValueError(f"The detail must be one of {', '.join(map(str, DENSITIES))}, got {_short(density)}.")
        if not isinstance(keep_position, bool):
            raise ValueError(f"Keeping the position must be true or false, got {_short(keep_position)}.")
        return cls(models, percent / 100, int(level), site, int(density), keep_position)


def whole_number(value: Any, what: str, low: int, high: int) -> int:
    """A whole number in [low, high].

    Raises:
        ValueError: anything else, with a sentence for the visitor.
    """
    number = _number(value, what, low, high)
    if number != int(number):
        raise ValueError(f"The {what} must be a whole number, got {number:g}.")
    return int(number)


def box_of(value: Any) -> tuple[float, float, float, float]:
    """A box x1, y1, x2, y2 within the frame, in [0, 1].

    Raises:
        ValueError: anything else, with a sentence for the visitor.
    """
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        raise ValueError(f"The box must be four numbers, got {_short(value)}.")
    x1, y1, x2, y2 = (_number(number, "box's side", 0, 1) for number in value)
    if x2 - x1 < 0.01 or y2 - y1 < 0.01:
        raise ValueError("The box must be at least a hundredth of the frame wide and high.")
    return x1, y1, x2, y2


def model_name(value: Any, what: str) -> str:
    """The name of a model, whether or not there is one of that name.

    Raises:
        ValueError: anything else, with a sentence for the visitor.
    """
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise ValueError(f"The {what} must be a name, got {_short(value)}.")
    return value.strip()


def _number(value: Any, what: str, low: float, high: float, unit: str = "") -> float:
    # A bool is an int in Python, and NaN lies in no interval.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"The {what} must be a number, got {_short(value)}.")
    if not low <= value <= high:
        raise ValueError(f"The {what} must lie between {low:g} and {high:g}{unit}, got {value:g}.")
    return float(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
