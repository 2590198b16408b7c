# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Repositories and branches that a push meets: others' work, others' repositories, tags, busy servers."""

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd

from hf_vdrep.cli.main import main
from hf_vdrep.hub.failures import PushError, UploadCut, plain_errors
from hf_vdrep.hub.model import MARK
from hf_vdrep.hub.plan import PlannedFile, make_plan
from hf_vdrep.hub.push import push
from hf_vdrep.hub.request import PushRequest, plans_for
from hf_vdrep.hub.safety import check_plan


def a_plan(*files: PlannedFile, **changes):
    about = {"kind": "model", "repo_id": "me/thing", "repo_type": "model", "message": "Upload thing"}
    return make_plan(files or [PlannedFile("config.json", b"{}")], **{**about, **changes})


def fill(api, repo_id: str, *paths: str, **options) -> None:
    """Somebody's files in a new private repository."""
    api.create_repo(repo_id, private=True, **options)
    repo_type = options.get("repo_type")
    files = [CommitOperationAdd(path, b"by hand") for path in paths]
    api.create_commit(repo_id, files, commit_message="by hand", repo_type=repo_type)


@pytest.mark.parametrize("revision", [None, "other"])
def test_a_repository_with_other_content_is_left_alone(hub, api, walt: Path, capsys, revision: str | None):
    """A run called `bert` must not become the config and card of a BERT; nor leave branches in its repository."""
    fill(api, "me/bert", "config.json", "pytorch_model.onnx", "notes/a.txt")
    command = ["push", "model", str(walt), "--repo", "me/bert", "-q"]
    assert main([*command, *(["--revision", revision] if revision else [])]) == 2
    error = capsys.readouterr().err
    assert f"me/bert must be empty or of an earlier push (with {MARK}), got config.json, notes/a.txt" in error
    repo = hub.store.repos["model", "me/bert"]
    assert len(repo.commits) == 2 and hub.store.content(repo.at("main").tree["config.json"]) == b"by hand"


def test_a_repository_that_was_prepared_on_the_web_page_is_taken(hub, api, walt: Path):
    fill(api, "me/tiny", "LICENSE", "README.md")
    assert main(["push", "model", str(walt), "-q"]) == 0
    tree = hub.store.repos["model", "me/tiny"].at("main").tree
    assert {"LICENSE", MARK} <= set(tree) and hub.store.content(tree["README.md"]).startswith(b"---\n")


def test_every_kind_of_push_knows_its_own_repositories_again():
    for request in (PushRequest("model", "me", ("v-walt",)), PushRequest("metrics", "me", ("psnr",))):
        for plan in plans_for(request):
            assert plan.marks and set(plan.marks) <= {file.path for file in plan.files}


def test_results_and_records_of_an_earlier_model_do_not_stay(hub, api, walt: Path):
    """The Hub shows `.eval_results`: numbers of another model would stand beside these weights."""
    (plan,) = plans_for(PushRequest("model", "me", (str(walt),)))
    old = [PlannedFile(".eval_results/probeworld.yaml", b"[]\n"), PlannedFile("training/log.jsonl", b"{}\n")]
    kept = [PlannedFile(".eval_results/mine.yaml", b"[]\n"), PlannedFile("training/notes.txt", b"mine\n")]
    push(a_plan(*old, *kept, PlannedFile(MARK, b"#\n"), repo_id=plan.repo_id), api)
    push(plan, api)
    there = set(hub.store.repos["model", "me/tiny"].at("main").tree)
    assert there == {".gitattributes", *(file.path for file in kept), *(file.path for file in plan.files)}


def test_a_branch_of_ones_own_takes_the_commit_and_main_stays(hub, walt: Path, capsys):
    command = ["push", "model", str(walt), "-q", "--json"]
    assert main(command) == 0
    capsys.readouterr()
    assert main([*command, "--revision", "try/one"]) == 0
    (done,) = json.loads(capsys.readouterr().out)
    assert done["revision"] == "try/one" and done["url"].endswith("/me/tiny/tree/try/one")
    repo = hub.store.repos["model", "me/tiny"]
    assert len(repo.history("main")) == 2 and repo.at("try/one").oid == done["commit"] != repo.at("main").oid
    assert main([*command, "--revision", "try/one"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["changed"] is False


def test_a_tag_is_no_branch(hub, api):
    push(a_plan(), api)
    api.create_tag("me/thing", tag="v1")
    with pytest.raises(PushError, match="revision must be a branch of me/thing, got the tag v1"):
        push(a_plan(PlannedFile("config.json", b"{1}"), revision="v1"), api)


def test_who_may_not_write_can_open_a_pull_request(hub, api, stranger):
    large = PlannedFile("big.safetensors", b"large")
    push(a_plan(large), api, public=True)
    other = a_plan(PlannedFile("big.safetensors", b"larger"), PlannedFile("config.json", b"{1}"))
    with pytest.raises(PushError, match=r"right to write to me/thing \(or --create-pr\)"):
        push(other, stranger, public=True)
    made = push(other, stranger, public=True, create_pr=True)
    repo = hub.store.repos["model", "me/thing"]
    assert made.url == f"{hub.endpoint}/me/thing/discussions/1" and made.changed
    assert repo.at("refs/pr/1").oid == made.commit and repo.at("main").title == "Upload thing"
    assert hub.store.content(repo.at("main").tree["big.safetensors"]) == b"large"
    with pytest.raises(PushError, match="me/nothing must exist and be visible"):
        push(a_plan(repo_id="me/nothing"), stranger, create_pr=True)
    assert ("model", "me/nothing") not in hub.store.repos


@pytest.mark.parametrize(
    ("status", "path"),
    [
        (429, "/preupload/"),
        (503, "/info/lfs/"),
        (500, "/large/"),
        (429, "/commit/"),
        (502, "/commit/"),
        (504, "/commit/"),
    ],
)
def test_a_busy_hub_is_a_cut_that_can_be_gone_on_with(hub, api, plan, status: int, path: str):
    with hub.broken(refuse=(status, path)), pytest.raises(UploadCut, match=f"the Hub answered {status}"):
        push(plan, api)
    assert set(hub.store.repos["model", "me/thing"].at("main").tree) == {".gitattributes"}
    assert push(plan, api).changed


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("run=3, lr 1e-3", "run-3-lr-1e-3"),
        ("ünïcode--x..y", "n-code-x.y"),
        (".hidden.git", "hidden"),
        ("a" * 200, "a" * 96),
        ("***", "model"),
    ],
)
def test_folders_of_any_name_become_repositories(walt: Path, tmp_path: Path, folder: str, name: str):
    source = shutil.copytree(walt, tmp_path / folder)
    (plan,) = plans_for(PushRequest("model", "me", (str(source),)))
    assert plan.repo_id == f"me/{name}"
    check_plan(plan)


@pytest.mark.parametrize("repo", ["me/two words", "me/a--b", "a/b/c", "me/x.git", "../../etc"])
def test_a_dry_run_refuses_names_that_the_hub_would_refuse(hub, walt: Path, capsys, repo: str):
    assert main(["push", "model", str(walt), "--repo", repo, "--dry-run"]) == 2
    assert "a repository must be named user/name" in capsys.readouterr().err and hub.wire.journal == []


def test_failures_of_the_large_files_protocol_are_cuts():
    """It runs in machine code and raises plain errors of Python."""

    def _upload_xet_files(error: Exception) -> None:
        raise error

    for error in (RuntimeError("CAS service error"), ConnectionError("reset"), TimeoutError("late")):
        with pytest.raises(UploadCut, match=r"same command again goes on"), plain_errors("me/x"):
            _upload_xet_files(error)
    with pytest.raises(RuntimeError, match="ours"), plain_errors("me/x"):
        raise RuntimeError("ours")
    with pytest.raises(PermissionError), plain_errors("me/x"):
        raise PermissionError(13, "Permission denied", "weights")


def test_messages_hold_no_signatures_and_no_passwords():
    with pytest.raises(UploadCut) as caught, plain_errors("me/x"):
        raise ConnectionError("PUT https://user:word@bucket.example/key?X-Amz-Signature=abc&x=1 failed")
    assert "https://bucket.example/key failed" in str(caught.value) and "abc" not in str(caught.value)
