# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep sizes`: a table for people, JSON for programs."""

import json

import pytest

from hf_vdrep.cli.main import main


def test_table_has_a_line_for_each_model_asked_for(capsys: pytest.CaptureFixture[str]):
    assert main(["sizes", "walt-l-k600", "v-walt-284m"]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["model", "layers"]
    assert first.startswith("walt-l-k600 ") and "312.9 M" in first and "313.0 M" in first
    assert second.startswith("v-walt-284m*") and "16" in second


def test_json_says_what_was_inferred(capsys: pytest.CaptureFixture[str]):
    assert main(["sizes", "--json", "walt-t2v-419m"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["parameters"] == pytest.approx(419e6, rel=0.02) and row["flops"] > 1e12
    assert "patch_size" in row["inferred"] and row["config"]["patch_size"] == 4 and row["tokens"] == 5 * 16 * 28


def test_wrong_names_are_refused(capsys: pytest.CaptureFixture[str]):
    assert main(["sizes", "walt-huge"]) == 2
    assert "NAME must be one of walt-l-k600" in capsys.readouterr().err
    assert main(["sizes", "--text-length", "0"]) == 2
