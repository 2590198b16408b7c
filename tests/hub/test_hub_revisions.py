# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Checkpoints of a training on branches of its model's repository, as Pythia's are."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file

from hf_vdrep.cli.main import main
from hf_vdrep.hub.cards import snippets
from hf_vdrep.hub.checkpoint import checkpoint_plans
from hf_vdrep.hub.failures import UploadCut
from hf_vdrep.hub.push import push
from hf_vdrep.hub.request import PushRequest, plans_for
from hf_vdrep.models import ModelFolderError, shipped

WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"
STEPS = (3, 6, 12)


@pytest.fixture
def run(walt: Path, tmp_path: Path) -> Path:
    """A run folder that kept its averaged weights after 3, 6 and 12 of 12 steps."""
    place = Path(shutil.copytree(walt, tmp_path / "tiny"))
    (place / "snapshots").mkdir()
    weights = load_file(place / "pipeline" / WEIGHTS)
    for step in STEPS:
        kept = {name: (value + step).to(torch.bfloat16) for name, value in weights.items()}
        save_file(kept, place / "snapshots" / f"step-{step}.safetensors")
    return place


def plans_of(run: Path) -> list:
    return plans_for(PushRequest("model", "me", (str(run),), checkpoints=True))


def tree_of(hub, revision: str) -> dict[str, bytes]:
    tree = hub.store.repos["model", "me/tiny"].at(revision).tree
    return {path: hub.store.content(blob) for path, blob in tree.items() if path != ".gitattributes"}


def test_every_checkpoint_is_a_branch_that_holds_the_whole_model(hub, api, run: Path):
    plans = plans_of(run)
    assert [plan.revision for plan in plans] == ["step-3", "step-6", "step-12", None]
    for plan in plans:
        assert push(plan, api).changed
    for plan in plans:
        assert tree_of(hub, plan.revision or "main") == {file.path: file.read() for file in plan.files}
    for step in STEPS:
        assert tree_of(hub, f"step-{step}")[WEIGHTS] == (run / "snapshots" / f"step-{step}.safetensors").read_bytes()
    repo = hub.store.repos["model", "me/tiny"]
    assert [commit.title for commit in repo.history("step-6")] == [
        "Upload pipeline after 6 of 12 steps: pipeline, transformers files, card",
        "initial commit",
    ]
    assert repo.private and len(repo.history("main")) == 2


def test_what_checkpoints_share_is_sent_once_and_a_second_push_changes_nothing(hub, api, run: Path):
    for plan in plans_of(run):
        push(plan, api)
    assert len(hub.sent()) == len(set(hub.sent())) == 2 + len(STEPS)  # tokenizer, denoiser, checkpoints
    assert not any(push(plan, api).changed for plan in plans_of(run)) and len(hub.sent()) == 2 + len(STEPS)


@pytest.mark.parametrize("fault", [{"commits_before_drop": 1}, {"puts_before_drop": 2}])
def test_a_push_cut_between_checkpoints_leaves_main_alone_and_goes_on(hub, api, run: Path, fault: dict, capsys):
    command = ["push", "model", str(run), "--checkpoints", "-q"]
    with hub.broken(**fault):
        assert main(command) == 1
    assert "me/tiny@step-6: the upload was cut" in capsys.readouterr().err
    assert tree_of(hub, "main") == {} and WEIGHTS in tree_of(hub, "step-3")
    assert tree_of(hub, "step-6") == {}, "a branch that is not whole must not load"
    assert main(command) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert all(WEIGHTS in tree_of(hub, revision) for revision in ("main", "step-3", "step-6", "step-12"))
    assert len(hub.sent()) == len(set(hub.sent()))


def test_a_new_branch_of_a_full_repository_starts_empty(hub, api, run: Path):
    """Started from `main`, a branch whose push was cut would load the weights of another step."""
    *plans, last = plans_of(run)
    push(last, api)
    before = tree_of(hub, "main")
    with hub.broken(drop_commits=True), pytest.raises(UploadCut):
        push(plans[0], api)
    assert tree_of(hub, "step-3") == {} and tree_of(hub, "main") == before


LOAD = """
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import load_file
from transformers import AutoModel

for step in (3, 12):
    here = load_file(f"{run}/snapshots/step-{step}.safetensors")
    model = AutoModel.from_pretrained("me/tiny", revision=f"step-{step}", trust_remote_code=True)
    pipe = DiffusionPipeline.from_pretrained("me/tiny", revision=f"step-{step}", trust_remote_code=True)
    for loaded in (model, pipe):
        there = loaded.transformer.state_dict()
        assert here.keys() == there.keys() and loaded.transformer.dtype == torch.float32
        assert all(torch.equal(here[name].float(), there[name]) for name in here)
main = AutoModel.from_pretrained("me/tiny").transformer.state_dict()
assert not any(torch.equal(main[name], there[name]) for name in main)
"""


@pytest.mark.slow
def test_a_revision_loads_on_both_faces(hub, api, fresh, run: Path):
    """A fresh process with the unmodified libraries, which know the Hub's address and the shim alone."""
    for plan in plans_of(run):
        push(plan, api)
    fresh(f"run = {str(run)!r}\n{LOAD}")


@pytest.mark.slow
def test_the_snippets_of_a_shipped_twins_branches_run(hub, api, fresh):
    plans = plans_for(PushRequest("model", "me", ("v-walt",), checkpoints=True))
    *_, last = plans = [plan for plan in plans if plan.revision in ("step-20", "step-400", None)]
    for plan in plans:
        push(plan, api)
    cards = [plan.file("README.md").read().decode() for plan in (plans[1], last)]
    blocks = [block for card in cards for block in snippets(card)]
    assert [len(snippets(card)) for card in cards] == [3, 4]
    check = """
from hf_vdrep.models import shipped
expected = shipped.open_checkpoint("v-walt", 0, 20).transformer.state_dict()
for loaded in (pipe, model):
    found = loaded.transformer.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
"""
    fresh("\n".join([*blocks[:3], blocks[-1], "import torch", check]))


def test_cards_say_which_checkpoint_they_belong_to_and_which_there_are(hub, run: Path):
    *branches, last = (plan.file("README.md").read().decode() for plan in plans_of(run))
    for step, card in zip(STEPS, branches, strict=True):
        ModelCard(card).validate()
        assert f"**Branch `step-{step}`**: the averaged weights after {step} of 12 steps" in card
        assert (
            f'from_pretrained("me/tiny", revision="step-{step}")' in card and 'from_pretrained("me/tiny")' not in card
        )
        assert "held-out" not in card and "## Checkpoints" not in card  # figures of the last step
    assert (
        "| `step-3` | 3 of 12 steps | 25 % |" in last
        and 'AutoModel.from_pretrained("me/tiny", revision="step-3")' in last
    )
    assert "Branch `" not in last


def test_a_dry_run_of_a_shipped_twin_lists_its_branches_and_counts_what_is_sent(hub, capsys):
    words = ("push", "model", "v-walt", "--checkpoints", "--dry-run")
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    kept = [entry for entry in shipped.checkpoints() if entry.twin == "v-walt"]
    names = [f"seed-{entry.seed}-step-{entry.step}" if entry.seed else f"step-{entry.step}" for entry in kept]
    assert [entry["revision"] for entry in found] == [*names, "main"] and "step-400" in names
    paths = [{file["path"] for file in entry["files"]} for entry in found]
    assert paths[-1] - paths[0] == {".eval_results/probeworld.yaml", "training/summary.json"} and paths[0] < paths[-1]
    assert main([*words]) == 0
    out = capsys.readouterr().out
    assert "checkpoint -> YOU/v-walt-tiny@step-400 (private): 17 files" in out and hub.wire.journal == []
    files = {file["from"]: file["size"] for entry in found for file in entry["files"] if file["large"]}
    total = re.fullmatch(r"1 repositories, (\d+) commits, \d+ files, ([\d.]+) MB", out.splitlines()[-1])
    assert int(total[1]) == len(names) + 1 and len(files) == len(names) + 1
    assert float(total[2]) == pytest.approx(sum(files.values()) / 1e6, abs=0.5)


def test_the_index_of_a_branch_names_its_own_file(run: Path):
    """A model in shards has checkpoints in one file each; transformers finds tensors by the root's index."""
    from diffusers import DiffusionPipeline

    DiffusionPipeline.from_pretrained(run / "pipeline").save_pretrained(run / "pipeline", max_shard_size="10KB")
    plan, *_ = plans_of(run)
    index = json.loads(plan.file("model.safetensors.index.json").read())
    named = {name for name, file in index["weight_map"].items() if file == WEIGHTS}
    assert named == set(load_file(run / "snapshots" / "step-3.safetensors"))
    there = {file.path for file in plan.files if "safetensors" in file.path and file.path.startswith("transformer/")}
    assert there == {WEIGHTS} and set(index["weight_map"].values()) <= {file.path for file in plan.files}


def test_checkpoints_that_are_missing_or_of_another_model_are_named(walt: Path, run: Path):
    with pytest.raises(ValueError, match=r"checkpoints must have been kept \(in .*snapshots"):
        plans_of(walt)
    file = run / "snapshots" / "step-6.safetensors"
    whole = load_file(file)
    name = sorted(whole)[0]
    for tensors in ({**whole, name: whole[name].flatten()[:1]}, {**whole, "other": whole[name].clone()}):
        save_file(tensors, file)
        with pytest.raises(ModelFolderError, match=r"step-6\.safetensors must hold the tensors of the model's"):
            plans_of(run)
    file.write_bytes(b"short")
    with pytest.raises(ModelFolderError, match="must be a whole safetensors file"):
        plans_of(run)


def test_the_log_of_one_training_does_not_go_with_the_weights_of_another(monkeypatch: pytest.MonkeyPatch):
    known = [entry for entry in shipped.checkpoints() if entry.twin == "v-walt" and entry.step == 400]
    other = dataclasses.replace(known[0], seed=1)
    monkeypatch.setattr(shipped, "checkpoints", lambda: [*known, other])
    results = Path(__file__).resolve().parents[2] / "model_cards" / "walt-tiny"
    first, second = checkpoint_plans("v-walt", "me/x", "me/probeworld", results)
    assert (first.revision, second.revision) == ("step-400", "seed-1-step-400")
    records = [{file.path for file in plan.files if file.path.startswith("training/")} for plan in (first, second)]
    assert len(records[0]) == 3 and records[1] == set()
    card = second.file("README.md").read().decode()
    assert "400 of 2,000 steps of a second training (seed 1)" in card and "`training/`" not in card


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("metrics", "--checkpoints"), "checkpoints must be left out for metrics"),
        (("model", "v-walt", "--checkpoints", "--revision", "x"), "revision must be left out with checkpoints"),
        (("all", "--revision", "x"), "revision must be left out with all"),
        (("model", "v-walt", "--create-pr", "--revision", "x"), "--create-pr must stand without --revision"),
        (("model", "v-walt", "--revision", "a..b"), "revision must be the name of a branch, such as step-400"),
    ],
)
def test_options_that_contradict_each_other_are_one_line(hub, capsys, words: tuple[str, ...], message: str):
    assert main(["push", *words, "--dry-run"]) == 2
    assert message in capsys.readouterr().err
