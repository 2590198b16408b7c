# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep plan`: what is asked for comes out, and assumptions are marked."""

import json
from pathlib import Path

import pytest

from hf_vdrep.cli.main import main

RECIPE = Path(__file__).parents[2] / "scripts" / "recipes" / "v-walt-tiny.yaml"


def test_a_recipe_is_planned_and_what_is_assumed_says_so(capsys: pytest.CaptureFixture[str]):
    assert main(["plan", "train", "--config", str(RECIPE), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["work"]["parameters"] == {"value": 1796168, "unit": "parameters", "how": "exact"}
    assert plan["time"]["speed of a GPU"]["how"] == "assumed" and "40%" in plan["time"]["speed of a GPU"]["note"]
    assert main(["plan", "train", "--config", str(RECIPE), "--mfu", "0.3", "--gpu", "a100", "--steps", "10"]) == 0
    printed = capsys.readouterr().out
    assert "10 steps of 32 on 1 x a100" in printed and "93.6 TFLOP/s  given" in printed


def test_a_published_size_on_many_gpus(capsys: pytest.CaptureFixture[str]):
    assert main(["plan", "train", "--size", "walt-l-k600", "--gpus", "64", "--strategy", "fsdp2", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    divisions = {row["division"] for row in plan["memory"]["rows"]}
    assert divisions == {"ddp", "fsdp2"}
    assert plan["work"]["training of an item"]["value"] == pytest.approx(3.9 * 2 * 313e6 * 1280, rel=0.15)


def test_extraction_of_all_ten_and_of_a_number_of_clips(capsys: pytest.CaptureFixture[str]):
    words = ["plan", "extract", "--model", "v-walt-284m", "--layers", "0,0.67", "--timesteps", "50,200", "--json"]
    assert main(words) == 0
    rows = json.loads(capsys.readouterr().out)["extraction"]["rows"]
    assert len(rows) == 11 and rows[-1]["data"] == "all"
    assert rows[0]["features"] == 2 * 2 * 1_331_167 * 16 * 16 * 1024 * 2
    assert main([*words, "--data", "probeworld", "--samples", "3", "--dtype", "int8"]) == 0
    (row, _) = json.loads(capsys.readouterr().out)["extraction"]["rows"]
    assert row["features"] == 2 * 2 * 3 * (5 * 16 * 16 * 1024 + 4 * 1024)


def test_the_shipped_pair_is_counted(capsys: pytest.CaptureFixture[str]):
    words = [
        "plan",
        "extract",
        "--model",
        "i-walt",
        "--data",
        "probeworld",
        "--samples",
        "4",
        "--layers",
        "-1",
        "--json",
    ]
    assert main(words) == 0
    (row, _) = json.loads(capsys.readouterr().out)["extraction"]["rows"]
    assert row["features"] == 4 * 5 * 8 * 8 * 128 * 2 and row["work"] > 4 * 150_657_024


def test_paper_has_a_row_for_every_twin_and_count(capsys: pytest.CaptureFixture[str]):
    assert main(["plan", "paper", "--gpus", "64", "1024"]) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines() if "-walt-" in line and "yes" in line]
    assert [row[1] for row in rows] == ["64", "1,024"] * 4
    assert "* is an assumption" in printed


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["train"], "--config or --size must be given"),
        (["train", "--size", "walt-huge"], "size must be one of"),
        (["train", "--size", "walt-l-k600", "--gpu", "z80"], "gpu must be one of"),
        (["train", "--size", "walt-l-k600", "--mfu", "2"], "--mfu must lie in (0, 1] or be measured, got 2"),
        (["extract", "--model", "v-walt-284m", "--data", "probeworld"], "samples must be given for probeworld"),
        (["paper", "--mfu", "measured"], "--mfu must lie in (0, 1]"),
    ],
)
def test_wrong_words_are_refused_in_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]):
    assert main(["plan", *words]) == 2
    assert line in capsys.readouterr().err
