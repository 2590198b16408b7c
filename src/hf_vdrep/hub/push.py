# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pushing: a private repository, one commit to one branch, and a look at what arrived.

Large files go first, each under the name of its content; the commit that makes them visible comes last. A push that is
cut before it leaves the repository's files as they were, and the next one sends only what had not arrived.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, RepoFile, get_token
from huggingface_hub.errors import LocalTokenNotFoundError

from .failures import PushError, plain_errors
from .plan import PushPlan, place
from .safety import Limits, check_plan
from .target import open_target


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Attributes:
        plan: what was pushed.
        commit: head of the repository.
        changed: whether there was anything to commit.
        url: of the repository, of the branch in it, or of the pull request.
    """

    plan: PushPlan
    commit: str
    changed: bool
    url: str


def connect(token: str | None = None, endpoint: str | None = None) -> tuple[HfApi, str]:
    """A client with a token that the Hub knows, and whose it is.

    Args:
        token: the logged-in user's by default.
        endpoint: HF_ENDPOINT by default.

    Raises:
        PushError: no token, or one that the Hub does not know.
        UploadCut: no connection.
    """
    api = HfApi(endpoint=endpoint, token=token or get_token())
    with plain_errors("the Hub"):
        if not api.token:
            raise LocalTokenNotFoundError
        return api, api.whoami()["name"]


def push(
    plan: PushPlan, api: HfApi, public: bool = False, limits: Limits | None = None, create_pr: bool = False
) -> Pushed:
    """Make a repository, or the plan's branch of it, hold what a plan says, in one commit.

    Args:
        plan: what, and where to.
        api: from `connect`.
        public: make a new repository public; the visibility of one that exists is never changed.
        limits: of sizes.
        create_pr: open a pull request with the commit, to a repository that others may own.

    Raises:
        UnsafePush: a file that must not be uploaded; nothing was sent.
        PushError: the Hub refuses, or the repository exists with another visibility or with other content.
        UploadCut: the connection broke; the repository's files are as they were, or as they should be.
    """
    check_plan(plan, limits)
    with plain_errors(place(plan)):
        head, there = open_target(plan, api, public, create_pr)
        operations = _operations(plan, there)
        made = api.create_commit(
            plan.repo_id,
            operations,
            commit_message=plan.message,
            repo_type=plan.repo_type,
            revision=plan.revision,
            parent_commit=head,
            create_pr=create_pr,
        )
        _verify(plan, api, made.oid, operations)
    prefix = "" if plan.repo_type == "model" else f"{plan.repo_type}s/"
    home = f"{api.endpoint}/{prefix}{plan.repo_id}"
    url = f"{home}/tree/{plan.revision}" if plan.revision else home
    return Pushed(plan, made.oid, made.oid != head, made.pr_url or url)


def _operations(plan: PushPlan, there: list[str]) -> list[CommitOperationAdd | CommitOperationDelete]:
    wanted = {file.path for file in plan.files}
    stale = [path for path in there if path not in wanted and any(fnmatch(path, old) for old in plan.replaces)]
    added = [CommitOperationAdd(file.path, _source(file.source)) for file in plan.files]
    return [*added, *(CommitOperationDelete(path) for path in stale)]


def _source(source: Any) -> Any:
    return source if isinstance(source, bytes) else str(source)


def _verify(plan: PushPlan, api: HfApi, commit: str, operations: Iterable[Any]) -> None:
    """Every file of the plan must be there, with its very content."""
    tree = api.list_repo_tree(plan.repo_id, recursive=True, repo_type=plan.repo_type, revision=commit)
    there = {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}
    for operation in operations:
        if not isinstance(operation, CommitOperationAdd):
            continue
        entry = there.get(operation.path_in_repo)
        if entry is None or not _equal(entry, operation):
            raise PushError(
                f"{place(plan)} must hold {operation.path_in_repo} as it is here after the push, got another"
            )


def _equal(entry: RepoFile, operation: CommitOperationAdd) -> bool:
    if entry.lfs is not None:
        return entry.lfs.sha256 == operation.upload_info.sha256.hex()
    with operation.as_file() as file:
        content = file.read()
    return entry.blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
