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


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "model_cards").glob("*.md"))], ids=lambda p: p.name
)
def test_numbers_in_documents_come_from_committed_results(path):
    text = path.read_text(encoding="utf-8")
    assert fill(text, RESULTS) == text, "run: python scripts/render_documents.py"
