# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the pictures of an inspection say about themselves."""

from .inspect_clip import Inspection, ModelView

_READINGS = {
    "video": "reads the whole video",
    "stack": "reads latents as images",
    "stride": "reads every 4th frame",
    "frames": "reads each frame alone",
    "image": "reads one image",
}


def setting_words(inspection: Inspection) -> str:
    """Layer, noise level, seed and clip on one line."""
    views = inspection.views
    layers = list(dict.fromkeys(f"block {view.layer + 1} of {view.num_layers}" for view in views))
    timesteps = list(dict.fromkeys(f"timestep {v.timestep}" for v in views if v.timestep is not None)) or ["no noise"]
    noise = [f"seed {inspection.tap.seed}"] if timesteps != ["no noise"] else []
    if noise and inspection.tap.draws > 1:
        noise = [f"mean of {inspection.tap.draws} noise draws from seed {inspection.tap.seed}"]
    clip = inspection.clip
    length = "a photo" if clip.is_photo else f"{len(clip.frames)} frames at {clip.fps:g} fps"
    if clip.repeated:
        length += f" (the last {clip.repeated} repeated)"
    return "  ·  ".join([", ".join(layers), ", ".join(timesteps), *noise, length])


def column_words(inspection: Inspection, frame: int) -> str:
    """Time and number of a frame."""
    return f"{inspection.clip.times[frame]:.2f} s"


def input_words(inspection: Inspection, between: str = "\n") -> str:
    """Size of the file's pictures, and of what the models saw."""
    height, width = inspection.clip.frames.shape[1:3]
    source, seen = inspection.clip.source_size, f"seen at {width} × {height}"
    return seen if source == (width, height) else between.join(["{} × {} pixels".format(*source), seen])


def component_words(inspection: Inspection) -> str:
    """What the colours of features mean."""
    basis = "one basis per model" if inspection.clip.is_photo else "one basis per model and clip"
    position = "" if inspection.keep_position else "; position removed"
    return f"first three principal components as red, green and blue; {basis}{position}"


def view_words(view: ModelView) -> str:
    """How a model read the clip, how much of its features the colours show, and how densely they were taken."""
    cell = f"taken every {view.cell} pixels" if view.cell > 1 else "taken at every pixel"
    return "\n".join(filter(None, [_READINGS.get(view.reading, view.reading), _share(view), cell]))


def short_view_words(view: ModelView) -> str:
    """The first two of `view_words`, on one line."""
    return " · ".join(filter(None, [_READINGS.get(view.reading, view.reading), _share(view)]))


def _share(view: ModelView) -> str:
    return f"{100 * sum(view.explained):.0f} % of the variance"


def short_title(title: str, inches: float) -> str:
    """A title that fits the width; long file names lose their middle."""
    most = int((inches - 0.7) / 0.145)
    return title if len(title) <= most else f"{title[: most // 2]} … {title[-(most // 2 - 3) :]}"


def change_words(inspection: Inspection) -> str:
    """What the colours of change mean."""
    seconds = inspection.lag / inspection.clip.fps
    since = f"the last {inspection.lag} frames ({seconds:.2g} s)" if inspection.lag > 1 else "the frame before"
    return f"how far the features moved over {since}"
