# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Metrics and apps as Spaces."""

from __future__ import annotations

import re
from pathlib import Path

from .. import __version__
from .cards import TEMPLATES, render
from .folder_files import files_of
from .plan import PlannedFile, PushPlan, make_plan

PACKAGE = f"hf_vdrep=={__version__}"
_REQUIREMENT = re.compile(r"hf_vdrep(\[[\w,-]+\])?(?![\w.-])")
_APP = TEMPLATES / "metric_app.py"
_METRICS = Path(__file__).resolve().parent.parent / "metrics"


def metric_names() -> list[str]:
    """The package's `evaluate` modules, found without importing evaluate."""
    return sorted(folder.name for folder in _METRICS.iterdir() if (folder / f"{folder.name}.py").is_file())


def metric_plan(name: str, repo_id: str, package: str = PACKAGE) -> PushPlan:
    """One commit that makes `repo_id` a Space from which `evaluate.load(repo_id)` loads the metric.

    Args:
        name: one of `metric_names`.
        repo_id: user/name; evaluate wants the name to be the metric's.
        package: what the Space installs for hf_vdrep, as pip takes it.

    Raises:
        ValueError: no such metric, or a repository of another name.
    """
    if name not in metric_names():
        raise ValueError(f"metric must be one of {', '.join(metric_names())}, got {name!r}")
    if repo_id.rsplit("/", 1)[-1] != name:
        raise ValueError(f"repo must be named {name}, as `evaluate.load` looks for {name}.py, got {repo_id}")
    files = [file for file in files_of(_METRICS / name) if file.path in (f"{name}.py", "README.md")]
    card = metric_card((_METRICS / name / "README.md").read_text(encoding="utf-8"), name, repo_id)
    return make_plan(
        [
            *files,
            PlannedFile("README.md", card.encode()),
            PlannedFile("app.py", _APP),
            PlannedFile("requirements.txt", f"{package}\nevaluate\n".encode()),
        ],
        kind="metric",
        repo_id=repo_id,
        repo_type="space",
        sdk="gradio",
        message=f"Upload the metric {name}: module, card, app",
        marks=(f"{name}.py",),
        note=f'evaluate.load("{repo_id}")',
    )


def metric_card(text: str, name: str, repo_id: str) -> str:
    """The metric's own card, with what a Space needs in its front matter, and how to load it from the Hub."""
    from huggingface_hub import SpaceCard

    card = SpaceCard(text)
    given = card.data.to_dict()
    needed = {
        **{"emoji": "📏", "colorFrom": "blue", "colorTo": "green", "app_file": "app.py"},
        **{"python_version": "3.11", "license": "apache-2.0", **_gradio()},
    }
    for key, value in needed.items():
        if key not in given:
            setattr(card.data, key, value)
    own = str(card).replace(f"path/to/{name}", repo_id).rstrip()
    return f"{own}\n\n{render('metric_more.md', name=name, repo_id=repo_id)}"


def _gradio() -> dict[str, str]:
    """The version that the app was tried with here; the Hub takes its newest where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return {"sdk_version": version("gradio")}
    except PackageNotFoundError:
        return {}


def space_plan(source: str | Path, repo_id: str, package: str | None = None) -> PushPlan:
    """One commit that makes `repo_id` the Space in a folder, as it lies there.

    Args:
        source: a folder with README.md (front matter with `sdk`) and the app.
        repo_id: user/name.
        package: what the Space installs for hf_vdrep; what its requirements.txt says by default.

    Raises:
        ValueError: no folder, or no Space in it.
    """
    from huggingface_hub import SpaceCard

    place = Path(source)
    readme = place / "README.md"
    if not readme.is_file():
        raise ValueError(f"space must be a folder with README.md, got {place}")
    data = SpaceCard(readme.read_text(encoding="utf-8")).data.to_dict()
    if "sdk" not in data:
        raise ValueError(f"space must name its sdk in the front matter of {readme}, got none")
    app = str(data.get("app_file", "app.py"))
    if data["sdk"] == "gradio" and not (place / app).is_file():
        raise ValueError(f"space must hold its app_file {app}, got {place} without it")
    files = files_of(place)
    requirements = place / "requirements.txt"
    if package and requirements.is_file():
        text = required(requirements.read_text(encoding="utf-8"), package)
        files.append(PlannedFile(requirements.name, text.encode()))
    return make_plan(
        files,
        kind="space",
        repo_id=repo_id,
        repo_type="space",
        sdk=data["sdk"],
        message=f"Upload the Space {data.get('title', place.name)}",
        marks=(app,) if data["sdk"] == "gradio" else (),
        note=str(data.get("short_description", data.get("title", place.name))),
    )


def required(text: str, package: str) -> str:
    """Lines of a requirements.txt with hf_vdrep from elsewhere; the extras that they ask for stay.

    Args:
        text: such as "hf_vdrep[space]".
        package: such as "hf_vdrep @ git+https://…".
    """
    name, rest = _REQUIREMENT.match(package), package.removeprefix("hf_vdrep")
    if name is None or name[1]:
        raise ValueError(f"package must begin with hf_vdrep, without extras, got {package!r}")
    found = (_REQUIREMENT.match(line) for line in text.splitlines())
    lines = [
        f"hf_vdrep{match[1] or ''}{rest}" if match else line
        for match, line in zip(found, text.splitlines(), strict=True)
    ]
    return "\n".join(lines) + "\n"
