# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Checks of a README's front matter, those of the Hub that a card of this project could break."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

_FRONT = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
_LICENSES = {"apache-2.0", "mit", "cc-by-4.0", "cc0-1.0", "other", "unknown"}
_COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
_SIZES = {"n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M"}
_TASKS = {
    *(
        "unconditional-image-generation",
        "text-to-video",
        "text-to-image",
        "image-to-video",
        "video-to-video",
        "image-classification",
        "video-classification",
    ),
    *("depth-estimation", "image-feature-extraction", "keypoint-detection", "object-detection", "other"),
}


def front_matter(content: str) -> dict[str, Any] | None:
    """The YAML between the first two rules, None without one."""
    found = _FRONT.match(content)
    return yaml.safe_load(found[1]) if found else None


def check(content: str, kind: str) -> tuple[list[str], list[str]]:
    """Errors and warnings."""
    try:
        data = front_matter(content)
    except yaml.YAMLError as error:
        return [f"YAML: {error}"], []
    if data is None:
        return [], ["empty or missing yaml metadata in repo card"]
    if not isinstance(data, dict):
        return ["YAML metadata must be a mapping"], []
    rules = {"model": _model, "dataset": _dataset, "space": _space}[kind]
    return [*_common(data), *rules(data)], []


def _common(data: dict[str, Any]) -> Iterator[str]:
    if "license" in data and data["license"] not in _LICENSES:
        yield f'"license" must be one of {sorted(_LICENSES)}'
    tags = data.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        yield '"tags" must be an array of strings'


def _model(data: dict[str, Any]) -> Iterator[str]:
    if "pipeline_tag" in data and data["pipeline_tag"] not in _TASKS:
        yield f'"pipeline_tag" must be one of {sorted(_TASKS)}'
    for name in ("datasets", "base_model"):
        for value in _listed(data.get(name, [])):
            if not re.fullmatch(r"[\w.-]+/[\w.-]+", str(value)):
                yield f'"{name}" must hold ids of the Hub, got {value!r}'
    for model in data.get("model-index", []):
        if "name" not in model or not isinstance(model.get("results"), list):
            yield '"model-index[0]" needs a name and results'
            continue
        for result in model["results"]:
            yield from _result(result)


def _result(result: dict[str, Any]) -> Iterator[str]:
    if not isinstance(result.get("task", {}).get("type"), str):
        yield '"model-index[0].results[0].task.type" is required'
    for name in ("type", "name"):
        if not isinstance(result.get("dataset", {}).get(name), str):
            yield f'"model-index[0].results[0].dataset.{name}" is required'
    for metric in result.get("metrics") or [{}]:
        if not isinstance(metric.get("type"), str) or "value" not in metric:
            yield '"model-index[0].results[0].metrics[0]" needs a type and a value'


def _dataset(data: dict[str, Any]) -> Iterator[str]:
    for size in _listed(data.get("size_categories", [])):
        if size not in _SIZES:
            yield f'"size_categories" must be among {sorted(_SIZES)}'
    for config in data.get("configs", []):
        if "config_name" not in config:
            yield '"configs[0].config_name" is required'


def _space(data: dict[str, Any]) -> Iterator[str]:
    if data.get("sdk") not in ("gradio", "docker", "static"):
        yield '"sdk" must be one of [gradio, docker, static]'
    for name in ("colorFrom", "colorTo"):
        if name in data and data[name] not in _COLORS:
            yield f'"{name}" must be one of {sorted(_COLORS)}'
    if len(data.get("short_description", "")) > 60:
        yield '"short_description" length must be less than or equal to 60 characters long'
    if "emoji" in data and not re.fullmatch(r"\W{1,4}", data["emoji"]):
        yield '"emoji" must be an emoji'


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
