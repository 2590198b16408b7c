# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Routes of collections."""

import re
import time
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from .context import StoreHere, User
from .errors import HubError
from .store import git_oid

router = APIRouter(prefix="/api/collections")


@router.get("")
def every(store: StoreHere, user: User, owner: str | None = None) -> list[dict]:
    return [found for found in store.collections.values() if owner in (None, found["owner"]["name"])]


@router.post("")
def create(body: dict[str, Any], store: StoreHere, user: User) -> JSONResponse:
    owner, title = body["namespace"], body["title"]
    if owner != user:
        raise HubError(403, f'You don\'t have the rights to create a collection under the namespace "{owner}"')
    if len(body.get("description", "")) > 150 or len(title) > 60:
        raise HubError(400, "title may have 60 characters and description 150")
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    slug = f"{owner}/{words}-{git_oid(f'{owner}/{title}'.encode())[:24]}"
    if slug in store.collections:
        return JSONResponse({"error": "This collection already exists", "slug": slug}, 409)
    store.collections[slug] = {
        **{"slug": slug, "title": title, "description": body.get("description"), "private": body.get("private", False)},
        **{"owner": {"name": owner, "type": "user"}, "items": [], "position": 0, "theme": "green", "upvotes": 0},
        "lastUpdated": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
    }
    return JSONResponse(store.collections[slug])


@router.get("/{owner}/{words}")
def read(owner: str, words: str, store: StoreHere) -> dict:
    if (slug := f"{owner}/{words}") not in store.collections:
        raise HubError(404, "Collection not found")
    return store.collections[slug]


@router.post("/{owner}/{words}/items")
def add(owner: str, words: str, body: dict[str, Any], store: StoreHere, user: User) -> dict:
    found, item = read(owner, words, store), body["item"]
    store.repo(item["type"], item["id"], user)
    if any((there["id"], there["type"]) == (item["id"], item["type"]) for there in found["items"]):
        raise HubError(409, "This item is already in the collection")
    note = {"text": body["note"]} if body.get("note") else None
    number = len(found["items"])
    entry = {"_id": git_oid(str(item).encode())[:24], **item, "position": number, "note": note}
    found["items"].append(entry)
    return found
