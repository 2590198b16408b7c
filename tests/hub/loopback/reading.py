# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Routes that read a repository's state: info, tree, paths, refs, commits."""

from typing import Annotated, Any

import yaml
from fastapi import APIRouter, Form

from . import card_rules
from .context import RepoHere, StoreHere, plain
from .errors import HubError
from .store import Blob, Commit, Repo, Store, git_oid

router = APIRouter(prefix="/api/{kinds}/{owner}/{name}")


@router.get("")
def info(repo: RepoHere, store: StoreHere, blobs: bool = False) -> dict:
    return _info(store, repo, "main", blobs)


@router.get("/revision/{revision}")
def info_at(revision: str, repo: RepoHere, store: StoreHere, blobs: bool = False) -> dict:
    return _info(store, repo, plain(revision), blobs)


def _info(store: Store, repo: Repo, revision: str, blobs: bool) -> dict:
    commit = repo.at(revision)
    card = _card(store, commit)
    index = card.pop("model-index", None)
    found = {
        **{"_id": git_oid(repo.id.encode())[:24], "id": repo.id, "author": repo.id.split("/")[0], "sha": commit.oid},
        **{"private": repo.private, "gated": False, "disabled": False, "downloads": 0, "likes": 0, "usedStorage": 0},
        **{"createdAt": repo.commits[0].date, "lastModified": commit.date, "tags": card.get("tags", [])},
        "siblings": [_sibling(path, blob, blobs) for path, blob in sorted(commit.tree.items())],
        "cardData": card,
        **{name: card[name] for name in ("library_name", "pipeline_tag") if name in card},
    }
    if index:
        found["model-index"] = index
    if results := _results(store, commit):
        found["evalResults"] = results
    if repo.kind == "space":
        found |= {"sdk": repo.sdk, "models": card.get("models"), "datasets": card.get("datasets")}
    return found


def _card(store: Store, commit: Commit) -> dict[str, Any]:
    if "README.md" not in commit.tree:
        return {}
    return dict(card_rules.front_matter(store.content(commit.tree["README.md"]).decode()) or {})


def _results(store: Store, commit: Commit) -> list[dict]:
    paths = [path for path in sorted(commit.tree) if path.startswith(".eval_results/") and path.endswith(".yaml")]
    found: list[dict] = []
    for path in paths:
        entries = yaml.safe_load(store.content(commit.tree[path]))
        found += [{"filename": path, "data": entry} for entry in entries]
    return found


def _sibling(path: str, blob: Blob, blobs: bool) -> dict:
    found: dict = {"rfilename": path}
    if blobs:
        entry = blob.entry(path)
        found |= {"size": blob.size, "blobId": blob.oid}
        if "lfs" in entry:
            large = entry["lfs"]
            found["lfs"] = {"size": large["size"], "sha256": large["oid"], "pointerSize": large["pointerSize"]}
    return found


@router.get("/tree/{revision}")
def root(revision: str, repo: RepoHere, recursive: bool = False, expand: bool = False) -> list[dict]:
    return _list(repo.at(plain(revision)), "", recursive, expand)


@router.get("/tree/{revision}/{path:path}")
def tree(revision: str, path: str, repo: RepoHere, recursive: bool = False, expand: bool = False) -> list[dict]:
    return _list(repo.at(plain(revision)), plain(path).strip("/"), recursive, expand)


def _list(commit: Commit, folder: str, recursive: bool, expand: bool) -> list[dict]:
    start = f"{folder}/" if folder else ""
    inside = [path for path in commit.tree if path.startswith(start)]
    if folder and not inside:
        raise HubError(404, f"{folder} does not exist on this revision", "EntryNotFound", commit.oid)
    below = {path: path[len(start) :].split("/") for path in inside}
    depth = None if recursive else 1
    folders = {start + "/".join(parts[:end]) for parts in below.values() for end in range(1, len(parts))[:depth]}
    files = [path for path, parts in below.items() if recursive or len(parts) == 1]
    return [_entry(commit, path, expand) for path in sorted({*folders, *files})]


def _entry(commit: Commit, path: str, expand: bool) -> dict:
    last = {"lastCommit": {"id": commit.oid, "title": commit.title, "date": commit.date}} if expand else {}
    if path in commit.tree:
        return commit.tree[path].entry(path) | last
    return {"type": "directory", "oid": git_oid(path.encode()), "size": 0, "path": path} | last


@router.post("/paths-info/{revision}")
def paths_info(
    revision: str, repo: RepoHere, paths: Annotated[list[str], Form()], expand: Annotated[bool, Form()] = False
) -> list[dict]:
    commit = repo.at(plain(revision))
    wanted = [path.strip("/") for path in paths]
    there = [path for path in wanted if path in commit.tree or any(p.startswith(f"{path}/") for p in commit.tree)]
    return [_entry(commit, path, expand) for path in there]


@router.get("/refs")
def refs(repo: RepoHere) -> dict:
    heads = {name: oid for name, oid in repo.branches.items() if not name.startswith("refs/")}
    return {
        "branches": [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": oid} for n, oid in heads.items()],
        "tags": [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": oid} for n, oid in repo.tags.items()],
        "converts": [],
        "pullRequests": [],
    }


@router.get("/commits/{revision}")
def commits(revision: str, repo: RepoHere) -> list[dict]:
    author = [{"user": repo.id.split("/")[0]}]
    return [
        {"id": c.oid, "title": c.title, "message": c.message, "date": c.date, "authors": author}
        for c in repo.history(plain(revision))
    ]
