# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep runs` over the runs whose records are kept in the repository, and over a damaged one."""

import json
from pathlib import Path

import pytest
import torch

from hf_vdrep.cli.main import main
from hf_vdrep.training.checkpoint import save_checkpoint

CARDS = Path(__file__).parents[2] / "model_cards"


def test_kept_runs_are_listed(capsys: pytest.CaptureFixture[str]):
    """They have no run.json."""
    assert main(["runs", "ls", str(CARDS), "--json"]) == 0
    rows = {row["kind"]: row for row in json.loads(capsys.readouterr().out)}
    assert {"V-WALT", "I-WALT", "tokenizer"} <= rows.keys()
    assert rows["V-WALT"]["state"] == "done" and rows["V-WALT"]["validation"]["v_loss"] > 0
    assert main(["runs", "ls", str(CARDS)]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[:4] == ["name", "kind", "state", "step"]


def test_show_tells_settings_and_fails_on_a_damaged_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run = tmp_path / "run"
    run.mkdir()
    (run / "log.jsonl").write_text('{"step": 1, "loss": 0.5}\n')
    (run / "config.yaml").write_text("steps: 4\nobjective: video\n")
    save_checkpoint(run, 1, {"model": {"a": torch.ones(3)}}, {}, keep=1)
    assert main(["runs", "show", str(run)]) == 0
    shown = capsys.readouterr().out
    assert "run: V-WALT, stopped, step 1 of 4" in shown and "checkpoint-1" in shown and "verified" in shown
    (run / "checkpoint-1" / "model.safetensors").unlink()
    assert main(["runs", "show", str(run), "--json"]) == 1
    assert "missing" in json.loads(capsys.readouterr().out)["checkpoints"][0]["damage"]


def test_plot_writes_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    runs = [str(path.parent) for path in sorted(CARDS.glob("walt-tiny/*-walt*/log.jsonl"))]
    assert main(["runs", "plot", *runs, "-o", str(tmp_path / "new" / "twins.png")]) == 0
    assert Path(capsys.readouterr().out.strip()).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["show"], "show takes one run, got 0"),
        (["ls", "/nowhere"], "run must be a folder, got /nowhere"),
        (["plot", "-o", "runs.pdf"], "--output must be a .png"),
    ],
)
def test_wrong_words_are_refused_in_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]):
    assert main(["runs", *words]) == 2
    assert line in capsys.readouterr().err
