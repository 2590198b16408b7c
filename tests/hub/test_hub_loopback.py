# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The loopback speaks as the Hub does where the client, or a user, would notice a difference."""

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, HfFileSystem
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)


@pytest.fixture
def repo(api: HfApi) -> str:
    """A private repository with a large file, a small one and a folder."""
    api.create_repo("me/thing", private=True)
    operations = [
        CommitOperationAdd("big.safetensors", bytes(range(200)) * 5),
        CommitOperationAdd("sub/deep/a.txt", b"a"),
        CommitOperationAdd("sub/b.txt", b"bb"),
    ]
    api.create_commit("me/thing", operations, commit_message="first")
    return "me/thing"


def test_what_is_private_is_missing_for_others(api: HfApi, stranger: HfApi, repo: str):
    for call in (stranger.model_info, stranger.list_repo_refs, lambda name: list(stranger.list_repo_tree(name))):
        with pytest.raises(RepositoryNotFoundError):
            call(repo)
    api.update_repo_settings(repo, private=False)
    assert stranger.model_info(repo).sha == api.model_info(repo).sha
    with pytest.raises(HfHubHTTPError, match="403"):
        stranger.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo)


def test_missing_things_raise_what_the_client_has_for_them(api: HfApi, repo: str):
    with pytest.raises(RevisionNotFoundError):
        api.model_info(repo, revision="0000000")
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(repo, "nothing"))
    assert api.file_exists(repo, "big.safetensors") and not api.file_exists(repo, "small.safetensors")
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo(repo)


def test_trees_paths_and_sizes(api: HfApi, repo: str):
    names = {entry.path: getattr(entry, "size", None) for entry in api.list_repo_tree(repo, recursive=True)}
    names.pop(".gitattributes")
    assert names == {"big.safetensors": 1000, "sub": None, "sub/deep": None, "sub/b.txt": 2, "sub/deep/a.txt": 1}
    assert [entry.path for entry in api.list_repo_tree(repo, "sub")] == ["sub/b.txt", "sub/deep"]
    (large,) = api.get_paths_info(repo, ["big.safetensors", "no"], expand=True)
    assert large.lfs.size == 1000 and large.last_commit.title == "first"


def test_parts_of_a_large_file_can_be_read(hub, api: HfApi, repo: str):
    """As streaming of parquet does, through a redirect to where large files lie."""
    HfFileSystem.clear_instance_cache()
    files = HfFileSystem(endpoint=hub.endpoint, token=api.token, skip_instance_cache=True)
    with files.open(f"{repo}/big.safetensors", block_size=64) as opened:
        opened.seek(500)
        assert opened.read(20) == (bytes(range(200)) * 5)[500:520]
    assert any(path.startswith("/cdn/") and status == 206 for _, path, status in hub.wire.journal)


def test_branches_with_slashes_and_tags(api: HfApi, repo: str):
    """Revisions arrive quoted."""
    api.create_branch(repo, branch="try/one")
    api.create_commit(repo, [CommitOperationDelete("sub/")], commit_message="less", revision="try/one")
    assert len(api.list_repo_files(repo, revision="try/one")) == len(api.list_repo_files(repo)) - 2
    api.create_tag(repo, tag="v1", revision="try/one")
    refs = api.list_repo_refs(repo)
    assert {branch.name for branch in refs.branches} == {"main", "try/one"} and refs.tags[0].name == "v1"
    assert [commit.title for commit in api.list_repo_commits(repo, revision="v1")] == [
        *("less", "first", "initial commit")
    ]


def test_a_stale_parent_and_a_lost_object_are_refused(api: HfApi, repo: str, hub):
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_commit(repo, [CommitOperationAdd("x", b"x")], commit_message="x", parent_commit="0" * 40)
    assert caught.value.response.status_code == 412
    operation = CommitOperationAdd("y.safetensors", b"yy")
    api.preupload_lfs_files(repo, [operation], free_memory=False)
    hub.store.large.clear()
    operation._is_uploaded = True
    with pytest.raises(HfHubHTTPError, match="does not exist"):
        api.create_commit(repo, [operation], commit_message="y")


def test_deleting(api: HfApi, repo: str):
    api.delete_repo(repo)
    assert not api.repo_exists(repo)
