# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The dataset card of an exported ProbeWorld."""

from __future__ import annotations

from collections.abc import Mapping

from .config import ProbeWorldConfig
from .vocabulary import TASK_NAMES

_SAYS = {
    "object": "category of the object that fills most pixels of the middle frame",
    "scene": "surface of the floor x surface of the wall",
    "fine": "category x surface pattern of the main object; use the rows with `in_fine`: long-tailed in train",
    "action_coarse": "group of the main object x moves or stays x wall behind it",
    "action_many": "the same from more classes",
    "action_motion": "motion; class 2k + 1 is class 2k played backwards",
}

_BODY = """\
# {title}

Rendered clips of a procedural 3-D world with exact labels for ten tasks: objects, scenes, fine-grained classes, coarse
and many actions, motion, depth, camera pose, point tracks and box tracks. Clips have {frames} frames of {side} x {side}
at {fps:g} frames a second. Labels come from the scene graph, not from the pixels. Splits share neither seeds nor pixels
of the photographs on the walls.

| split | clips |
| --- | ---: |
{splits}

{size} in all. {codec}

## Use

```python
import datasets

stream = datasets.load_dataset("{folder}", split="{first}", streaming=True)
row = next(iter(stream))  # row["video"]["bytes"] is an mp4, everything else is a label
print(row["id"], stream.features["action_motion"].int2str(row["action_motion"]))
```

With hf_vdrep installed, `ExportedProbeWorld(folder, "{first}")` gives the very samples of `ProbeWorld` by index.

## Columns

| column | type | meaning |
| --- | --- | --- |
| `id` | string | `probeworld-SPLIT-INDEX` |
| `video` | mp4 bytes | {frames} frames, RGB |
{classes}
| `in_fine` | bool | whether the clip belongs to the fine-grained task |
| `depth` | float32 ({frames}, {side}, {side}) | z-depth in metres at pixel centres |
| `instance` | uint8 ({frames}, {side}, {side}) | slot of the visible object, 255 for the room |
| `pose` | float32 ({frames}, 3, 4) | camera-to-world; camera axes are x right, y down, z forward |
| `intrinsics` | float32 (3, 3) | in pixels; the centre of the top left pixel is (0.5, 0.5) |
| `tracks` | float32 ({tracks}, {frames}, 2) | x, y of surface points, normalised to [0, 1] |
| `visible` | bool ({tracks}, {frames}) | inside the frame and not occluded |
| `boxes` | float32 (4, {frames}, 4) | x1, y1, x2, y2 of whole objects, normalised, clipped to the frame |
| `present` | bool (4, {frames}) | whether anything of the object can be seen |

## Classes

{names}

## Source and licence

Made by hf_vdrep's ProbeWorld from seed {seed}; `probeworld.json` holds all settings, and the same settings give the
same clips. {photographs}
"""
_PHOTOGRAPHS = (
    "Some surfaces show crops of the photographs that scikit-image bundles, whose terms its data folder's licence file "
    "states."
)


def _bytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def card(config: ProbeWorldConfig, splits: Mapping[str, int], lossless: bool, size: int) -> str:
    """The README.md of an export, with the YAML that names its data files.

    Args:
        config: the world, resolved.
        splits: clips per split.
        lossless: as exported.
        size: bytes of all shards.
    """
    files = "\n".join(f"  - split: {split}\n    path: data/{split}-*.parquet" for split in splits)
    head = (
        "---\npretty_name: ProbeWorld\nlicense: apache-2.0\ntask_categories:\n- video-classification\n"
        "- image-classification\n- depth-estimation\ntags:\n- synthetic\n- video\n- point-tracking\n- camera-pose\n"
        f"configs:\n- config_name: default\n  data_files:\n{files}\n---\n\n"
    )
    classes = "\n".join(f"| `{t}` | class of {len(n)} | {_SAYS[t]} |" for t, n in TASK_NAMES.items())
    names = "\n".join(f"- `{task}`: {'; '.join(each)}" for task, each in TASK_NAMES.items())
    exact = "The mp4 are lossless (H.264 in RGB): pixels come back exactly."
    near = "The mp4 are lossy (H.264, 4:2:0): pixels come back within about 2/255 on average."
    body = _BODY.format(
        title="ProbeWorld",
        frames=config.num_frames,
        side=config.resolution,
        fps=config.fps,
        splits="\n".join(f"| {split} | {count:,} |" for split, count in splits.items()),
        size=_bytes(size),
        codec=exact if lossless else near,
        folder="path/to/this/folder",
        first=next(iter(splits)),
        classes=classes,
        tracks=config.num_tracks,
        names=names,
        seed=config.seed,
        photographs=_PHOTOGRAPHS if config.photographs else "",
    )
    return head + body.rstrip() + "\n"
