# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Routes around repositories: who am I, create, delete, settings, branches, tags, Spaces, checks of cards."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from . import card_rules
from .context import RepoHere, StoreHere, User, WritableRepo, base, plain
from .errors import HubError, missing_repo
from .store import LARGE_PATTERNS, Repo

router = APIRouter()


@router.get("/api/whoami-v2")
def whoami(user: User) -> dict:
    token = {"type": "access_token", "accessToken": {"displayName": "test", "role": "write"}}
    return {"type": "user", "id": user, "name": user, "fullname": user, "orgs": [], "auth": token}


@router.post("/api/validate-yaml")
def validate_yaml(body: dict[str, Any]) -> Response:
    errors, warnings = card_rules.check(body["content"], body.get("repoType", "model"))
    answer = {"errors": [{"message": text} for text in errors], "warnings": [{"message": text} for text in warnings]}
    return JSONResponse(answer, 400 if errors else 200)


@router.post("/api/repos/create")
def create(body: dict[str, Any], request: Request, store: StoreHere, user: User) -> Response:
    kind, owner = body.get("type") or "model", body.get("organization") or user
    if owner != user:
        raise HubError(403, f'You don\'t have the rights to create a {kind} under the namespace "{owner}"')
    repo_id = f"{owner}/{body['name']}"
    prefix = "" if kind == "model" else f"{kind}s/"
    answer = {"url": f"{base(request)}/{prefix}{repo_id}", "name": repo_id, "id": repo_id}
    if (kind, repo_id) in store.repos:
        return JSONResponse(answer | {"error": "You already created this repo"}, 409)
    private = body.get("visibility") == "private" or bool(body.get("private"))
    repo = store.repos[kind, repo_id] = Repo(kind, repo_id, private, body.get("sdk"))
    attributes = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in LARGE_PATTERNS)
    store.commit(repo, "initial commit", "", {".gitattributes": store.add_small(attributes.encode())})
    return JSONResponse(answer)


@router.delete("/api/repos/delete")
def delete(body: dict[str, Any], store: StoreHere, user: User) -> dict:
    key = body.get("type") or "model", f"{body.get('organization') or user}/{body['name']}"
    store.repo(*key, user, write=True)
    del store.repos[key]
    return {}


@router.put("/api/{kinds}/{owner}/{name}/settings")
def settings(body: dict[str, Any], repo: WritableRepo) -> dict:
    if "visibility" in body or "private" in body:
        repo.private = body.get("visibility") == "private" or bool(body.get("private"))
    return {}


@router.get("/api/{kinds}/{owner}/{name}/auth-check")
def auth_check(repo: RepoHere) -> dict:
    return {}


@router.post("/api/{kinds}/{owner}/{name}/branch/{branch}")
def create_branch(branch: str, body: dict[str, Any], repo: WritableRepo) -> dict:
    if plain(branch) in repo.branches:
        raise HubError(409, f"Reference already exists: refs/heads/{plain(branch)}")
    repo.branches[plain(branch)] = repo.at(body.get("startingPoint") or "main").oid
    return {}


@router.post("/api/{kinds}/{owner}/{name}/tag/{revision}")
def create_tag(revision: str, body: dict[str, Any], repo: WritableRepo) -> dict:
    if body["tag"] in repo.tags:
        raise HubError(409, f"Tag reference exists already: refs/tags/{body['tag']}")
    repo.tags[body["tag"]] = repo.at(plain(revision)).oid
    return {}


@router.get("/api/spaces/{owner}/{name}/runtime")
def runtime(owner: str, name: str, store: StoreHere, user: User) -> dict:
    space = store.repo("space", f"{owner}/{name}", user)
    hardware = {"current": None, "requested": "cpu-basic"}
    stage = "BUILDING" if "app.py" in space.at("main").tree else "NO_APP_FILE"
    return {"stage": stage, "hardware": hardware, "storage": None, "gcTimeout": None, "replicas": {"requested": 1}}


@router.post("/api/spaces/{owner}/{name}/{kind}")
def set_value(owner: str, name: str, kind: str, body: dict[str, Any], store: StoreHere, user: User) -> dict:
    values = store.repo("space", f"{owner}/{name}", user, write=True).settings
    if kind not in values:
        raise missing_repo()
    values[kind][body["key"]] = body["value"]
    return {}
