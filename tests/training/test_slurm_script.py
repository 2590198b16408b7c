# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The Slurm script with stand-ins for Slurm and torchrun: what it starts, and when it asks for the rest."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "slurm" / "train.sbatch"
SLURM = {"JOB_NODELIST": "a,b", "JOB_ID": "7", "NNODES": "2", "GPUS_ON_NODE": "8", "NODEID": "0"}
WORDS = ["--config", "my recipe.yaml"]
# Slurm signals the task, which is torchrun's parent.
STOPPED = "kill -TERM $PPID"


def run(tmp_path, training="exit 3", words=WORDS, help_text="--shutdown_timeout SECONDS"):
    """(exit code, torchrun's arguments, what was asked of Slurm); `training` is what torchrun does."""
    torchrun = f'if [ "$1" = --help ]; then echo "{help_text}"; exit; fi; printf "%s\\n" "$@" > started\n{training}'
    programs = {
        "scontrol": 'if [ "$1" = show ]; then echo first; else echo "$@" >> asked; fi',
        "srun": 'shift; exec "$@"',
        "sleep": "exec /bin/sleep 0.02",
        "torchrun": torchrun,
    }
    for name, text in programs.items():
        path = tmp_path / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
    names = {f"SLURM_{name}": value for name, value in SLURM.items()}
    environment = {**os.environ, **names, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    code = subprocess.run(["bash", str(SCRIPT), *words], cwd=tmp_path, env=environment, timeout=60).returncode
    assert not list(tmp_path.glob("tmp.*"))
    asked = (tmp_path / "asked").read_text().split("\n")[:-1] if (tmp_path / "asked").exists() else []
    return code, (tmp_path / "started").read_text().splitlines(), asked


@pytest.mark.parametrize("code", [0, 1, 143])
def test_what_ends_without_a_signal_stays_ended(tmp_path, code):
    """Done, broken, or a process killed for its memory: started again it would do the same."""
    found, started, asked = run(tmp_path, f"exit {code}")
    assert found == code and asked == []
    assert started[-2:] == WORDS and "first:20007" in started


@pytest.mark.parametrize("code", [0, 1])
def test_a_run_that_was_told_to_stop_asks_for_the_rest(tmp_path, code):
    """Wherever it writes, and whether it had begun its first step; torchrun itself ends with 1 after a signal."""
    training = f"trap 'echo saved > saved; exit {code}' TERM; {STOPPED}; while :; do sleep 1; done"
    found, _, asked = run(tmp_path, training)
    assert (found, asked) == (code, ["requeue 7"])
    assert (tmp_path / "saved").read_text() == "saved\n"


def test_a_checkpoint_that_takes_too_long_does_not_cost_the_rest(tmp_path):
    """Slurm kills the script together with the training, so it must have asked before."""
    training = f"trap '' TERM; {STOPPED}; for i in {{1..200}}; do [ -e asked ] && exit 1; sleep 1; done; exit 9"
    code, _, asked = run(tmp_path, training)
    assert code == 1 and asked[0] == "requeue 7"


@pytest.mark.parametrize("known", [True, False])
def test_torchrun_waits_for_the_checkpoint_where_it_can(tmp_path, known):
    """By default it kills its processes 30 s after SIGTERM; the time is up after 120. Older ones lack the option."""
    _, started, _ = run(tmp_path, help_text="--shutdown_timeout SECONDS" if known else "--nnodes N")
    assert ("--shutdown_timeout=110" in started) == known
