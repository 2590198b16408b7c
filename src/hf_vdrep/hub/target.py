# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Where a push goes: a repository that is ours to fill, with the visibility that was asked for, and a branch of it."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.errors import RepositoryNotFoundError

from .failures import PushError
from .plan import PushPlan, address

# What the Hub or its web page put into a repository by themselves.
_NOBODYS = (".gitattributes", ".gitignore", "README.md", "LICENSE*")


def open_target(plan: PushPlan, api: HfApi, public: bool = False, create_pr: bool = False) -> tuple[str, list[str]]:
    """The commit to go on from, and the files there; repository and branch are made where they are missing.

    Args:
        plan: says which.
        api: from `connect`.
        public: make a new repository public.
        create_pr: somebody else's repository, which must exist.

    Raises:
        PushError: another visibility, other content, or a tag in the place of the branch.
    """
    main = _repository(plan, api, public, create_pr)
    head = _branch(plan, api) if plan.revision else main
    files = _files(plan, api, head)
    for there in (files, _files(plan, api, main) if head != main else []):
        _check_content(plan, there)
    return head, files


def _repository(plan: PushPlan, api: HfApi, public: bool, create_pr: bool) -> str:
    try:
        found: Any = api.repo_info(plan.repo_id, repo_type=plan.repo_type)
    except RepositoryNotFoundError:
        if create_pr:
            raise
        api.create_repo(plan.repo_id, repo_type=plan.repo_type, private=not public, space_sdk=plan.sdk, exist_ok=True)
        found = api.repo_info(plan.repo_id, repo_type=plan.repo_type)
    if found.private and public:
        raise PushError(f"{address(plan)} exists and is private: push without --public, or change it in its settings")
    if not found.private and not public:
        raise PushError(f"{address(plan)} exists and is public: give --public to push to it, or choose another name")
    return found.sha


def _branch(plan: PushPlan, api: HfApi) -> str:
    """The head of the plan's branch.

    A new one starts at the repository's first commit, which is empty: started from `main`, a push that is cut before
    its commit would leave a branch that loads, with the weights of `main` under another name.
    """
    refs = api.list_repo_refs(plan.repo_id, repo_type=plan.repo_type)
    found = next((branch.target_commit for branch in refs.branches if branch.name == plan.revision), None)
    if found is not None:
        return found
    if any(tag.name == plan.revision for tag in refs.tags):
        raise PushError(f"revision must be a branch of {address(plan)}, got the tag {plan.revision}")
    first = api.list_repo_commits(plan.repo_id, repo_type=plan.repo_type)[-1].commit_id
    api.create_branch(plan.repo_id, branch=str(plan.revision), revision=first, repo_type=plan.repo_type, exist_ok=True)
    return str(api.repo_info(plan.repo_id, repo_type=plan.repo_type, revision=plan.revision).sha)


def _files(plan: PushPlan, api: HfApi, head: str) -> list[str]:
    return api.list_repo_files(plan.repo_id, repo_type=plan.repo_type, revision=head)


def _check_content(plan: PushPlan, there: list[str]) -> None:
    """Names are easily taken twice: a model must not be written over the files of another."""
    others = [path for path in there if not any(fnmatch(path, pattern) for pattern in _NOBODYS)]
    if plan.marks and others and not set(plan.marks) & set(there):
        raise PushError(
            f"{address(plan)} must be empty or of an earlier push (with {' or '.join(plan.marks)}), "
            f"got {', '.join(sorted(others)[:3])}: choose another name with --repo"
        )
