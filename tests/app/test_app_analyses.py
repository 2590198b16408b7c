# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The study's analyses on the page: the committed study's numbers, every one of them within reach."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hf_vdrep.app.analyses import ANALYSES, load_analyses
from hf_vdrep.app.analyses_pack import as_text, pack
from hf_vdrep.app.study_results import load_results
from hf_vdrep.app.study_tab import MAIN, options, show_chart

STUDY = Path(__file__).resolve().parents[2] / "model_cards" / "walt-tiny" / "study"
VOID = {"line", "polyline", "polygon", "br"}


class Reader(HTMLParser):
    """Labels of a page, and the elements that were left open."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.labels: list[str] = []
        self.open: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        self.labels += [value for name, value in attributes if name == "aria-label"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag


@pytest.fixture(scope="module")
def summary() -> dict:
    return json.loads((STUDY / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def everything() -> tuple[dict, dict]:
    return load_results(), load_analyses()


def test_the_page_holds_the_committed_study(summary: dict):
    """One source of truth."""
    found = (ANALYSES / "walt-tiny.json").read_text(encoding="utf-8")
    assert found == as_text(pack(summary)), "run: python -m hf_vdrep.app.analyses_pack"


def test_every_analysis_of_the_study_can_be_chosen(summary: dict, everything):
    assert {MAIN, *everything[1]["walt-tiny"]} == set(summary["studies"])


def test_every_chart_of_every_analysis_is_whole(everything):
    studies, analyses = everything
    for name in analyses["walt-tiny"]:
        charts, tasks = options(studies, analyses, "walt-tiny", name)
        for chart in charts.values():
            markup = show_chart(studies, "walt-tiny", chart, tasks, analyses, name)
            assert Reader(markup).open == [] and 'role="alert"' not in markup, (name, chart)
            assert "nan" not in markup and "None" not in markup


def test_a_label_says_the_value_and_the_interval_of_the_rows(summary: dict, everything):
    points = [p for p in summary["studies"]["noise"]["points"] if p["primary"] and p["task"] == "depth"]
    labels = Reader(show_chart(everything[0], "walt-tiny", "scores", ["depth"], everything[1], "noise")).labels
    for point in points:
        name = point["twin"].upper()
        value, low, high = (f"{point[key]:.3f}" for key in ("value", "low", "high"))
        said = f"Depth: {name}, noise level {point['settings']['timestep']}: {value} (95 % interval {low} to {high})"
        assert said in labels
    assert len(labels) == len(points)


def test_dots_stand_where_their_values_are(everything):
    """A plot's axis is linear between its lowest and highest mark."""
    markup = show_chart(everything[0], "walt-tiny", "scores", ["depth"], everything[1], "noise")
    marks = [(float(y), float(v)) for y, v in re.findall(r'<span style="top:([\d.]+)%">([\d.]+)</span>', markup)]
    (bottom, low), (top, high) = max(marks), min(marks)
    (panel,) = [p for p in everything[1]["walt-tiny"]["noise"].panels if p.name == "depth"]
    drawn = re.findall(r"top:(-?[\d.]+)%;height:([\d.]+)%", markup)
    scores = [score for line in panel.lines for score in line.scores]
    for (y, height), score in zip(drawn, scores, strict=True):
        for place, value in ((float(y), score.high), (float(y) + float(height), score.low)):
            assert low + (bottom - place) / (bottom - top) * (high - low) == pytest.approx(value, abs=2e-4)


def test_only_chosen_tasks_are_shown(everything):
    studies, analyses = everything
    for chart in ("scores", "gains", "table"):
        markup = show_chart(studies, "walt-tiny", chart, ["depth"], analyses, "layers")
        body = markup.split("Found here")[0]
        assert "Depth" in body and "Camera pose" not in body
    assert "at least one task" in show_chart(studies, "walt-tiny", "scores", [], analyses, "layers")


def test_correlations_are_those_of_the_report(summary: dict, everything):
    studies, analyses = everything
    markup = show_chart(studies, "walt-tiny", "scores", ["depth"], analyses, "quality-vs-probe")
    (row,) = [r for r in summary["studies"]["quality-vs-probe"]["correlations"].splitlines() if "depth | V-WALT" in r]
    first = row.split("|")[3].strip().split(" [")[0]
    assert f"<td>{first}<small>" in markup and "Camera pose" not in markup.split("Found here")[0]


def test_choices_that_make_no_sense_get_a_sentence(everything):
    studies, analyses = everything
    for study, chart, tasks, analysis in (
        ("walt-tiny", "scores", ["depth"], "<script>"), ("walt-tiny", "sweep", ["depth"], "noise"),
        ("walt-tiny", "scores", ["<b>"], "noise"), ("walt-tiny", "scores", None, "noise"),
        ("../x", "scores", [], "noise"), ("walt-tiny", "scores", ["depth"], ["noise"]),
    ):  # fmt: skip
        answer = show_chart(studies, study, chart, tasks, analyses, analysis)
        assert 'role="alert"' in answer and "<script>" not in answer and "<b>" not in answer
    for study, analysis in ((None, MAIN), ("x", MAIN), ("walt-tiny", "x"), ("walt-tiny", [])):
        assert options(studies, analyses, study, analysis) == ({}, [])


def test_a_file_that_holds_no_analyses_is_refused(tmp_path: Path):
    assert load_analyses(tmp_path) == {}
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(ValueError, match=r"x\.json must hold the analyses"):
        load_analyses(tmp_path)
