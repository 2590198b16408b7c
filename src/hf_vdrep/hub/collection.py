# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A collection of what was pushed."""

from __future__ import annotations

from collections.abc import Sequence

from huggingface_hub import Collection, HfApi

from .failures import PushError, plain_errors
from .plan import PushPlan, address

TITLE = "hf_vdrep: what diffusion models see"
DESCRIPTION = "I-WALT and V-WALT, twins trained on images and on videos; their probes, data, metrics and demo."


def collect(
    plans: Sequence[PushPlan], api: HfApi, namespace: str, public: bool = False, title: str = TITLE
) -> Collection:
    """Gather repositories that exist in one collection, in order; one of that title is added to.

    Args:
        plans: what was pushed.
        api: from `connect`.
        namespace: whose collection.
        public: make a new collection public.
        title: of the collection.

    Raises:
        PushError: a repository is missing, or the Hub refuses.
        UploadCut: the connection broke.
    """
    plans = [plan for plan in plans if plan.revision is None]  # branches are not items
    with plain_errors("the collection"):
        missing = [address(plan) for plan in plans if not api.repo_exists(plan.repo_id, repo_type=plan.repo_type)]
        if missing:
            raise PushError(f"a collection gathers what was pushed before, got none of {', '.join(missing)}")
        made = api.create_collection(
            title, namespace=namespace, description=DESCRIPTION, private=not public, exists_ok=True
        )
        for plan in plans:
            made = api.add_collection_item(
                made.slug, plan.repo_id, plan.repo_type, note=plan.note[:500] or None, exists_ok=True
            )
        return made
