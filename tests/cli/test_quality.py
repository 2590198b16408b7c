# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep quality`: figures as text and JSON, kept samples, mistakes in one line."""

import json

import pytest

from hf_vdrep.cli.main import main


def test_quality_prints_figures_and_goes_on_from_what_is_kept(tiny_pair, tmp_path, capsys):
    arguments = ["quality", "--model", str(tiny_pair[0]), "--network", "pixels", "--num", "20", "--steps", "1"]
    arguments += ["--cache", str(tmp_path / "kept"), "-q"]
    assert main([*arguments, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["distances"]
    assert row["kind"] == "image" and row["num"] == row["num_real"] == 20
    assert row["frechet_distance"]["value"] > row["floor"]["frechet_distance"]["value"]
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").rglob("*.safetensors")}
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert f"{row['frechet_distance']['value']:.4f}" in text and "real against real" in text
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "kept").rglob("*.safetensors")} == kept


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "none"], "model must be one of"),
        (["--num", "3"], "num must be at least 20"),
        (["--class-label", "cat"], "--class-label"),
        (["--kind", "video"], "model of images"),
    ],
)
def test_quality_refuses_in_one_line(tiny_pair, tmp_path, capsys, arguments, words):
    settings = ["--model", str(tiny_pair[0]), "--network", "pixels", "--steps", "1", "-q", "--cache", str(tmp_path)]
    assert main(["quality", *settings, *arguments]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and words in err
