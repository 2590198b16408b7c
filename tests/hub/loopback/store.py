# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the server holds: repositories with commits, the objects behind them, and who may see what."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch

from .errors import HubError, missing_repo

# The part of a new repository's .gitattributes that decides what is stored as a large file.
LARGE_PATTERNS = (
    *("*.7z", "*.arrow", "*.bin", "*.bz2", "*.ckpt", "*.ftz", "*.gz", "*.h5", "*.joblib", "*.lfs.*", "*.mlmodel"),
    *("*.model", "*.msgpack", "*.npy", "*.npz", "*.onnx", "*.ot", "*.parquet", "*.pb", "*.pickle", "*.pkl", "*.pt"),
    *("*.pth", "*.rar", "*.safetensors", "*.tar", "*.tflite", "*.tgz", "*.wasm", "*.xz", "*.zip", "*.zst"),
)
MEDIA_PATTERNS = ("*.mp4", "*.png", "*.jpg", "*.jpeg", "*.webp", "*.wav", "*.flac", "*.gif")
LARGE_SIZE = 10 * 2**20


@dataclass(frozen=True)
class Blob:
    """A file of a tree: git's name of its content (of the pointer, for a large file), and the content's size."""

    oid: str
    size: int
    sha256: str | None = None

    def entry(self, path: str) -> dict:
        """As `tree` and `paths-info` list it."""
        found: dict = {"type": "file", "oid": self.oid, "size": self.size, "path": path}
        if self.sha256:
            found["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": len(pointer(self.sha256, self.size))}
        return found


@dataclass(frozen=True)
class Commit:
    """A state of a repository; `parent` is the commit before it, empty for the first."""

    oid: str
    title: str
    message: str
    tree: Mapping[str, Blob]
    parent: str = ""
    date: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()))


@dataclass
class Repo:
    """A repository; `commits` is oldest first."""

    kind: str
    id: str
    private: bool
    sdk: str | None = None
    commits: list[Commit] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    settings: dict[str, dict[str, str]] = field(default_factory=lambda: {"secrets": {}, "variables": {}})

    def at(self, revision: str) -> Commit:
        """The commit of a branch, tag or (short) name.

        Raises:
            HubError: none such.
        """
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        found = next((commit for commit in self.commits if commit.oid.startswith(oid) and len(oid) >= 7), None)
        if found is None:
            raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found

    def history(self, revision: str) -> list[Commit]:
        """The commits that led to a revision, newest first."""
        found = [self.at(revision)]
        while found[-1].parent:
            found.append(self.at(found[-1].parent))
        return found


@dataclass
class Store:
    """Everything."""

    users: dict[str, str] = field(default_factory=lambda: {"hf_loopback": "me", "hf_somebody": "somebody"})
    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    small: dict[str, bytes] = field(default_factory=dict)
    collections: dict[str, dict] = field(default_factory=dict)

    def repo(self, kind: str, repo_id: str, user: str | None, write: bool = False) -> Repo:
        """A repository that `user` may see, or may write to.

        Raises:
            HubError: missing, private and somebody else's, or not to be written by this user.
        """
        found = self.repos.get((kind, repo_id))
        owner = repo_id.split("/")[0]
        if found is None or (found.private and user != owner):
            raise missing_repo()
        if write and user != owner:
            raise HubError(403, "You don't have the rights to write to this repository")
        return found

    def add_small(self, content: bytes) -> Blob:
        """Keep a regular file."""
        oid = git_oid(content)
        self.small[oid] = content
        return Blob(oid, len(content))

    def add_pointer(self, sha256: str) -> Blob:
        """A large file whose object was sent before.

        Raises:
            HubError: it was not.
        """
        if sha256 not in self.large:
            raise HubError(400, f"LFS pointer pointed to a file that does not exist: {sha256}")
        size = len(self.large[sha256])
        return Blob(git_oid(pointer(sha256, size)), size, sha256)

    def content(self, blob: Blob) -> bytes:
        """Of a file."""
        return self.large[blob.sha256] if blob.sha256 else self.small[blob.oid]

    def commit(
        self,
        repo: Repo,
        title: str,
        message: str,
        tree: Mapping[str, Blob],
        branch: str = "main",
        parent: str | None = None,
    ) -> Commit:
        """A new head of a branch, after `parent`, which is its head by default."""
        parent = repo.branches.get(branch, "") if parent is None else parent
        listing = "".join(f"{path} {blob.oid}\n" for path, blob in sorted(tree.items()))
        text = f"{parent}\n{title}\n{message}\n{len(repo.commits)}\n{time.time_ns()}\n{listing}"
        made = Commit(hashlib.sha1(text.encode()).hexdigest(), title, message, dict(tree), parent)
        repo.commits.append(made)
        repo.branches[branch] = made.oid
        return made


def is_large(path: str, size: int, kind: str) -> bool:
    """Whether the Hub stores a file outside git."""
    name = path.rsplit("/", 1)[-1]
    patterns = LARGE_PATTERNS if kind == "model" else LARGE_PATTERNS + MEDIA_PATTERNS
    return size > LARGE_SIZE or any(fnmatch(name, pattern) for pattern in patterns)


def git_oid(content: bytes) -> str:
    """git's name of a blob."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def pointer(sha256: str, size: int) -> bytes:
    """What git holds in the place of a large file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
