# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The Slurm script with stand-ins for Slurm and torchrun: what it starts, and when it asks for the rest."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "slurm" / "train.sbatch"
SLURM = {"JOB_NODELIST": "a,b", "JOB_ID": "7", "NNODES": "2", "GPUS_ON_NODE": "8", "NODEID": "0"}


def run(tmp_path, state, words, help_text="--shutdown_timeout SECONDS"):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text(f'{{"state": "{state}"}}')
    programs = {
        "scontrol": 'if [ "$1" = show ]; then echo first; else echo "$@" >> asked; fi',
        "srun": 'shift; exec "$@"',
        "torchrun": f'if [ "$1" = --help ]; then echo "{help_text}"; else printf "%s\\n" "$@" > started; exit 3; fi',
    }
    for name, text in programs.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
    names = {f"SLURM_{name}": value for name, value in SLURM.items()}
    environment = {**os.environ, **names, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    code = subprocess.run(["bash", str(SCRIPT), *words], cwd=tmp_path, env=environment).returncode
    asked = (tmp_path / "asked").read_text().strip() if (tmp_path / "asked").exists() else ""
    return code, (tmp_path / "started").read_text().splitlines(), asked


@pytest.mark.parametrize("words", [["--output-dir", "run"], ["--output-dir=run"]])
@pytest.mark.parametrize("state", ["interrupted", "done"])
def test_an_interrupted_run_asks_for_the_rest(tmp_path, state, words):
    code, started, asked = run(tmp_path, state, ["--config", "my recipe.yaml", *words])
    assert code == 3 and asked == ("requeue 7" if state == "interrupted" else "")
    assert started[-2 - len(words) :] == ["--config", "my recipe.yaml", *words] and "first:20007" in started


@pytest.mark.parametrize("known", [True, False])
def test_torchrun_waits_for_the_checkpoint_where_it_can(tmp_path, known):
    """By default it kills its processes 30 s after SIGTERM; the time is up after 120. Older ones lack the option."""
    _, started, _ = run(tmp_path, "done", [], "--shutdown_timeout SECONDS" if known else "--nnodes N")
    assert ("--shutdown_timeout=110" in started) == known
