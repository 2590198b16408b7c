# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Labels of space and time drawn over a clip's frames: boxes, point tracks, the camera's path."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.collections import LineCollection
from matplotlib.patches import Polygon, Rectangle

from .panels import EMPTY, INK, SOFT, Board

# Main object, panel, companion, distractor: readable on light and dark rooms alike over a white rim.
_BOX_INKS = ("#e4481f", "#4b5563", "#0b66b2", "#15803d")
_TAIL = 5  # frames of its past that a point drags along


def faded(picture: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3) in pale greys, on which colours stand out."""
    grey = picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat((118 + 0.52 * grey)[..., None], 3, 2).clip(0, 255).astype(np.uint8)


def draw_boxes(axes: Any, sample: Mapping[str, Any], frame: int) -> None:
    """Every object's box, dashed where nothing of it can be seen; slots that are empty throughout are left out."""
    boxes, present = np.asarray(sample["boxes"]), np.asarray(sample["present"])
    for slot in reversed(range(len(boxes))):
        x1, y1, x2, y2 = boxes[slot, frame].tolist()
        if x2 <= x1 or y2 <= y1:
            continue
        dashes = "-" if present[slot, frame] else (0, (2.5, 2))
        ink = _BOX_INKS[slot % len(_BOX_INKS)]
        for colour, width in (("white", 2.4), (ink, 1.2)):
            shape = Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor=colour, lw=width, ls=dashes)
            axes.add_patch(shape)
    axes.set(xlim=(0, 1), ylim=(1, 0))


def draw_tracks(axes: Any, sample: Mapping[str, Any], frame: int, points: int) -> None:
    """Up to `points` tracks with their last frames: filled where visible, hollow where hidden."""
    tracks, visible = np.asarray(sample["tracks"]), np.asarray(sample["visible"])
    chosen = np.unique(np.linspace(0, len(tracks) - 1, min(points, len(tracks))).round().astype(int))
    order = np.argsort(np.argsort(tracks[chosen, 0].sum(-1)))
    colours = colormaps["turbo"](0.06 + 0.88 * order / max(1, len(chosen) - 1))
    for point, colour in zip(chosen, colours, strict=True):
        path = tracks[point, max(0, frame - _TAIL) : frame + 1]
        axes.add_collection(LineCollection([path], colors=[colour], linewidths=1.1, alpha=0.85, capstyle="round"))
        if visible[point, frame]:
            style = {"facecolors": [colour], "edgecolors": "white", "linewidths": 0.45}
        else:
            style = {"facecolors": "white", "edgecolors": [colour], "linewidths": 0.9}
        axes.scatter(*tracks[point, frame], s=10, zorder=3, **style)
    axes.set(xlim=(0, 1), ylim=(1, 0))


def _wedge(place: np.ndarray, ahead: np.ndarray, size: float) -> np.ndarray:
    """A view cone (3, 2) on the map, 50 degrees wide."""
    across = np.array([-ahead[1], ahead[0]]) * np.tan(np.deg2rad(25.0))
    return np.stack([place, place + size * (ahead + across), place + size * (ahead - across)])


def draw_camera(board: Board, x: float, y: float, side: float, sample: Mapping[str, Any]) -> None:
    """The camera's path from above, ahead is up: hollow at the first frame, filled at the last; its size in words."""
    pose = np.asarray(sample["pose"], dtype=np.float64)
    ground = [0, 2]
    first = pose[0, :, 2][ground] / np.linalg.norm(pose[0, :, 2][ground])
    turn = np.array([[-first[1], first[0]], [first[0], first[1]]])  # rows: to the right, ahead
    place = (pose[:, ground, 3] - pose[0, ground, 3]) @ turn.T
    ahead = pose[:, ground, 2] @ turn.T
    axes = board.axes(x, y, side, side)
    axes.set_facecolor(EMPTY)
    reach = max(0.14, 0.75 * float(np.ptp(place, axis=0).max()))
    middle = (place.min(0) + place.max(0)) / 2 + [0.0, 0.25 * reach]
    axes.set(xlim=middle[0] + np.array([-reach, reach]), ylim=middle[1] + np.array([-reach, reach]))
    axes.plot(*place.T, color=INK, lw=1.1, zorder=2, solid_capstyle="round")
    for frame, fill in ((0, "none"), (-1, "#0b66b2")):
        cone = _wedge(place[frame], ahead[frame], 0.55 * reach)
        axes.add_patch(Polygon(cone, facecolor=fill, edgecolor="#0b66b2", lw=0.9, alpha=0.9 if frame else 1, zorder=1))
    bar = 10.0 ** np.floor(np.log10(reach))
    bar *= 2 if reach / bar > 4 else 1
    left, low = middle - 0.88 * reach
    axes.plot([left, left + bar], [low, low], color=SOFT, lw=1.4, solid_capstyle="butt")
    angle = np.rad2deg(np.arccos(np.clip((np.trace(pose[0, :, :3].T @ pose[-1, :, :3]) - 1) / 2, -1, 1)))
    length = float(np.linalg.norm(np.diff(pose[:, :, 3], axis=0), axis=1).sum())
    words = f"camera from above\n{length:.2f} m, turns {angle:.1f}°\n\nbar: {bar:g} m\n"
    words += "hollow: first frame\nfilled: last frame"
    board.text(x + side + 0.1, y, words, 7, SOFT, linespacing=1.45)
