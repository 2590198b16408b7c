# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What every route needs of a request: the store, the asker, and names that arrive quoted."""

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Request

from .errors import HubError
from .store import Repo, Store

KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}


def store_of(request: Request) -> Store:
    """The server's store."""
    return request.app.state.store


def user_of(request: Request) -> str | None:
    """Whose token came with the request, None without one.

    Raises:
        HubError: a token that nobody has.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    user = store_of(request).users.get(token)
    if user is None:
        raise HubError(401, "Invalid credentials in Authorization header")
    return user


def known_user(request: Request) -> str:
    """As `user_of`, for what needs somebody.

    Raises:
        HubError: no token.
    """
    user = user_of(request)
    if user is None:
        raise HubError(401, "Invalid username or password.")
    return user


def repo_of(request: Request) -> Repo:
    """The repository that the path names, for reading; its kind is the prefix, a model's without one."""
    return _repo(request, write=False)


def writable_repo(request: Request) -> Repo:
    """The repository that the path names, for writing."""
    return _repo(request, write=True)


def receiving_repo(request: Request, create_pr: bool = False) -> Repo:
    """As `writable_repo`; who may read may open a pull request."""
    if create_pr:
        known_user(request)
    return _repo(request, write=not create_pr)


def _repo(request: Request, write: bool) -> Repo:
    names = request.path_params
    kind = KINDS.get(names.get("kinds", "models"))
    if kind is None:
        raise HubError(404, f"Not found: {request.url.path}")
    return store_of(request).repo(kind, f"{names['owner']}/{names['name']}", user_of(request), write)


def plain(text: str) -> str:
    """A revision or path without URL quotes."""
    return unquote(text)


def base(request: Request) -> str:
    """The server's own address."""
    return str(request.base_url).rstrip("/")


StoreHere = Annotated[Store, Depends(store_of)]
RepoHere = Annotated[Repo, Depends(repo_of)]
ReceivingRepo = Annotated[Repo, Depends(receiving_repo)]
WritableRepo = Annotated[Repo, Depends(writable_repo)]
User = Annotated[str, Depends(known_user)]
