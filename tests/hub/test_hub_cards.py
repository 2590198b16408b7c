# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Cards: valid by the client's own checks, their numbers those of the committed results."""

import json
from pathlib import Path

import jinja2
import pytest
import yaml
from huggingface_hub import DatasetCard, ModelCard, SpaceCard, parse_eval_result_entries
from huggingface_hub.repocard_data import eval_results_to_model_index, model_index_to_eval_results

from hf_vdrep.data.probeworld.config import ProbeWorldConfig
from hf_vdrep.data.probeworld.export_card import card as export_card
from hf_vdrep.hub.card_folder import shipped_cards, write_cards
from hf_vdrep.hub.cards import render, snippets, table
from hf_vdrep.hub.dataset import dataset_card
from hf_vdrep.hub.model import model_plan
from hf_vdrep.hub.model_card import WaltShape, model_card
from hf_vdrep.hub.probe import shipped_probes
from hf_vdrep.hub.record import TrainingRecord
from hf_vdrep.hub.results import RESULTS_NAME, scores
from hf_vdrep.hub.space import metric_names, metric_plan, required
from hf_vdrep.metrics.loading import NAMES
from hf_vdrep.study.shipped_probes import ROOT as SHIPPED_PROBES

RESULTS = Path(__file__).resolve().parents[2] / "model_cards" / "walt-tiny"
ROOT = RESULTS.parents[1]
PAPERS = ("arXiv:2502.07001", "arXiv:2312.06662")


@pytest.fixture(params=["i-walt", "v-walt"])
def shipped_plan(request):
    name = request.param
    return name, model_plan(name, f"me/{name}-tiny", "me/probeworld", RESULTS)


def committed(system: str) -> dict[str, dict]:
    """task -> the task's entry and the system's, read without the code under test."""
    tasks = json.loads((RESULTS / "table-all.json").read_text())["tasks"]
    return {t["task"]: {**t, "entry": e} for t in tasks for e in t["systems"] if e["system"] == system}


def test_a_model_card_passes_the_hubs_validation_and_cites_both_papers(hub, shipped_plan):
    text = shipped_plan[1].file("README.md").read().decode()
    card = ModelCard(text)
    card.validate()
    assert card.data.library_name == "diffusers" and card.data.license == "apache-2.0"
    assert all(paper in text for paper in PAPERS)
    for heading in ("Load", "Intended use", "Training data", "Training", "Results", "Limits", "Cite"):
        assert f"\n## {heading}\n" in text


def test_results_survive_the_model_index_both_ways(shipped_plan):
    name, plan = shipped_plan
    found = ModelCard(plan.file("README.md").read().decode()).data
    index = eval_results_to_model_index(found.model_name, found.eval_results)
    assert model_index_to_eval_results(index) == (found.model_name, found.eval_results)
    values = {result.dataset_config: result.metric_value for result in found.eval_results}
    expected = {task: entry["entry"]["score"]["value"] for task, entry in committed(name).items()}
    assert values == pytest.approx(expected, abs=1e-6) and len(values) == 10


def test_evaluation_results_hold_the_same_numbers_with_their_intervals(shipped_plan):
    name, plan = shipped_plan
    entries = parse_eval_result_entries(yaml.safe_load(plan.file(RESULTS_NAME).read()))
    for entry in entries:
        truth = committed(name)[entry.task_id]
        score = truth["entry"]["score"]
        assert entry.dataset_id == "me/probeworld" and entry.value == pytest.approx(score["value"], abs=1e-6)
        assert f"[{score['low']:.4f}, {score['high']:.4f}]" in entry.notes and f"{truth['clips']} clips" in entry.notes
    assert len(entries) == 10


def test_the_table_of_a_card_is_that_of_the_results(shipped_plan):
    name, plan = shipped_plan
    text = plan.file("README.md").read().decode()
    for truth in committed(name).values():
        score, (scale, digits) = truth["entry"]["score"], (100, 1) if truth["percent"] else (1, 3)
        low, value, high = (f"{scale * score[key]:.{digits}f}" for key in ("low", "value", "high"))
        assert f"| {truth['title']} | {truth['metric']}" in text and f"| {value} [{low}, {high}] |" in text


def test_no_local_path_travels(shipped_plan):
    for file in shipped_plan[1].files:
        if file.path.endswith((".json", ".md")):
            assert b"_name_or_path" not in file.read(), file.path


def test_a_model_without_results_claims_none(walt, hub):
    plan = model_plan(walt / "pipeline", "me/tiny", "me/probeworld", RESULTS)
    text = plan.file("README.md").read().decode()
    ModelCard(text).validate()
    assert "## Results" not in text and "model-index" not in text
    assert RESULTS_NAME not in {file.path for file in plan.files}
    assert "held-out v-loss | 0.5000" in text  # summary.json of the run


def test_a_card_of_ones_own_is_kept(walt, tmp_path):
    import shutil

    shutil.copytree(walt / "pipeline", tmp_path / "mine")
    (tmp_path / "mine" / "README.md").write_text("---\nlicense: mit\n---\nMine.\n")
    assert model_plan(tmp_path / "mine", "me/x", "me/probeworld").file("README.md").read().endswith(b"Mine.\n")


def test_the_data_sets_card_names_its_place_and_keeps_its_files(hub):
    config = ProbeWorldConfig(photographs=False)
    text = dataset_card(export_card(config, {"train": 2000, "test": 400}, True, 10**7), "me/probeworld", 2400)
    card = DatasetCard(text)
    card.validate()
    assert card.data.size_categories == ["1K<n<10K"] and 'load_dataset("me/probeworld"' in text
    (default,) = card.data.configs
    assert default["data_files"][0] == {"split": "train", "path": "data/train-*.parquet"}
    assert all(paper in text for paper in PAPERS) and "path/to" not in text


@pytest.mark.parametrize("name", NAMES)
def test_a_metrics_space_is_valid_and_whole(name: str, hub):
    plan = metric_plan(name, f"me/{name}")
    text = plan.file("README.md").read().decode()
    card = SpaceCard(text)
    card.validate()
    assert card.data.sdk == "gradio" and card.data.app_file == "app.py" and "evaluate" in card.data.tags
    assert {file.path for file in plan.files} == {"README.md", "app.py", "requirements.txt", f"{name}.py"}
    assert plan.file("requirements.txt").read().startswith(b"hf_vdrep==") and "path/to" not in text


def test_the_metrics_that_are_pushed_are_those_that_load():
    assert tuple(metric_names()) == NAMES


def test_a_metric_under_another_name_would_not_load_and_is_refused():
    with pytest.raises(ValueError, match=r"looks for psnr\.py"):
        metric_plan("psnr", "me/my-psnr")


def test_a_template_with_a_missing_name_fails():
    with pytest.raises(jinja2.UndefinedError):
        render("metric_more.md", name="psnr")


def test_a_results_folder_that_is_broken_is_named(tmp_path):
    (tmp_path / "table.json").write_text("{")
    with pytest.raises(ValueError, match=r"readable table\.json"):
        scores(tmp_path, "v-walt")
    assert scores(None, "v-walt") == []


def test_tables_and_snippets():
    assert table(["a", "b"], [["x|y", 1]], right=1) == "| a | b |\n| --- | ---: |\n| x/y | 1 |\n"
    assert snippets("```python\nx = 1\n```\ntext\n```bibtex\n@x\n```\n```python\ny\n```\n") == ["x = 1\n", "y\n"]


@pytest.mark.parametrize(
    ("line", "package", "expected"),
    [
        ("hf_vdrep", "hf_vdrep==0.2", "hf_vdrep==0.2"),
        ("hf_vdrep[space]==0.1", "hf_vdrep @ git+https://x/y", "hf_vdrep[space] @ git+https://x/y"),
        ("hf_vdrep_more", "hf_vdrep==0.2", "hf_vdrep_more"),
        ("gradio", "hf_vdrep==0.2", "gradio"),
    ],
)
def test_a_space_installs_the_package_from_where_it_is_told(line: str, package: str, expected: str):
    assert required(f"{line}\ntorch\n", package) == f"{expected}\ntorch\n"


def test_cards_can_be_written_to_be_read_and_those_committed_are_up_to_date(tmp_path: Path):
    written = write_cards(tmp_path, RESULTS)
    assert {"v-walt-tiny.md", "i-walt-tiny.md", "v-walt-tiny-depth.md"} <= {path.name for path in written}
    assert write_cards(tmp_path, RESULTS) == []
    committed_cards = list((RESULTS.parent / "hub").glob("*.md"))
    stale = [path.name for path in committed_cards if path.read_text() != (tmp_path / path.name).read_text()]
    assert not stale, "run: hf-vdrep push all --cards model_cards/hub"


def test_a_probes_card_gives_its_score_and_the_way_to_its_features(hub):
    """One that a head can read goes with its backbone; the others go alone, and say how clips reach the backbone."""
    cards = shipped_cards(RESULTS)
    for source in shipped_probes():
        twin, task = source.split("/")
        about = json.loads((SHIPPED_PROBES / source / "training.json").read_text())
        card = ModelCard(cards[f"{twin}-tiny-{task.replace('_', '-')}"])
        card.validate()
        if task == "object" or about["reading"] in (None, "stack"):
            assert f'from_pretrained("YOU/{card.data.model_name}")' in card.text or "load_head(" in card.text
        else:
            assert f'open_backbone("YOU/{twin}-tiny", video_as="{about["reading"]}")' in card.text
        (score,) = (value for value in about["test"].values() if isinstance(value, dict))
        assert card.data.eval_results[0].metric_value == pytest.approx(score["value"], abs=1e-6)
        assert card.data.base_model == f"YOU/{twin}-tiny"


def test_a_model_that_needs_more_than_noise_does_not_promise_a_call(walt, tmp_path):
    """Cards must not hold a snippet that fails: a model of text has no call without a prompt."""
    import dataclasses

    shape = WaltShape.read(walt / "pipeline")
    record = TrainingRecord.read(walt)
    plain = model_card("me/x", shape, record, [], "me/probeworld")
    asking = model_card("me/x", dataclasses.replace(shape, needs="a prompt"), record, [], "me/probeworld")
    assert "pipe(num_inference_steps" in plain and "pipe(num_inference_steps" not in asking
    assert "it takes a prompt" in asking


def test_a_card_of_other_data_names_no_license_and_no_place_of_this_machine(walt, tmp_path):
    """What others' data allow is not for the package to say; a folder's last name is enough."""
    shape = WaltShape.read(walt / "pipeline")
    (tmp_path / "config.yaml").write_text("data: /home/somebody/secret-project/films\ntrain_split: train\n")
    text = model_card("me/x", shape, TrainingRecord.read(tmp_path), [], "me/probeworld")
    assert "`films`, the train split." in text and "somebody" not in text
    data = ModelCard(text).data
    assert data.license is None and data.datasets is None
    assert ModelCard(model_card("me/x", shape, TrainingRecord.read(walt), [], "me/p")).data.license == "apache-2.0"


@pytest.mark.parametrize(
    ("needs", "video", "tag"),
    [
        (None, True, "unconditional-image-generation"),
        ("a prompt", True, "text-to-video"),
        ("a prompt", False, "text-to-image"),
        ("the frames to go on from", True, "image-to-video"),
        ("the clip to enlarge", True, "video-to-video"),
    ],
)
def test_the_hub_is_told_what_a_model_takes(walt, needs: str | None, video: bool, tag: str):
    import dataclasses

    shape = dataclasses.replace(WaltShape.read(walt / "pipeline"), needs=needs, video=video)
    card = ModelCard(model_card("me/x", shape, TrainingRecord.read(walt), [], "me/probeworld"))
    assert card.data.pipeline_tag == tag


def test_the_demos_space_asks_for_the_gradio_that_it_was_tried_with():
    """The Hub installs `sdk_version`, whatever requirements.txt says; the tests run with the pinned one."""
    text = (ROOT / "spaces" / "feature-comparison" / "README.md").read_text(encoding="utf-8")
    data = SpaceCard(text).data.to_dict()
    pinned = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("gradio==")]
    assert pinned == [f"gradio=={data['sdk_version']}"] and data["sdk"] == "gradio"
    assert len(data["short_description"]) <= 60 and (ROOT / "spaces/feature-comparison" / data["app_file"]).is_file()
