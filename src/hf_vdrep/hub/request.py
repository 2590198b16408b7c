# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From what a user asks to push to plans: names, defaults, and everything at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
        chosen = self.repo or default
        return chosen if "/" in chosen else f"{self.namespace}/{chosen}"


def plans_for(request: PushRequest) -> list[PushPlan]:
    """One plan per repository, in the order in which they are pushed.

    Raises:
        ValueError: an unknown kind or source, or `repo` with several repositories.
    """
    if request.kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {request.kind!r}")
    return list(_MAKERS[request.kind](request))


def _models(request: PushRequest) -> Iterator[PushPlan]:
    from ..models import shipped
    from .model import locate, model_plan

    for source in request.chosen(shipped.names()):
        folder, _, system = locate(source)
        default = f"{system}-tiny" if system else _folder_name(Path(source), folder)
        yield model_plan(source, request.name(default), request.dataset, request.results)


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
    return f"{namespace}/{_folder_name(Path(backbone), Path(backbone))}"


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
