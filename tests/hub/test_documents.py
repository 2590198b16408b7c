# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Generated blocks of documents, and that the committed documents agree with the committed results."""

import json
from pathlib import Path

import pytest

from hf_vdrep.hub.documents import fill

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "model_cards" / "walt-tiny"


@pytest.fixture
def results(tmp_path):
    scores = {"i-walt": 0.4, "v-walt": 0.5}
    systems = [
        {"system": key, "score": {"value": value}, "layer": 5, "num_layers": 8, "timestep": 50, "reading": None}
        | {"learning_rate": 0.001}
        for key, value in scores.items()
    ]
    task = {"title": "motion", "metric": "top-1", "percent": True, "higher_is_better": True, "winner": "v-walt"}
    gain = {"value": 25.0, "low": 10.0, "high": 40.0}
    table = {"tasks": [{**task, "systems": systems, "gain": gain}]}
    (tmp_path / "table.json").write_text(json.dumps(table))
    return tmp_path


def test_table_shows_scores_gain_and_winner(results):
    text = fill("<!-- begin: demo-table -->\nold\n<!-- end: demo-table -->", results)
    assert "| motion | top-1 % ↑ | 40.0 | **50.0** | +25.0 % | [+10.0, +40.0] |" in text
    assert "old" not in text


def test_text_outside_the_marks_is_kept(results):
    text = "before\n<!-- begin: demo-choices -->\n<!-- end: demo-choices -->\nafter"
    filled = fill(text, results)
    assert "| motion | I-WALT | 6 of 8 | 50 | – | 0.001 |" in filled
    assert filled.startswith("before\n") and filled.endswith("\nafter")
    assert fill(filled, results) == filled


def test_unknown_block_and_missing_result_are_named(tmp_path):
    with pytest.raises(ValueError, match="block must be one of"):
        fill("<!-- begin: nothing -->\n<!-- end: nothing -->", tmp_path)
    with pytest.raises(ValueError, match=r"table\.json"):
        fill("<!-- begin: demo-table -->\n<!-- end: demo-table -->", tmp_path)


def test_a_number_in_a_sentence_is_looked_up_and_formatted(results):
    mark = "<!-- value: table.json tasks[title=motion].systems[system=v-walt].score.value {} -->{}<!-- /value -->"
    assert fill(f"a {mark.format('%.1f', 'old')} b", results) == f"a {mark.format('%.1f', '50.0')} b"
    assert fill(mark.format(".3f", ""), results) == mark.format(".3f", "0.500")
    with pytest.raises(ValueError, match=r"nothing at '\[title=depth\]'"):
        fill(mark.replace("motion", "depth").format(".3f", ""), results)
    assert fill(f"`{mark.format('.3f', 'old')}`", results) == f"`{mark.format('.3f', 'old')}`"
    with pytest.raises(ValueError, match="format must fit"):
        fill("<!-- value: table.json tasks .3f --><!-- /value -->", results)


def test_tables_of_files_are_blocks_too(results):
    (results / "rows.csv").write_text("task,score,gain\nmotion,43.4,+2.0 %\ndepth,0.2,–\n")
    (results / "rows.json").write_text('[{"task": "motion", "score": 1}, {"task": "depth", "score": null}]')
    (results / "note.md").write_text("A note.\n\n")
    text = fill("<!-- begin: csv rows.csv -->\n<!-- end: csv -->", results)
    assert "| task | score | gain |\n| --- | ---: | ---: |\n| motion | 43.4 | +2.0 % |\n" in text
    assert fill(text, results) == text
    assert "| depth |  |\n" in fill("<!-- begin: json rows.json -->\n<!-- end: json -->", results)
    included = fill("<!-- begin: include note.md -->\nold\n<!-- end: include -->", results)
    assert included == "<!-- begin: include note.md -->\nA note.\n<!-- end: include -->"
    with pytest.raises(ValueError, match="that take a file"):
        fill("<!-- begin: trainings rows.csv -->\n<!-- end: trainings -->", results)


def test_the_published_gain_stands_beside_ours_where_the_results_hold_it(results):
    table = json.loads((results / "table.json").read_text())
    table["tasks"].append({**table["tasks"][0], "title": "depth", "paper": None})
    table["tasks"][0]["paper"] = {"benchmark": "SSv2", "gain": 42.0}
    (results / "table.json").write_text(json.dumps(table))
    text = fill("<!-- begin: demo-table -->\n<!-- end: demo-table -->", results)
    assert "[+10.0, +40.0] | +42 % |" in text and "[+10.0, +40.0] | – |" in text and "paper's gain |" in text


def test_blocks_of_the_study_come_from_its_report(results):
    """Any document may show them; the study's own module writes them."""
    filled = fill("<!-- begin: study-noise -->\nold\n<!-- end: study-noise -->", results)
    assert filled == "<!-- begin: study-noise -->\nNot measured yet.\n<!-- end: study-noise -->"


# docs/study.md has a test of its own beside the report that fills it.
DOCS = [path for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "study.md"]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "model_cards").glob("*.md")), *DOCS]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_numbers_in_documents_come_from_committed_results(path):
    text = path.read_text(encoding="utf-8")
    assert fill(text, RESULTS) == text, "run: python scripts/render_documents.py"
