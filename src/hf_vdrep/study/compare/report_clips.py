# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Section of the report that shows clips: frames, depth, tracks and answers, as inline pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from html import escape

import numpy as np
from matplotlib import colormaps
from PIL import Image, ImageDraw

from .examples import ClipExample, shown_frames
from .systems import system
from .tasks import STUDY_TASKS

TRACK_ZOOM = 5
Found = Mapping[str, str | np.ndarray]


def clips_section(examples: Sequence[ClipExample]) -> str:
    """All example clips; an empty string where there are none."""
    if not examples:
        return ""
    cards = "".join(_card(example) for example in examples)
    return (
        '<section aria-labelledby="clips"><h2 id="clips">Clips, and what was read out of the features</h2>'
        "<p>The first clips of the test split, not picked. Depth is bright where near. Tracks run from the query in "
        "the first frame (small dot) to the last frame (large dot); points said to be hidden there are hollow. Boxes "
        "are those of the last frame.</p>"
        f'<div class="clips">{cards}</div></section>'
    )


def _card(example: ClipExample) -> str:
    rows = [
        _row("frames", _strip(example.video[shown_frames(len(example.video))]), f"Frames of test clip {example.index}")
    ]
    sources = {"truth": example.truth, **example.answers}
    if "depth" in example.truth:
        near, far = _depth_range(np.asarray(example.truth["depth"]))
        for key, found in sources.items():
            if "depth" in found:
                picture = _strip(_depth_colours(np.asarray(found["depth"], dtype=np.float32), near, far))
                rows.append(_row(f"depth {_label(key)}", picture, f"Depth according to {_label(key)}"))
    rows.append(_pictures("tracks", sources, lambda found: _draw_tracks(example, found)))
    rows.append(_pictures("boxes", sources, lambda found: _draw_boxes(example, found)))
    return (
        f'<article class="card"><strong>Test clip {example.index}</strong>{"".join(rows)}{_answers(sources)}</article>'
    )


def _pictures(name: str, sources: Mapping[str, Found], draw: Callable[[Found], np.ndarray]) -> str:
    """One picture per source that has the label."""
    parts = []
    for key, found in sources.items():
        if name in found:
            title = escape(f"{name}, {_label(key)}")
            image = f'<img src="{_strip(draw(found)[None])}" alt="{title}">'
            parts.append(f"<figure>{image}<figcaption>{title}</figcaption></figure>")
    return f'<div class="trio">{"".join(parts)}</div>' if parts else ""


def _draw_tracks(example: ClipExample, found: Found) -> np.ndarray:
    return draw_tracks(example.video[-1], np.asarray(found["tracks"]), np.asarray(found["visible"]))


def _draw_boxes(example: ClipExample, found: Found) -> np.ndarray:
    """Boxes of the last frame, of the objects that can be asked for in the first and seen in the last."""
    present = np.asarray(example.truth["present"])
    return draw_boxes(example.video[-1], np.asarray(found["boxes"])[:, -1], present[:, 0] & present[:, -1])


def _answers(sources: Mapping[str, Found]) -> str:
    rows = []
    truth = sources["truth"]
    for label in [task for task, known in STUDY_TASKS.items() if known.classes and task in truth]:
        cells = [f'<th scope="row" class="muted">{escape(STUDY_TASKS[label].title)}</th>']
        for key, found in sources.items():
            if label in found:
                right = "" if key == "truth" else (" ✓" if found[label] == truth[label] else " ✗")
                cells.append(f"<td>{escape(str(found[label]))}{right}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    if "pose" in truth:
        cells = [f"<td>{_motion(np.asarray(found['pose']))}</td>" for found in sources.values() if "pose" in found]
        rows.append(f'<tr><th scope="row" class="muted">camera pose</th>{"".join(cells)}</tr>')
    if not rows:
        return ""
    heads = "".join(f'<th scope="col" class="{key}">{_label(key)}</th>' for key in sources)
    head = f"<thead><tr><td></td>{heads}</tr></thead>"
    return f'<table class="answers">{head}<tbody>{"".join(rows)}</tbody></table>'


def _motion(pose: np.ndarray) -> str:
    """A relative pose (3, 4) in words: how far the camera turned and moved."""
    turned = np.degrees(np.arccos(np.clip((np.trace(pose[:, :3]) - 1) / 2, -1, 1)))
    x, y, z = pose[:, 3]
    return f"turns {turned:.0f}°, moves ({x:+.2f}, {y:+.2f}, {z:+.2f}) m".replace("-", "−")


def draw_boxes(frame: np.ndarray, boxes: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Boxes (K, 4) in [0, 1] over a dimmed frame, enlarged: uint8 (H * zoom, W * zoom, 3)."""
    picture, size = _canvas(frame)
    pen = ImageDraw.Draw(picture)
    for place in np.flatnonzero(shown):
        x, y = np.sort(boxes[place, 0::2]) * size[0], np.sort(boxes[place, 1::2]) * size[1]
        colour = tuple(int(255 * part) for part in colormaps["Set2"](place % 8)[:3])
        pen.rectangle((float(x[0]), float(y[0]), float(x[1]), float(y[1])), outline=colour, width=3)
    return np.asarray(picture)


def _canvas(frame: np.ndarray) -> tuple[Image.Image, tuple[int, int]]:
    height, width = frame.shape[:2]
    size = (width * TRACK_ZOOM, height * TRACK_ZOOM)
    return Image.fromarray((frame * 0.45 + 24).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC), size


def draw_tracks(frame: np.ndarray, tracks: np.ndarray, visible: np.ndarray, count: int = 20) -> np.ndarray:
    """Trails of `count` evenly chosen tracks over a dimmed frame, enlarged: uint8 (H * zoom, W * zoom, 3)."""
    picture, size = _canvas(frame)
    pen = ImageDraw.Draw(picture)
    chosen = np.unique(np.linspace(0, len(tracks) - 1, min(count, len(tracks))).astype(int))
    for place, track in enumerate(chosen):
        colour = tuple(int(255 * part) for part in colormaps["hsv"](place / len(chosen))[:3])
        # A colour belongs to a point, so that the pictures can be compared.
        points = [(float(x) * size[0], float(y) * size[1]) for x, y in tracks[track]]
        pen.line(points, fill=colour, width=2, joint="curve")
        _dot(pen, points[0], 2, colour, filled=True)
        _dot(pen, points[-1], 5, colour, filled=bool(visible[track, -1]))
    return np.asarray(picture)


def _dot(pen: ImageDraw.ImageDraw, at: tuple[float, float], radius: int, colour: tuple[int, ...], filled: bool) -> None:
    box = (at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius)
    pen.ellipse(box, fill=colour if filled else None, outline=colour, width=2)


def _depth_range(depth: np.ndarray) -> tuple[float, float]:
    seen = depth[depth > 0]
    near, far = np.percentile(np.log(seen), (1, 99)) if seen.size else (0.0, 1.0)
    return float(near), float(max(far, near + 1e-3))


def _depth_colours(depth: np.ndarray, near: float, far: float) -> np.ndarray:
    scaled = (far - np.log(np.maximum(depth, 1e-3))) / (far - near)
    return (colormaps["magma"](np.clip(scaled, 0, 1))[..., :3] * 255).astype(np.uint8)


def _strip(frames: np.ndarray, gap: int = 2) -> str:
    """Frames side by side as a data address."""
    count, height, width = frames.shape[:3]
    sheet = Image.new("RGBA", (count * (width + gap) - gap, height))
    for place, frame in enumerate(frames):
        sheet.paste(Image.fromarray(frame), (place * (width + gap), 0))
    buffer = io.BytesIO()
    if height > 128:
        sheet.save(buffer, format="WEBP", quality=86, method=4)
    else:
        sheet.save(buffer, format="PNG", optimize=True)
    kind = "webp" if height > 128 else "png"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _row(label: str, address: str, description: str) -> str:
    picture = f'<img src="{address}" alt="{escape(description)}">'
    return f'<div class="strip"><span class="muted">{escape(label)}</span>{picture}</div>'


def _label(key: str) -> str:
    return "truth" if key == "truth" else system(key).label
