# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The card of a trained readout, with a snippet for its task."""

from __future__ import annotations

from typing import Any

from huggingface_hub import ModelCardData

from ..study.compare.tasks import STUDY_TASKS
from .cards import render, table
from .model_card import PROBEWORLD, TAGS, WaltShape, score_table
from .results import TaskScore, model_index

_AUTO = {
    **dict.fromkeys(("object", "scene", "fine"), "AutoModelForImageClassification"),
    **dict.fromkeys(("action_coarse", "action_many", "action_motion"), "AutoModelForVideoClassification"),
    "depth": "AutoModelForDepthEstimation",
}
_PIPELINES = {
    "AutoModelForImageClassification": "image-classification",
    "AutoModelForVideoClassification": "video-classification",
    "AutoModelForDepthEstimation": "depth-estimation",
}
_HEAD = """\
{imports}

model = {loader}.from_pretrained("{repo_id}")
{given}
outputs = model({arguments})
{check}"""
_READOUT = """\
import json
from pathlib import Path

import torch
from hf_vdrep.backbones import open_backbone
from hf_vdrep.probes import Readout
from hf_vdrep.study.shipped_probes import ShippedProbe
from huggingface_hub import snapshot_download

folder = Path(snapshot_download("{repo_id}"))
about = json.loads((folder / "training.json").read_text())
where = [about["layer"], about["timestep"], about["reading"]]
probe = ShippedProbe(Readout.from_pretrained(folder), about["task"], about["backbone"], *where)
backbone = open_backbone("{base_id}"{options})
clips = torch.randint(0, 256, (1, {frames}, {height}, {width}, 3), dtype=torch.uint8)
found = probe.predict(backbone, clips{queries})
print({{name: tuple(value.shape) for name, value in found.items()}})"""
_PUBLISHED_LIMITS = (
    "Trained on the data set named above, whose terms bind what is made from it; other films and photographs may be "
    "out of distribution. It reads the features of this backbone at this block and noise level, and no others."
)
_QUERIES = {
    "point_tracks": ", points=torch.rand(1, 5, 2)",
    "box_tracks": ", boxes=torch.tensor([[[0.1, 0.1, 0.5, 0.5]]])",
}
_LIMITS = (
    "Trained and tested on one synthetic world; its answers for photographs and other films are guesses. It reads the "
    "features of this backbone at this block and noise level, and no others."
)


def probe_card(
    repo_id: str,
    base_id: str,
    dataset: str,
    about: dict[str, Any],
    score: TaskScore | None,
    shape: WaltShape | None,
    whole: bool,
    reads_image: bool,
) -> str:
    """The README.md of a pushed readout.

    Args:
        repo_id: where it goes.
        base_id: Hub id of its backbone.
        dataset: Hub id of ProbeWorld.
        about: its `training.json`.
        score: on the test split, where known.
        shape: of the backbone, where that is a WALT.
        whole: whether the backbone goes with it, as one transformers model.
        reads_image: whether it sees one frame.
    """
    task = STUDY_TASKS[about["task"]]
    auto = _AUTO.get(task.name) if whole else None
    if whole and shape is not None:
        snippet = _head_snippet(repo_id, task.name, shape, reads_image)
    else:
        snippet = _readout_snippet(repo_id, base_id, about, shape)
    name = repo_id.rsplit("/", 1)[-1]
    published = _published(about)
    data = ModelCardData(
        license="apache-2.0",
        library_name="transformers" if whole else "hf_vdrep",
        pipeline_tag=_PIPELINES.get(auto or ""),
        tags=[*TAGS, "probing"],
        datasets=None if published else [dataset],
        base_model=base_id,
        model_name=name,
        eval_results=model_index([score], dataset) if score else None,
    )
    form = "one transformers model of backbone and readout" if whole else "a readout, without its backbone"
    return render(
        "probe.md",
        data,
        name=name,
        title=task.title,
        base_id=base_id,
        summary=f"What a readout makes of the frozen features of `{base_id}` for {task.title}: {form}.",
        facts=table(["", ""], _facts(about)),
        snippet=snippet,
        auto=auto is not None,
        data=published
        or PROBEWORLD.format(dataset=dataset, split="train").replace(", without its labels", ", with its labels"),
        table=score_table([score]) if score else _figures(about),
        limits=_PUBLISHED_LIMITS if published else _LIMITS,
    )


def _published(about: dict[str, Any]) -> str:
    """What is to be said of a published set that it was trained on; nothing of ProbeWorld."""
    from ..data.streams.registry import SPECS

    name = about.get("data", "probeworld")
    if name == "probeworld":
        return ""
    spec = SPECS.get(name)
    where = f"[{spec.title}]({spec.source})" if spec and spec.source.startswith("http") else f"`{name}`"
    terms = f" Terms: {spec.licence}" if spec else ""
    return f"{where}, the {about.get('train_split', 'train')} split, with its labels.{terms}"


def _facts(about: dict[str, Any]) -> list[list[str]]:
    rows = [["block", str(about["layer"])], ["noise level", str(about["timestep"])]]
    rows += [["clips are read by", about["reading"]]] if about.get("reading") not in (None, "auto") else []
    rows += [["readout's parameters", f"{about['parameters']:,}"]] if "parameters" in about else []
    rows += [["steps", f"{about['steps']:,}"]] if "steps" in about else []
    rows += [["training clips", f"{about['train_clips']:,}"]] if "train_clips" in about else []
    return rows


def _figures(about: dict[str, Any]) -> str:
    """Figures of a training without a test: on the validation split, and so without interval."""
    from ..training.probe import ProbeTrainConfig

    settings = {*ProbeTrainConfig.__dataclass_fields__, "test", "parameters", "revision", "readout_seed"}
    found = {name: value for name, value in about.items() if name not in settings and isinstance(value, float)}
    rows = [[name, f"{value:.4f}"] for name, value in sorted(found.items())]
    return table(["figure on the validation split", "value"], rows, right=1) if rows else ""


def _head_snippet(repo_id: str, task: str, shape: WaltShape, reads_image: bool) -> str:
    auto = _AUTO.get(task)
    imports = f"import hf_vdrep\nimport torch\nfrom transformers import {auto}" if auto else ""
    imports = imports or "import torch\nfrom hf_vdrep.heads import load_head"
    sides = f"{shape.height}, {shape.width}"
    given = f"clip = torch.rand(1, {shape.frames}, 3, {sides}) * 2 - 1"
    arguments, check = "pixel_values_videos=clip", ""
    if reads_image:
        given, arguments = f"picture = torch.rand(1, 3, {sides}) * 2 - 1", "pixel_values=picture"
    if task == "depth":
        check = f"assert outputs.predicted_depth.shape[:2] == (1, {shape.frames})"
        if reads_image:
            check = "assert outputs.predicted_depth.shape[0] == 1"
    elif task == "camera_pose":
        check = "assert tuple(outputs.pose.shape) == (1, 3, 4)"
    elif task == "point_tracks":
        arguments += ", query_points=torch.rand(1, 5, 2)"
        check = f"assert tuple(outputs.tracks.shape) == (1, 5, {shape.frames}, 2)"
    elif task == "box_tracks":
        arguments += ", query_boxes=torch.tensor([[[0.1, 0.1, 0.5, 0.5]]])"
        check = f"assert tuple(outputs.boxes.shape) == (1, 1, {shape.frames}, 4)"
    else:
        check = "print(model.config.id2label[outputs.logits.argmax().item()])"
    text = _HEAD.format(
        imports=imports, loader=auto or "model", repo_id=repo_id, given=given, arguments=arguments, check=check
    )
    return text if auto else text.replace("model.from_pretrained(", "load_head(")


def _readout_snippet(repo_id: str, base_id: str, about: dict[str, Any], shape: WaltShape | None) -> str:
    reading = about.get("reading")
    return _READOUT.format(
        repo_id=repo_id,
        base_id=base_id,
        options=f', video_as="{reading}"' if reading not in (None, "auto") else "",
        queries=_QUERIES.get(about["task"], ""),
        frames=shape.frames if shape else 17,
        height=shape.height if shape else 64,
        width=shape.width if shape else 64,
    )
