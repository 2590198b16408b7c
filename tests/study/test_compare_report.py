# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The figure and the page."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from hf_vdrep.study.compare.examples import ClipExample
from hf_vdrep.study.compare.figure import panel_svg, save_figure
from hf_vdrep.study.compare.report import render_report
from hf_vdrep.study.compare.report_clips import TRACK_ZOOM, draw_tracks

VOID = {"meta", "img", "br", "link", "input", "hr", "path", "use", "rect", "circle"}
CITED = {"https://arxiv.org/abs/2502.07001", "https://arxiv.org/abs/2312.06662"}


class Structure(HTMLParser):
    """Collects tags and attributes, and fails on a tag that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture
def example() -> ClipExample:
    rng = np.random.default_rng(0)
    labels = {
        "object": "torus",
        "action_motion": "rise",
        "depth": rng.uniform(1, 5, (5, 16, 16)),
        "tracks": rng.uniform(0, 1, (6, 17, 2)),
        "visible": rng.random((6, 17)) > 0.5,
    }
    video = rng.integers(0, 256, (17, 16, 16, 3), dtype=np.uint8)
    return ClipExample(3, video, labels, {"i-walt": {**labels, "object": "<cube>"}, "v-walt": labels})


def parse(page: str) -> Structure:
    structure = Structure()
    structure.feed(page)
    assert structure.open == []
    return structure


def test_the_page_needs_nothing_but_itself(made_up, example):
    page = render_report(made_up, [example])
    seen = parse(page).seen
    addresses = [value for _, a in seen for key, value in a.items() if key in ("src", "href", "xlink:href", "data")]
    outside = {address for address in addresses if not address.startswith(("data:image/", "#"))}
    assert outside == CITED  # links for the reader; nothing is fetched
    assert "script" not in {tag for tag, _ in seen} and "@import" not in page
    assert set(re.findall(r"https?://[^\s\"'<)]+", page)) == CITED


def test_the_page_is_for_phones_for_the_dark_and_for_screen_readers(made_up, example):
    page = render_report(made_up, [example])
    seen = parse(page).seen
    assert ("html", {"lang": "en"}) in seen
    assert any(a.get("name") == "viewport" for _, a in seen)
    assert "prefers-color-scheme: dark" in page and "minmax(min(100%" in page
    assert all(a.get("alt") for tag, a in seen if tag == "img")
    assert all(a.get("aria-label") for tag, a in seen if tag == "svg")
    assert [tag for tag, _ in seen].count("h1") == 1


def test_ids_are_unique_although_several_panels_are_drawn(made_up):
    ids = [a["id"] for _, a in parse(render_report(made_up)).seen if "id" in a]
    assert len(ids) == len(set(ids))


def test_the_page_tells_scores_gains_choices_and_words_of_the_clips(made_up, example):
    page = render_report(made_up, [example])
    for words in ("+31.8 %", "[−0.6, +7.4]", "undecided", "0.145", "288 validation clips", "the clip&#x27;s latents"):
        assert words in page, words
    assert "&lt;cube&gt; ✗" in page and "torus ✓" in page and "<cube>" not in page


def test_the_page_does_without_examples(made_up):
    assert "Clips, and what" not in render_report(made_up, [])


def test_equal_results_give_equal_pages_and_pictures(made_up, tmp_path):
    assert render_report(made_up) == render_report(made_up)
    for name in ("a.png", "b.png"):
        save_figure(made_up, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_panels_take_their_colours_from_the_page(made_up):
    svg = panel_svg(made_up.tasks[0])
    assert "var(--v-walt)" in svg and "var(--ink)" in svg
    assert not re.search(r"#[0-9a-f]{6}\b", svg)


def test_better_is_to_the_right_for_scores_and_for_errors(made_up):
    """The page says so, so the axis of an error must run backwards."""
    for task in made_up.tasks:
        drawn = {}
        for key in ("i-walt", "v-walt"):
            text = (
                f">{100 * task.system(key).score.value:.1f}<"
                if task.percent
                else f">{task.system(key).score.value:.3f}<"
            )
            svg = panel_svg(task)
            drawn[key] = float(re.search(r' x="([\d.]+)"[^>]*' + re.escape(text), svg).group(1))
        assert drawn["v-walt"] > drawn["i-walt"]


def test_a_track_is_drawn_where_it_runs():
    tracks = np.stack([np.linspace(0.25, 0.75, 17), np.full(17, 0.5)], -1)[None]
    picture = draw_tracks(np.zeros((32, 32, 3), np.uint8), tracks, np.ones((1, 17), bool)).astype(int)
    lit = (picture.max(-1) > 60).nonzero()
    assert lit[1].min() == pytest.approx(8 * TRACK_ZOOM, abs=4) and lit[1].max() == pytest.approx(
        24 * TRACK_ZOOM, abs=7
    )
    assert abs(lit[0] - 16 * TRACK_ZOOM).max() <= 6


def test_the_figure_has_a_panel_for_every_task_and_no_more(made_up, tmp_path):
    save_figure(made_up, tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as picture:
        assert picture.format == "PNG" and picture.size[0] > 1600
