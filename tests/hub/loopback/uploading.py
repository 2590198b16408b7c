# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Routes of an upload: how each file should travel, the large objects, and the commit."""

import base64
import hashlib
import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from . import card_rules
from .context import ReceivingRepo, RepoHere, StoreHere, base, plain, writable_repo
from .errors import HubError
from .store import Blob, Repo, Store, is_large

router = APIRouter()


@router.post("/api/{kinds}/{owner}/{name}/preupload/{revision}")
def preupload(revision: str, body: dict[str, Any], repo: ReceivingRepo) -> dict:
    there = repo.at(plain(revision)).tree
    files = []
    for file in body["files"]:
        path = file["path"]
        mode = "lfs" if is_large(path, file["size"], repo.kind) else "regular"
        oid = (there[path].sha256 or there[path].oid) if path in there else None
        files.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    return {"files": files}


@router.post("/{owner}/{name}.git/info/lfs/objects/batch")
@router.post("/{kinds}/{owner}/{name}.git/info/lfs/objects/batch")
def batch(body: dict[str, Any], request: Request, repo: RepoHere, store: StoreHere) -> JSONResponse:
    if "ref" in body:  # without one, the objects are for a pull request
        writable_repo(request)
    objects = []
    for wanted in body["objects"]:
        entry = {"oid": wanted["oid"], "size": wanted["size"], "authenticated": True}
        if wanted["oid"] not in store.large:
            place = f"{base(request)}/large/{wanted['oid']}"
            entry["actions"] = {"upload": {"href": place}, "verify": {"href": f"{place}/verify"}}
        objects.append(entry)
    return JSONResponse({"transfer": "basic", "objects": objects}, media_type="application/vnd.git-lfs+json")


@router.put("/large/{oid}")
async def put_large(oid: str, request: Request, store: StoreHere) -> dict:
    content = await request.body()
    if hashlib.sha256(content).hexdigest() != oid:
        raise HubError(400, f"content does not match {oid}")
    store.large[oid] = content
    return {}


@router.post("/large/{oid}/verify")
def verify_large(oid: str, body: dict[str, Any], store: StoreHere) -> dict:
    if len(store.large.get(oid, b"")) != body["size"]:
        raise HubError(422, f"object {oid} is not whole")
    return {}


@router.post("/api/{kinds}/{owner}/{name}/commit/{revision}")
async def commit(
    revision: str, request: Request, repo: ReceivingRepo, store: StoreHere, create_pr: bool = False
) -> dict:
    lines = [json.loads(line) for line in (await request.body()).splitlines() if line.strip()]
    if not lines or lines[0]["key"] != "header":
        raise HubError(400, "the first line of a commit must be its header")
    header, branch = lines[0]["value"], plain(revision)
    head = repo.at(branch)
    if branch not in repo.branches:
        raise HubError(400, f"Invalid rev id: {branch} is no branch")
    if header.get("parentCommit", head.oid) != head.oid:
        raise HubError(412, "A commit has happened since. Please refresh and try again.")
    tree = dict(head.tree)
    for line in lines[1:]:
        _apply(store, repo, tree, line["key"], line["value"])
    number = 1 + sum(name.startswith("refs/pr/") for name in repo.branches)
    branch = f"refs/pr/{number}" if create_pr else branch
    made = store.commit(repo, header["summary"], header.get("description", ""), tree, branch, head.oid)
    home = f"{base(request)}/{'' if repo.kind == 'model' else repo.kind + 's/'}{repo.id}"
    answer = {"success": True, "commitOid": made.oid, "commitUrl": f"{home}/commit/{made.oid}", "hookOutput": ""}
    return answer | {"pullRequestUrl": f"{home}/discussions/{number}" if create_pr else None}


def _apply(store: Store, repo: Repo, tree: dict[str, Blob], key: str, value: dict[str, Any]) -> None:
    path = value["path"]
    if key == "file":
        content = base64.b64decode(value["content"])
        if is_large(path, len(content), repo.kind) and content:
            raise HubError(400, f"{path} must be sent as a large file")
        if path == "README.md" and (errors := card_rules.check(content.decode(), repo.kind)[0]):
            raise HubError(400, f"Invalid metadata in README.md: {errors[0]}")
        tree[path] = store.add_small(content)
    elif key == "lfsFile":
        tree[path] = store.add_pointer(value["oid"])
    elif key == "deletedFile":
        if tree.pop(path, None) is None:
            raise HubError(404, "A file with this name doesn't exist", "EntryNotFound")
    elif key == "deletedFolder":
        for inside in [name for name in tree if name.startswith(path.rstrip("/") + "/")]:
            del tree[inside]
    else:
        raise HubError(400, f"unknown operation {key!r}")
