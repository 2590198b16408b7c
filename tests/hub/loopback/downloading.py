# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Routes of a download: `resolve`, which sends large files elsewhere as the Hub does, with ranges and ETags."""

from fastapi import APIRouter, Request, Response

from .context import RepoHere, StoreHere, base, plain
from .errors import HubError

router = APIRouter()


@router.api_route("/{kinds}/{owner}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
@router.api_route("/{owner}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
def resolve(revision: str, path: str, request: Request, repo: RepoHere, store: StoreHere) -> Response:
    commit = repo.at(plain(revision))
    blob = commit.tree.get(plain(path))
    if blob is None:
        raise HubError(404, "Entry not found", "EntryNotFound", commit.oid)
    headers = {"X-Repo-Commit": commit.oid, "ETag": f'"{blob.oid}"', "Accept-Ranges": "bytes"}
    if blob.sha256 is None:
        return _part(request, store.content(blob), headers)
    headers |= {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(blob.size)}
    # Under another name: the client takes a redirect within one host for that of a renamed repository.
    elsewhere = base(request).replace("127.0.0.1", "localhost")
    return Response(status_code=302, headers=headers | {"Location": f"{elsewhere}/cdn/{blob.sha256}"})


@router.api_route("/cdn/{oid}", methods=["GET", "HEAD"])
def large(oid: str, request: Request, store: StoreHere) -> Response:
    if oid not in store.large:
        raise HubError(404, "Entry not found", "EntryNotFound")
    return _part(request, store.large[oid], {"ETag": f'"{oid}"', "Accept-Ranges": "bytes"})


def _part(request: Request, content: bytes, headers: dict[str, str]) -> Response:
    """All of it, or the range that was asked for."""
    wanted = request.headers.get("range")
    kind = "application/octet-stream"
    if not wanted:
        return Response(content, headers=headers, media_type=kind)
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(0, len(content) - int(last))
    stop = min(int(last) + 1, len(content)) if last and first else len(content)
    if start >= len(content):
        raise HubError(416, f"range {wanted} lies past the end, {len(content)} bytes")
    headers = headers | {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}
    return Response(content[start:stop], 206, headers=headers, media_type=kind)
