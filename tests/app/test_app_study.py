# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The study's charts say what the results say, and nothing else."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hf_vdrep.app.study_charts import CHARTS, draw, verdict
from hf_vdrep.app.study_results import RESULTS, load_results
from hf_vdrep.app.study_tab import show_chart

ROOT = Path(__file__).resolve().parents[2]


class Reader(HTMLParser):
    """Labels that are read aloud, text, and whether tags are closed."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.labels: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag != "br":
            self.open.append(tag)
        self.labels += [value for name, value in attrs if name == "aria-label"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data + " "


@pytest.fixture(scope="module")
def results():
    return load_results()["walt-tiny"]


def test_the_results_of_the_page_are_the_committed_ones():
    """One source of truth; `scripts/render_documents.py` copies it."""
    committed = ROOT / "model_cards" / "walt-tiny" / "table-all.json"
    assert (RESULTS / "walt-tiny.json").read_bytes() == committed.read_bytes()


def test_every_score_can_be_read_aloud_with_its_interval(results):
    page = Reader(draw(results, results.tasks, "scores"))
    assert page.open == []
    said = [label for label in page.labels if "95 % interval" in label]
    assert len(said) == sum(len(entry["systems"]) for entry in results.data["tasks"])
    score = next(row for row in results.data["tasks"][0]["systems"] if row["system"] == "v-walt")["score"]
    words = f"V-WALT: {100 * score['value']:.1f} (95 % interval {100 * score['low']:.1f} to {100 * score['high']:.1f})"
    assert any(label.startswith(words) for label in said)


def test_positions_on_the_axis_are_the_scores(results):
    markup = draw(results, ["object"], "scores")
    dots = [float(x) for x in re.findall(r'st-dot" style="left:([\d.]+)%', markup)]
    truth = [100 * row["score"]["value"] for row in results.data["tasks"][0]["systems"]]
    assert dots == pytest.approx(truth, abs=0.006)


def test_a_gain_whose_interval_holds_zero_is_called_no_difference(results):
    page = Reader(draw(results, results.tasks, "gains"))
    for entry in results.data["tasks"]:
        (label,) = [label for label in page.labels if label.lower().startswith(f"{entry['title']}: ".lower())]
        told = not (entry["gain"]["low"] <= 0 <= entry["gain"]["high"])
        assert ("no difference" in label) == (not told)


def test_the_first_sentence_counts_the_leads_of_the_table(results):
    words = verdict(list(results.tasks.values()))
    winners = [entry["winner"] for entry in results.data["tasks"]]
    for system, name in (("v-walt", "V-WALT"), ("i-walt", "I-WALT")):
        assert f"{name} is ahead on {winners.count(system)} (" in words
    assert words.startswith(f"Of {len(winners)} tasks: ") and f"on {winners.count(None)} the intervals" in words
    undecided = [task for task in results.tasks.values() if task.winner is None]
    assert verdict(undecided[:1]) == "Of 1 task: on 1 the intervals cannot tell."


def test_one_place_of_the_sweep_is_outlined_for_each_model(results):
    """The taken learning rate is part of the place: 0.01 is tried beside 0.003 at the best block."""
    markup = draw(results, ["object"], "sweep")
    found = re.findall(r'data-kind="([\w-]+)" data-chosen="true"[^>]*aria-label="([^"]+)"', markup)
    assert [kind for kind, _ in found] == ["i-walt", "v-walt", "random"]
    for kind, words in found:
        taken = results.tasks["object"].row(kind)
        assert f"block {taken['layer'] + 1}, noise {taken['timestep']}" in words
        assert f"rate {taken['learning_rate']:g}" in words


@pytest.mark.parametrize("chart", CHARTS.values())
def test_every_chart_is_whole_and_shows_only_the_tasks_that_were_chosen(results, chart: str):
    page = Reader(draw(results, ["depth", "scene"], chart))
    assert page.open == [] and "Depth" in page.words and "Scenes" in page.words and "Objects" not in page.words
    assert "Choose at least one task" in draw(results, [], chart)


def test_wrong_choices_are_answered_with_a_sentence(results):
    studies = {"walt-tiny": results}
    for study, chart, tasks in (
        ("../x", "scores", ["depth"]), ("walt-tiny", "<script>", ["depth"]), ("walt-tiny", "scores", ["<b>"]),
        ("walt-tiny", "scores", None), ("walt-tiny", "scores", [["depth"]]), (["x"], "scores", []),
    ):  # fmt: skip
        answer = show_chart(studies, study, chart, tasks)  # type: ignore[arg-type]
        assert 'role="alert"' in answer and "<script>" not in answer and "<b>" not in answer


def test_results_that_are_none_are_refused(tmp_path: Path):
    assert load_results(tmp_path) == {}
    (tmp_path / "x.json").write_text(json.dumps([1]))
    with pytest.raises(ValueError, match=r"x\.json must hold the results"):
        load_results(tmp_path)
