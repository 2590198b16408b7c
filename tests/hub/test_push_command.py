# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep push`: dry runs that touch nothing, pushes by name, mistakes in one line."""

import json
import runpy
import sys
from pathlib import Path

import pytest
from loopback.server import TOKEN

from hf_vdrep.cli.main import main

MODEL_FILES = {
    *("README.md", "config.json", "hf_vdrep_shim.py", "model.safetensors.index.json", "model_index.json"),
    *("preprocessor_config.json", "video_preprocessor_config.json", "scheduler/scheduler_config.json"),
    *("transformer/config.json", "transformer/diffusion_pytorch_model.safetensors", "transformer/hf_vdrep.py"),
    *("vae/config.json", "vae/diffusion_pytorch_model.safetensors", "vae/hf_vdrep.py"),
}
RECORD = {"training/config.yaml", "training/summary.json", "training/log.jsonl", "training/loss.png"}


def refused(capsys, *words: str) -> str:
    """The one line of a command that is the user's mistake."""
    assert main(["push", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and captured.err.startswith("hf-vdrep: error: ")
    return captured.err


def test_a_dry_run_of_a_shipped_model_lists_every_file_and_needs_no_network(hub, capsys, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert main(["push", "model", "v-walt", "--dry-run", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    sizes = {file["path"]: file["size"] for file in found["files"]}
    assert set(sizes) == MODEL_FILES | RECORD | {".eval_results/probeworld.yaml"}
    assert found["private"] and found["repo_id"] == "YOU/v-walt-tiny" and found["size"] == sum(sizes.values())
    large = {file["path"] for file in found["files"] if file["large"]}
    assert large == {path for path in sizes if path.endswith(".safetensors")}
    assert hub.wire.journal == []


def test_a_dry_run_shows_size_storage_path_origin_and_message(walt, hub, capsys):
    assert main(["push", "model", str(walt), "--repo", "me/mine", "--dry-run", "--public"]) == 0
    out = capsys.readouterr().out
    assert "model -> me/mine (public): 16 files" in out and "one commit" in out
    line = next(line for line in out.splitlines() if "transformer/diffusion" in line)
    size, unit, kept, path, origin = line.split()
    assert (kept, path) == ("large", "transformer/diffusion_pytorch_model.safetensors")
    assert origin == str(walt / "pipeline" / path) and size and unit == "kB"
    assert "message: Upload pipeline: pipeline, transformers files, card" in out and hub.wire.journal == []


def test_what_a_dry_run_lists_is_what_a_push_commits(walt, hub, capsys):
    command = ["push", "model", str(walt), "--repo", "me/mine", "--json", "-q"]
    assert main([*command, "--dry-run"]) == 0
    (planned,) = json.loads(capsys.readouterr().out)
    assert main(command) == 0
    (done,) = json.loads(capsys.readouterr().out)
    tree = hub.store.repos["model", "me/mine"].at(done["commit"]).tree
    assert {file["path"]: file["size"] for file in planned["files"]} == {
        path: blob.size for path, blob in tree.items() if path != ".gitattributes"
    }
    assert {file["path"] for file in planned["files"] if file["large"]} == {
        path for path, blob in tree.items() if blob.sha256
    }
    assert done["url"] == f"{hub.endpoint}/me/mine" and done["changed"]


def test_a_pipeline_that_diffusers_alone_wrote_gets_the_transformers_files(walt, hub, capsys, tmp_path: Path):
    import shutil

    bare = tmp_path / "bare"
    shutil.copytree(walt / "pipeline", bare)
    for name in ("config.json", "model.safetensors.index.json", "hf_vdrep_shim.py"):
        (bare / name).unlink()
    before = sorted(path.name for path in bare.rglob("*"))
    assert main(["push", "model", str(bare), "--dry-run", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert {file["path"] for file in found["files"]} == MODEL_FILES
    assert sorted(path.name for path in bare.rglob("*")) == before


def test_the_default_name_is_the_runs_and_the_namespace_the_tokens(walt, hub, capsys):
    assert main(["push", "model", str(walt), "-q"]) == 0
    assert capsys.readouterr().out == f"{hub.endpoint}/me/tiny\n"
    assert ("model", "me/tiny") in hub.store.repos


def test_a_metric_by_name_through_the_script(hub, capsys, monkeypatch):
    script = Path(__file__).resolve().parents[2] / "scripts" / "push_to_hub.py"
    monkeypatch.setattr(sys, "argv", [str(script), "metrics", "psnr", "-q"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(script), run_name="__main__")
    assert end.value.code == 0 and capsys.readouterr().out == f"{hub.endpoint}/spaces/me/psnr\n"
    assert set(hub.store.repos["space", "me/psnr"].at("main").tree) >= {"psnr.py", "app.py", "README.md"}


def test_a_collection_gathers_what_is_there_and_names_what_is_not(hub, api, walt, capsys, monkeypatch):
    from hf_vdrep.hub import plans_for
    from hf_vdrep.hub.collection import collect
    from hf_vdrep.hub.failures import PushError
    from hf_vdrep.hub.request import PushRequest

    plans = plans_for(PushRequest("metrics", "me", ("psnr", "ssim")))
    with pytest.raises(PushError, match="got none of spaces/me/psnr, spaces/me/ssim"):
        collect(plans, api, "me")
    assert main(["push", "metrics", "psnr", "ssim", "-q"]) == 0
    made = collect(plans, api, "me")
    assert collect(plans, api, "me").slug == made.slug
    assert [(item.item_id, item.item_type) for item in made.items] == [("me/psnr", "space"), ("me/ssim", "space")]
    assert made.private and made.items[0].note == 'evaluate.load("me/psnr")'


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("models",), "invalid choice: 'models'"),
        (("model", "no-such"), "no-such"),
        (("probe", "v-walt/nothing"), "readout's folder or one of i-walt/"),
        (("metrics", "bleu"), "metric must be one of average_jaccard, "),
        (("dataset",), "folder of `hf-vdrep world export`, got none"),
        (("dataset", "."), "must be a folder of `hf-vdrep world export`"),
        (("metrics", "--repo", "me/x"), "repo must be left out for several repositories (12)"),
        (("all", "v-walt"), "all takes no source, got v-walt"),
        (("model", "v-walt", "--results", "nowhere"), "--results must be a folder, got nowhere"),
        (("model", "v-walt", "--repo", "a/b", "--namespace", "me"), "--repo must be a name alone beside --namespace"),
    ],
)
def test_mistakes_are_one_line(hub, capsys, words: tuple[str, ...], message: str):
    assert message in refused(capsys, *words, *(() if words[0] == "models" else ("--dry-run",)))


def test_a_token_is_asked_for_before_anything_is_built(hub, capsys, monkeypatch, tmp_path: Path):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    assert "hf auth login" in refused(capsys, "model", "v-walt")


def test_offline_says_so(hub, capsys, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE must be unset to push" in refused(capsys, "model", "v-walt")


def test_a_pickle_in_a_folder_stops_everything_before_the_first_byte(hub, capsys, walt, tmp_path: Path):
    import shutil

    shutil.copytree(walt / "pipeline", tmp_path / "bad")
    (tmp_path / "bad" / "optimizer.pt").write_bytes(b"\x80\x02.")
    assert "optimizer.pt may hold a pickle" in refused(capsys, "model", str(tmp_path / "bad"))
    assert hub.store.repos == {}


def test_a_cut_is_the_machines_failure_and_says_how_to_go_on(hub, capsys, walt):
    with hub.broken(puts_before_drop=0):
        assert main(["push", "model", str(walt), "-q"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("hf-vdrep: error: me/tiny: the upload was cut") and "same command again" in error
    assert main(["push", "model", str(walt), "-q"]) == 0


@pytest.mark.parametrize(
    "fault", [{}, {"puts_before_drop": 0}, {"refuse": (403, "/commit/")}, {"refuse": (401, "/api")}]
)
def test_the_token_is_never_shown(hub, capsys, walt, caplog, fault: dict):
    with hub.broken(**fault):
        main(["push", "model", str(walt), "--debug"])
    captured = capsys.readouterr()
    assert TOKEN not in captured.out + captured.err + caplog.text
