# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep study`: what it lists, what it refuses, what it leaves behind."""

from pathlib import Path

import pytest

from hf_vdrep.cli.main import main
from hf_vdrep.study import grid


def test_ls_names_every_shipped_analysis_with_its_time(capsys):
    assert main(["study", "ls"]) == 0
    lines = capsys.readouterr().out.splitlines()
    shipped = Path(grid.__file__).parent.glob("configs/*.yaml")
    assert sorted(line.split()[0] for line in lines) == sorted(file.stem for file in shipped)
    assert all(line.endswith(" min") for line in lines)


def test_a_dry_run_counts_cells_and_writes_no_rows(capsys, tmp_path):
    assert main(["study", "run", "noise", "cka", "-o", str(tmp_path / "out"), "--dry-run"]) == 0
    out = capsys.readouterr().out
    # Six levels, ten tasks, two twins.
    assert "120 cells" in out and "together about 13 min" in out
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nose"], "config must be all, one of noise"),
        (["report", "nowhere"], "rows must be rows.parquet or a folder of a study, got nowhere"),
        (["ls", "nowhere"], "rows must be rows.parquet"),
        (["walk"], "invalid choice"),
        ([], "required: ACTION"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(capsys, arguments, words):
    assert main(["study", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_a_small_study_leaves_rows_and_a_page(capsys, tmp_path):
    config = tmp_path / "small.yaml"
    config.write_text(
        "name: small\naxis: backbone\nbackbones: [chance, pixels]\ntasks: [object]\ntrain_sizes: [16]\n"
        "splits: {train: 16, validation: 16, test: 16}\nsteps: {object: 2}\nresolution: 32\n"
    )
    arguments = ["study", "run", str(config), "-o", str(tmp_path / "out"), "--workers", "1", "-q"]
    assert main(arguments) == 0
    assert (tmp_path / "out" / "report" / "report.html").exists() and (tmp_path / "out" / "rows.parquet").exists()
    capsys.readouterr()
    assert main(["study", "ls", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.split()[:3] == ["small", "6", "rows;"]
