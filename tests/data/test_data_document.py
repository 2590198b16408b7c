# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The blocks of docs/data.md run as they stand, one after the other in a new folder, and print what they say."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hf_vdrep.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
SHELL = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def run_python(blocks):
    """What every block prints, in one process, as a reader would paste them."""
    names, printed = {}, []
    for number, block in enumerate(blocks):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(block, f"docs/data.md:{number}", "exec"), names)
        printed.append(out.getvalue().splitlines())
    return printed


@pytest.fixture
def written(tmp_path, monkeypatch):
    """In a new folder, after the block that writes the data."""
    monkeypatch.chdir(tmp_path)
    run_python(PYTHON[:1])


def commands(block):
    return [shlex.split(line) for line in block.replace("\\\n", " ").splitlines()]


def test_the_python_of_the_page_prints_what_its_comments_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = run_python(PYTHON)
    expected = [[line[2:] for line in block.splitlines() if line.startswith("# ")] for block in PYTHON]
    assert printed == expected
    assert sum(map(bool, expected)) == len(PYTHON) - 1 == 5  # all but the one that writes the data


@pytest.mark.usefixtures("written")
def test_the_commands_of_the_page_that_look_at_data_succeed(capsys):
    for words in commands(SHELL[0]):
        assert words[0] == "hf-vdrep" and main([*words[1:], *(["-q"] if "check" in words else [])]) == 0
    assert "12 records" in capsys.readouterr().out and Path("data-video-folder-train.png").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("written")
def test_the_trainings_of_the_page_succeed():
    """A minute of one core."""
    Path("scripts").symlink_to(ROOT / "scripts")
    for words in commands(SHELL[1]):
        assert words[0] == "python"
        subprocess.run([sys.executable, *words[1:]], env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True)
    assert Path("runs/i-walt/pipeline/model_index.json").exists()
