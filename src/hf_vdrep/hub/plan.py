# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a push will do, before it does it: which files, from where, how large, into which repository."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

RepoType = Literal["model", "dataset", "space"]

# What the Hub stores outside git, by name; above the size everything is.
_LARGE_PATTERNS = (
    "*.safetensors",
    "*.parquet",
    "*.arrow",
    "*.npy",
    "*.npz",
    "*.bin",
    "*.gz",
    "*.zip",
    "*.tar",
    "*.zst",
)
_LARGE_MEDIA = ("*.mp4", "*.png", "*.jpg", "*.jpeg", "*.webp", "*.gif")
LARGE_SIZE = 10 * 2**20


@dataclass(frozen=True)
class PlannedFile:
    """One file of a push.

    Attributes:
        path: in the repository, with slashes.
        source: the file, or the content itself where it is made for the push.
    """

    path: str
    source: Path | bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    @property
    def origin(self) -> str:
        """Where it comes from, for the list."""
        if isinstance(self.source, bytes):
            return "(written for the push)"
        here = Path.cwd()
        return str(self.source.relative_to(here) if self.source.is_relative_to(here) else self.source)

    def read(self) -> bytes:
        """The content."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()


@dataclass(frozen=True)
class PushPlan:
    """One commit to one repository.

    Attributes:
        kind: what it is to us: model, probe, dataset, metric or space.
        repo_id: user/name.
        repo_type: what it is to the Hub.
        files: sorted by path, none twice.
        message: of the commit.
        sdk: of a Space.
        replaces: patterns of the files of an earlier push that go where this one does not write them again.
        note: one sentence about it, for a collection.
        revision: branch that takes the commit, made where it is missing; None is `main`.
        marks: paths of which every such repository of ours holds one: what holds files and none is other work.
    """

    kind: str
    repo_id: str
    repo_type: RepoType
    files: tuple[PlannedFile, ...]
    message: str
    sdk: str | None = None
    replaces: tuple[str, ...] = ()
    note: str = ""
    revision: str | None = None
    marks: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def file(self, path: str) -> PlannedFile:
        """The file at a path.

        Raises:
            KeyError: none.
        """
        found = next((file for file in self.files if file.path == path), None)
        if found is None:
            raise KeyError(path)
        return found


def make_plan(files: Iterable[PlannedFile], **about: object) -> PushPlan:
    """A plan over `files`, of which a later one replaces an earlier one of the same path."""
    by_path = {file.path: file for file in files}
    return PushPlan(files=tuple(by_path[path] for path in sorted(by_path)), **about)  # type: ignore[arg-type]


def is_large(file: PlannedFile, repo_type: RepoType) -> bool:
    """Whether the Hub will store a file outside git, by its usual rules; the server has the last word."""
    name = file.path.rsplit("/", 1)[-1]
    patterns = _LARGE_PATTERNS if repo_type == "model" else _LARGE_PATTERNS + _LARGE_MEDIA
    return file.size > LARGE_SIZE or any(fnmatch(name, pattern) for pattern in patterns)


def describe(plan: PushPlan, public: bool = False) -> str:
    """The exact file list: size, storage, path in the repository, origin; then what goes, and the message."""
    visibility = "public" if public else "private"
    head = f"{plan.kind} -> {place(plan)} ({visibility}): {len(plan.files)} files, {readable(plan.size)}, one commit"
    rows = [
        (readable(file.size), "large" if is_large(file, plan.repo_type) else "git", file.path, file.origin)
        for file in plan.files
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"  {size:>{widths[0]}}  {kept:<{widths[1]}}  {path:<{widths[2]}}  {origin}"
        for size, kept, path, origin in rows
    ]
    stale = ", ".join(plan.replaces)
    gone = [f"  removes what an earlier push left of {stale} and this list lacks"] if stale else []
    return "\n".join([head, *lines, *gone, f"  message: {plan.message.splitlines()[0]}"])


def to_json(plan: PushPlan, public: bool = False) -> dict[str, object]:
    """The same as a mapping."""
    files = [
        {"path": file.path, "size": file.size, "large": is_large(file, plan.repo_type), "from": file.origin}
        for file in plan.files
    ]
    about = {"kind": plan.kind, "repo_id": plan.repo_id, "repo_type": plan.repo_type, "private": not public}
    about |= {"revision": plan.revision or "main"}
    return {**about, "message": plan.message, "replaces": list(plan.replaces), "size": plan.size, "files": files}


def address(plan: PushPlan) -> str:
    """As the Hub's addresses name it."""
    return plan.repo_id if plan.repo_type == "model" else f"{plan.repo_type}s/{plan.repo_id}"


def place(plan: PushPlan) -> str:
    """The same with the branch, where that is not `main`."""
    return f"{address(plan)}@{plan.revision}" if plan.revision else address(plan)


def sent_once(plans: Iterable[PushPlan]) -> int:
    """Bytes of all plans' files where a file that several of them hold counts once, as it is sent once."""
    return sum({file.source: file.size for plan in plans for file in plan.files}.values())


def readable(size: int) -> str:
    """ "8.2 MB"."""
    value = float(size)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
