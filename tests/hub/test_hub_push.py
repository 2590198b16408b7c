# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pushing against the loopback Hub: one private commit, equal bits, cuts and resumption."""

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from hf_vdrep.hub.failures import PushError, UploadCut
from hf_vdrep.hub.plan import PlannedFile, make_plan
from hf_vdrep.hub.push import connect, push


def files_at(hub, repo_id: str) -> dict[str, bytes]:
    """Content of a repository by path, as the server holds it, without what the Hub itself puts there."""
    repo = next(repo for (_, name), repo in hub.store.repos.items() if name == repo_id)
    tree = repo.at("main").tree
    return {path: hub.store.content(blob) for path, blob in tree.items() if path != ".gitattributes"}


def test_a_push_is_one_commit_in_a_private_repository(hub, api, stranger, plan):
    done = push(plan, api)
    repo = hub.store.repos["model", "me/thing"]
    assert repo.private and [commit.title for commit in repo.commits] == ["initial commit", "Upload thing"]
    assert done.changed and done.commit == repo.commits[-1].oid
    assert not stranger.repo_exists("me/thing")
    assert files_at(hub, "me/thing") == {file.path: file.read() for file in plan.files}


def test_snapshot_download_gives_equal_bits(hub, api, plan, tmp_path: Path):
    push(plan, api)
    place = Path(snapshot_download("me/thing", endpoint=hub.endpoint, token=api.token, cache_dir=tmp_path / "cache"))
    assert {file.path: (place / file.path).read_bytes() for file in plan.files} == {
        file.path: file.read() for file in plan.files
    }


def test_pushing_again_changes_nothing_and_sends_nothing(hub, api, plan):
    first = push(plan, api)
    sent = len(hub.sent())
    again = push(plan, api)
    assert not again.changed and again.commit == first.commit and len(hub.sent()) == sent


def test_what_an_earlier_push_left_and_this_one_replaces_goes_in_the_same_commit(hub, api, plan):
    push(plan, api)
    files = [*plan.files[:2], PlannedFile("weights/all.safetensors", b"new")]
    about = {"kind": "model", "repo_id": "me/thing", "repo_type": "model", "message": "Fewer shards"}
    push(make_plan(files, **about, replaces=("weights/*.safetensors",)), api)
    assert sorted(files_at(hub, "me/thing")) == ["README.md", "config.json", "weights/all.safetensors"]
    assert len(hub.store.repos["model", "me/thing"].commits) == 3


@pytest.mark.parametrize("arrived", [0, 1, 2])
def test_an_upload_cut_at_a_large_file_leaves_the_files_alone_and_resumes(hub, api, plan, arrived: int):
    push(make_plan([PlannedFile("old.txt", b"old")], **_thing("Before")), api)
    with hub.broken(puts_before_drop=arrived), pytest.raises(UploadCut, match="same command again"):
        push(plan, api)
    assert files_at(hub, "me/thing") == {"old.txt": b"old"}
    push(plan, api)
    assert set(files_at(hub, "me/thing")) == {"old.txt", *(file.path for file in plan.files)}
    large = [hashlib.sha256(file.read()).hexdigest() for file in plan.files if file.path.endswith(".safetensors")]
    assert sorted(hub.sent()) == sorted(large), "an object that had arrived was sent again"


def test_an_upload_cut_before_its_commit_sends_only_the_commit_the_next_time(hub, api, plan):
    with hub.broken(drop_commits=True), pytest.raises(UploadCut):
        push(plan, api)
    assert files_at(hub, "me/thing") == {} and len(hub.sent()) == 3
    push(plan, api)
    assert len(files_at(hub, "me/thing")) == 5 and len(hub.sent()) == 3


def test_a_commit_whose_answer_was_lost_is_not_made_twice(hub, api, plan):
    with hub.broken(lose_answers=True), pytest.raises((UploadCut, PushError)):
        push(plan, api)
    again = push(plan, api)
    assert not again.changed and len(hub.store.repos["model", "me/thing"].commits) == 2


def test_somebody_elses_commit_in_between_is_not_overwritten(hub, api, plan, monkeypatch):
    push(plan, api)
    create = type(api).create_commit

    def late(self, repo_id, operations, **options):
        repo = hub.store.repos["model", repo_id]
        hub.store.commit(repo, "by hand", "", {"README.md": hub.store.add_small(b"---\nlicense: mit\n---\n")})
        return create(self, repo_id, operations, **options)

    monkeypatch.setattr(type(api), "create_commit", late)
    changed = make_plan([PlannedFile("config.json", b"{1}")], **_thing("Mine"))
    with pytest.raises(PushError, match="changed by somebody else"):
        push(changed, api)
    assert hub.store.repos["model", "me/thing"].commits[-1].title == "by hand"


def test_visibility_is_asked_for_and_never_changed(hub, api, stranger, plan):
    push(plan, api, public=True)
    assert stranger.repo_exists("me/thing")
    with pytest.raises(PushError, match="exists and is public: give --public"):
        push(plan, api)
    api.update_repo_settings("me/thing", private=True)
    with pytest.raises(PushError, match="exists and is private: push without --public"):
        push(plan, api, public=True)
    assert hub.store.repos["model", "me/thing"].private


@pytest.mark.parametrize(
    ("repo_id", "words"),
    [
        ("somebody/thing", "must have the right to write to somebody/thing"),
        ("me/a--b", "must be named user/name"),
        ("me/two words", "must be named user/name"),
    ],
)
def test_names_that_cannot_be_pushed_to_are_one_line(hub, api, plan, repo_id: str, words: str):
    files = list(plan.files)
    with pytest.raises(PushError, match=words) as caught:
        push(make_plan(files, **{**_thing("x"), "repo_id": repo_id}), api)
    assert "\n" not in str(caught.value)


def test_no_token_and_a_wrong_one_are_told_apart(hub, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(PushError, match="token was refused"):
        connect(endpoint=hub.endpoint)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(PushError, match="hf auth login"):
        connect(endpoint=hub.endpoint)


def test_a_hub_that_does_not_answer_is_a_cut(hub):
    with pytest.raises(UploadCut):
        connect(token="hf_loopback", endpoint="http://127.0.0.1:9")


def test_metadata_that_the_hub_refuses_is_named(hub, api):
    card = b"---\nlicense: my-own\n---\n"
    with pytest.raises(ValueError, match="license"):
        push(make_plan([PlannedFile("README.md", card)], **_thing("x")), api)


def _thing(message: str) -> dict[str, str]:
    return {"kind": "model", "repo_id": "me/thing", "repo_type": "model", "message": message}
