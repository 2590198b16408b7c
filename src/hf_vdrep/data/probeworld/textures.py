# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The library of wall, floor and photograph textures of one split.

Textures are soft on purpose: nothing finer than about two pixels of a 64-pixel frame survives an 8x tokenizer, so
nothing finer is drawn. All of them tile. Mean is mid-grey; surfaces add their own colour.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
from pathlib import Path

import numpy as np

from .vocabulary import SPLITS

SIDE = 256  # texels, a power of two, so that wrapping is a bit mask
TEXELS_PER_METRE = 56.0
FAMILIES: tuple[str, ...] = ("plain", "stripes", "checker", "dots", "noise", "photograph")
PHOTOGRAPHS: tuple[str, ...] = (
    "astronaut.png",
    "coffee.png",
    "chelsea.png",
    "motorcycle_left.png",
    "brick.png",
    "grass.png",
    "gravel.png",
    "camera.png",
)
_PER_FAMILY = 6
# Columns of every photograph, as fractions of its width: no pixel is seen by two splits.
_COLUMNS = {"train": (0.0, 0.58), "validation": (0.60, 0.78), "test": (0.80, 1.0)}
_CROPS = {"train": 4, "validation": 2, "test": 2}


@dataclasses.dataclass(frozen=True, eq=False)
class TextureLibrary:
    """Textures of one split.

    Attributes:
        texels: uint8 (3, n * SIDE * SIDE), planar colours.
        family: int64 (n,), index into `FAMILIES`.
        source: n names: the family, or the photograph with its crop box in pixels (left, top, right, bottom).
    """

    texels: np.ndarray
    family: np.ndarray
    source: tuple[str, ...]

    def members(self, family: str) -> np.ndarray:
        """Indices of a family's textures."""
        return np.flatnonzero(self.family == FAMILIES.index(family))


def photograph_folder() -> Path | None:
    """Folder of the photographs bundled with scikit-image, None unless all of them are there."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    return folder if all((folder / name).is_file() for name in PHOTOGRAPHS) else None


def _soft(wave: np.ndarray, sharpness: float) -> np.ndarray:
    return np.clip(0.5 + wave * sharpness, 0.0, 1.0)


def _procedural(family: str, rng: np.random.Generator) -> np.ndarray:
    """One tiling texture (SIDE, SIDE) in [0, 1]."""
    turn = np.arange(SIDE) / SIDE * 2 * np.pi
    x, y = turn[None, :], turn[:, None]
    cycles = int(rng.integers(3, 6))
    shift = rng.uniform(0, 2 * np.pi, 2)
    if family == "stripes":
        lean = int(rng.integers(-1, 2)) * int(rng.integers(0, 4))
        across, along = (cycles, lean) if rng.random() < 0.6 else (lean, cycles)
        return _soft(np.cos(across * x + along * y + shift[0]), 1.2)
    if family == "checker":
        return _soft(np.cos(cycles * x + shift[0]) * np.cos(cycles * y + shift[1]), 2.0)
    if family == "dots":
        return _soft(np.cos((cycles + 1) * x + shift[0]) + np.cos((cycles + 1) * y + shift[1]) - 0.9, 1.6)
    field = np.zeros((SIDE, SIDE))
    reach = 5 if family == "noise" else 1
    for kx in range(-reach, reach + 1):
        for ky in range(reach + 1):
            strength = rng.normal() / (1.0 + np.hypot(kx, ky))
            field += strength * np.cos(kx * x + ky * y + rng.uniform(0, 2 * np.pi)) * (kx != 0 or ky != 0)
    gain = 0.22 if family == "noise" else 0.06
    return np.clip(0.5 + gain * field / max(float(field.std()), 1e-6), 0.0, 1.0)


def _resized(image: np.ndarray, side: int) -> np.ndarray:
    """Separable linear interpolation of (h, w, 3) on a grid of cell centres."""
    for axis in (0, 1):
        length = image.shape[axis]
        at = np.clip((np.arange(side) + 0.5) / side * length - 0.5, 0, length - 1)
        low = np.floor(at).astype(np.int64)
        high = np.minimum(low + 1, length - 1)
        weight = (at - low).reshape([-1, 1, 1] if axis == 0 else [1, -1, 1])
        image = np.take(image, low, axis) * (1 - weight) + np.take(image, high, axis) * weight
    return image


def _photograph(image: np.ndarray) -> np.ndarray:
    """A square crop (h, h, 3) in [0, 1] as a soft, tiling texture (SIDE, SIDE, 3) of standard contrast."""
    cells = 24
    edges = np.linspace(0, image.shape[0], cells + 1).astype(np.int64)
    small = np.add.reduceat(np.add.reduceat(image, edges[:-1], 0), edges[:-1], 1)
    widths = np.diff(edges)
    small = small / (widths[:, None, None] * widths[None, :, None])
    grey = small.mean(2, keepdims=True)
    small = 0.5 + 0.2 * (small - small.mean((0, 1))) / max(float(grey.std()), 0.02)
    half = _resized(small, SIDE // 2)
    wide = np.concatenate([half, half[:, ::-1]], 1)
    return np.clip(np.concatenate([wide, wide[::-1]], 0), 0.0, 1.0)


def _crops(folder: Path, split: str, rng: np.random.Generator) -> list[tuple[np.ndarray, str]]:
    from PIL import Image

    out = []
    for name in PHOTOGRAPHS:
        with Image.open(folder / name) as opened:
            pixels = np.asarray(opened.convert("RGB"))
        height, width = pixels.shape[:2]
        low, high = (int(width * fraction) for fraction in _COLUMNS[split])
        for _ in range(_CROPS[split]):
            side = int(min(high - low, height) * rng.uniform(0.7, 1.0))
            left = int(rng.integers(low, high - side + 1))
            top = int(rng.integers(0, height - side + 1))
            crop = pixels[top : top + side, left : left + side] / 255.0
            out.append((_photograph(crop), f"{name}:{left},{top},{left + side},{top + side}"))
    return out


@functools.lru_cache(maxsize=8)
def texture_library(seed: int, split: str, photographs: bool) -> TextureLibrary:
    """All textures that a split may use; procedural ones differ by seed and split, photographs by their columns.

    Raises:
        ValueError: photographs are asked for and scikit-image does not bundle them here.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, SPLITS.index(split), 0x7E87]))
    drawn: list[tuple[np.ndarray, str, str]] = []
    for family in FAMILIES[:-1]:
        for _ in range(_PER_FAMILY):
            grey = _procedural(family, rng)
            drawn.append((np.repeat(grey[..., None], 3, 2), family, family))
    if photographs:
        folder = photograph_folder()
        if folder is None:
            raise ValueError(
                "photographs must be False or None where scikit-image's bundled images are missing, got True"
            )
        drawn += [(texture, "photograph", source) for texture, source in _crops(folder, split, rng)]
    stack = np.stack([texture for texture, _, _ in drawn])
    texels = np.rint(stack * 255).astype(np.uint8).transpose(3, 0, 1, 2).reshape(3, -1)
    families = np.array([FAMILIES.index(name) for _, name, _ in drawn])
    return TextureLibrary(np.ascontiguousarray(texels), families, tuple(source for _, _, source in drawn))
