# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A readout of one's own as a repository: one model with its backbone, or alone."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import snapshot_download

from hf_vdrep.data.sample import CLASS_LABELS
from hf_vdrep.heads import load_head
from hf_vdrep.hub.probe import open_trained, probe_plan
from hf_vdrep.hub.push import push
from hf_vdrep.models import WaltModel
from hf_vdrep.probes import AttentiveClassifier
from hf_vdrep.study.compare.tasks import STUDY_TASKS


@pytest.fixture
def run(walt: Path, tmp_path: Path) -> Path:
    """What `train_probe` leaves: probe/ with the readout and training.json, and the settings beside it."""
    classes = len(STUDY_TASKS["action_motion"].classes)
    readout = AttentiveClassifier(in_channels=8, num_steps=3, num_classes=classes)
    for parameter in readout.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    readout.save_pretrained(tmp_path / "run" / "probe")
    about = {"task": "action_motion", "backbone": str(walt / "pipeline"), "layer": 0.5, "timestep": 100, "seed": 3}
    about |= {"reading": "auto", "output_dir": str(tmp_path / "run"), "steps": 10, "top_1": 0.25}
    (tmp_path / "run" / "probe" / "training.json").write_text(json.dumps(about))
    (tmp_path / "run" / "config.yaml").write_text(yaml.safe_dump({"output_dir": str(tmp_path / "run"), "steps": 10}))
    return tmp_path / "run"


def test_backbone_and_readout_come_back_as_one_model(hub, api, walt: Path, run: Path, tmp_path: Path):
    """The Hub's model says what the readout says of the features that it was trained on."""
    assert "action_motion" in CLASS_LABELS
    plan = probe_plan(run, "me/probe", "me/tiny", "me/probeworld")
    push(plan, api)
    place = snapshot_download("me/probe", endpoint=hub.endpoint, token=api.token, cache_dir=tmp_path / "cache")
    head = load_head(place)
    clip = torch.rand(2, 9, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    backbone = WaltModel.from_pretrained(walt / "pipeline")
    states = backbone(pixel_values_videos=clip, timestep=100, seed=3, output_hidden_states=[1]).hidden_states
    expected = open_readout(run)(states[1].unflatten(1, (3, 2, 2)))
    torch.testing.assert_close(head(pixel_values_videos=clip).logits, expected, rtol=1e-3, atol=1e-3)
    assert head.config.id2label[0] == STUDY_TASKS["action_motion"].classes[0]


def open_readout(run: Path) -> AttentiveClassifier:
    return AttentiveClassifier.from_pretrained(run / "probe")


def test_where_somebody_works_stays_there(run: Path, tmp_path: Path):
    plan = probe_plan(run, "me/probe", "me/tiny", "me/probeworld")
    for file in plan.files:
        if not file.path.endswith(".safetensors"):
            assert str(tmp_path.parent).encode() not in file.read(), file.path
    assert yaml.safe_load(plan.file("training/config.yaml").read()) == {"output_dir": "run", "steps": 10}
    assert json.loads(plan.file("readout/training.json").read())["backbone"] == "pipeline"


def test_figures_without_a_test_split_are_called_what_they_are(run: Path):
    card = probe_plan(run, "me/probe", "me/tiny", "me/probeworld").file("README.md").read().decode()
    assert "| figure on the validation split | value |" in card and "| top_1 | 0.2500 |" in card
    assert "model-index" not in card


def test_a_readout_on_cut_frames_or_on_another_model_goes_alone(run: Path):
    """A head encodes the clip as one: it cannot give its readout single frames."""
    about = json.loads((run / "probe" / "training.json").read_text())
    for change in ({"reading": "stride"}, {"backbone": "facebook/dinov2-small", "reading": "auto"}):
        (run / "probe" / "training.json").write_text(json.dumps(about | change))
        plan = probe_plan(run, "me/probe", "me/base", "me/probeworld")
        paths = {file.path for file in plan.files}
        assert {"config.json", "model.safetensors", "training.json"} <= paths
        assert not any(path.startswith(("vae/", "transformer/")) for path in paths)
        assert 'open_backbone("me/base"' in plan.file("README.md").read().decode()


def test_what_is_no_readout_is_named(tmp_path: Path):
    (tmp_path / "training.json").write_text("{}")
    for source in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(ValueError, match="must be a trained readout's folder"):
            open_trained(source)


def test_a_readout_that_changes_its_form_leaves_nothing_of_the_other(hub, api, run: Path):
    """Another reading, chosen at the next training, makes a lone readout of a whole model, and the other way round."""
    about = json.loads((run / "probe" / "training.json").read_text())
    for reading in ("auto", "stride", "auto"):
        (run / "probe" / "training.json").write_text(json.dumps(about | {"reading": reading}))
        plan = probe_plan(run, "me/probe", "me/tiny", "me/probeworld")
        push(plan, api)
        tree = hub.store.repos["model", "me/probe"].at("main").tree
        assert set(tree) - {".gitattributes"} == {file.path for file in plan.files}
