# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From what a user asks to push to plans: names, defaults, and everything at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .plan import PushPlan

KINDS = ("model", "probe", "dataset", "metrics", "space", "collection", "all")
PROBEWORLD_NAME = "probeworld"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class PushRequest:
    """What to push, and under which names.

    Attributes:
        kind: one of `KINDS`.
        namespace: whose repositories; a user or an organisation.
        sources: names, files or folders of that kind; all that ship by default.
        repo: name of the one repository, user/name or name; by kind and source by default.
        results: folder of committed results, None for none.
        probeworld: folder of an export, for `all` and `collection`; None leaves the data set out.
        space: folder of the demo's Space; None leaves it out.
        backbone: folder, shipped name or Hub id of a probe's backbone; what its training names by default.
        checkpoints: push what the models' trainings kept along the way too, each to a branch of its own.
        revision: branch that takes the commit; None is `main`.
        package: what Spaces install for hf_vdrep; this version for metrics, and as it stands for the demo, by default.
    """

    kind: str
    namespace: str
    sources: tuple[str, ...] = ()
    repo: str | None = None
    results: Path | None = None
    probeworld: Path | None = None
    space: Path | None = None
    backbone: str | None = None
    package: str | None = None
    checkpoints: bool = False
    revision: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.checkpoints and self.kind not in ("model", "all", "collection"):
            raise ValueError(f"checkpoints must be left out for {self.kind}: models alone have them")
        if self.revision and (self.checkpoints or self.kind in ("all", "collection")):
            what = "checkpoints, which have branches of their own" if self.checkpoints else self.kind
            raise ValueError(f"revision must be left out with {what}, got {self.revision}")

    @property
    def dataset(self) -> str:
        """Hub id of ProbeWorld, to which results refer."""
        return f"{self.namespace}/{PROBEWORLD_NAME}"

    def chosen(self, shipped: Sequence[str]) -> Sequence[str]:
        """The sources, or all that ship.

        Raises:
            ValueError: several for one `repo`.
        """
        found = self.sources or tuple(shipped)
        if self.repo and len(found) != 1:
            raise ValueError(f"repo must be left out for several repositories ({len(found)}), got {self.repo}")
        return found

    def name(self, default: str) -> str:
        """Hub id of the repository that is asked for, or of the default name."""
        chosen = self.repo or _valid(default)
        return chosen if "/" in chosen else f"{self.namespace}/{chosen}"


def plans_for(request: PushRequest) -> list[PushPlan]:
    """One plan per repository, and one per checkpoint before that of its model, in the order of pushing.

    `main` comes last: a push that is cut leaves it as it was, and its card never names a branch that is not there.

    Raises:
        ValueError: an unknown source, `repo` with several repositories, or no checkpoint where they are asked for.
    """
    plans = _MAKERS[request.kind](request)
    return [replace(plan, revision=plan.revision or request.revision) for plan in plans]


def _valid(name: str) -> str:
    """A folder's name as the Hub takes it: "run=3, lr 1e-3" becomes "run-3-lr-1e-3"."""
    plain = re.sub(r"[^A-Za-z0-9_.]+", "-", name)
    return re.sub(r"\.{2,}", ".", plain).removesuffix(".git").strip("-.")[:96].rstrip("-.") or "model"


def _models(request: PushRequest) -> Iterator[PushPlan]:
    from ..models import shipped
    from .checkpoint import checkpoint_plans
    from .model import locate, model_plan

    for source in request.chosen(shipped.names()):
        folder, _, system = locate(source)
        repo_id = request.name(f"{system}-tiny" if system else _folder_name(Path(source), folder))
        if request.checkpoints:
            yield from checkpoint_plans(source, repo_id, request.dataset, request.results)
        yield model_plan(source, repo_id, request.dataset, request.results, request.checkpoints)


def _folder_name(source: Path, folder: Path) -> str:
    """A run's own name, where the pipeline lies in one."""
    place = folder.parent if folder.name == "pipeline" else folder
    return place.resolve().name or source.name


def _probes(request: PushRequest) -> Iterator[PushPlan]:
    from .probe import open_trained, probe_plan, shipped_probes

    for source in request.chosen(shipped_probes()):
        probe = open_trained(source)
        base = request.backbone or probe.backbone
        base_id = _base_id(base, request.namespace)
        default = f"{base_id.rsplit('/', 1)[-1]}-{probe.task.replace('_', '-')}"
        yield probe_plan(source, request.name(default), base_id, request.dataset, request.backbone)


def _base_id(backbone: str, namespace: str) -> str:
    from ..models import shipped

    if backbone in shipped.names():
        return f"{namespace}/{backbone}-tiny"
    if not Path(backbone).is_dir() and _HUB_ID.fullmatch(backbone):
        return backbone
    return f"{namespace}/{_valid(_folder_name(Path(backbone), Path(backbone)))}"


def _datasets(request: PushRequest) -> Iterator[PushPlan]:
    from .dataset import dataset_plan

    if not request.sources:
        raise ValueError("dataset must be given as a folder of `hf-vdrep world export`, got none")
    for source in request.chosen(()):
        yield dataset_plan(source, request.name(PROBEWORLD_NAME))


def _metrics(request: PushRequest) -> Iterator[PushPlan]:
    from .space import PACKAGE, metric_names, metric_plan

    for name in request.chosen(metric_names()):
        yield metric_plan(name, request.name(name), request.package or PACKAGE)


def _spaces(request: PushRequest) -> Iterator[PushPlan]:
    from .space import space_plan

    sources = request.chosen([str(request.space)] if request.space else [])
    if not sources:
        raise ValueError("space must be given as a folder, got none")
    for source in sources:
        yield space_plan(source, request.name(Path(source).resolve().name), request.package)


def _everything(request: PushRequest) -> Iterator[PushPlan]:
    if request.sources:
        raise ValueError(f"{request.kind} takes no source, got {', '.join(request.sources)}")
    if request.repo:
        raise ValueError(f"repo must be left out for {request.kind}, got {request.repo}")
    yield from _models(request)
    yield from _probes(request)
    if request.probeworld:
        from .dataset import dataset_plan

        yield dataset_plan(request.probeworld, request.dataset)
    yield from _metrics(request)
    if request.space:
        yield from _spaces(request)


_MAKERS: dict[str, Callable[[PushRequest], Iterator[PushPlan]]] = {
    "model": _models,
    "probe": _probes,
    "dataset": _datasets,
    "metrics": _metrics,
    "space": _spaces,
    "collection": _everything,
    "all": _everything,
}
