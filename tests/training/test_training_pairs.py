# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Two processes: they learn what one learns, also with sharded weights, decide alike, and do not outlive each other."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from hf_vdrep.training.checkpoint import load_checkpoint
from hf_vdrep.training.log import read_log


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The trainings of `pair_training.py`: folder, exit codes, stderr."""
    folder = tmp_path_factory.mktemp("pairs")
    program = Path(__file__).with_name("pair_training.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    result = subprocess.run(
        [sys.executable, str(program), str(folder)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    return SimpleNamespace(folder=folder, codes=json.loads((folder / "codes.json").read_text()), err=result.stderr)


def losses(folder):
    return [
        (line["step"], line["items"], round(line["loss"], 4))
        for line in read_log(folder / "log.jsonl")
        if "loss" in line
    ]


def test_two_processes_with_micro_batches_learn_what_one_learns(done):
    """The same loss at every step; the step with a NaN, which only one process sees, is skipped by both."""
    assert done.codes["one"] == 0 and done.codes["two"] == [0, 0]
    assert losses(done.folder / "one") == losses(done.folder / "two")
    assert [step for step, _, _ in losses(done.folder / "one")] == [1, 2, 3, 5, 6, 7, 8]
    skips = [
        [line for line in read_log(done.folder / name / "log.jsonl") if "skipped" in line] for name in ("one", "two")
    ]
    assert [line["step"] for line in skips[0]] == [line["step"] for line in skips[1]] == [4]
    assert sorted(skips[0][0]["ids"]) == sorted(skips[1][0]["ids"]) and len(skips[0][0]["ids"]) == 4
    ends = [load_checkpoint(done.folder / name / "checkpoint-8")[0] for name in ("one", "two")]
    for stem in ("model", "ema"):
        for name, value in ends[0][stem].items():
            torch.testing.assert_close(value, ends[1][stem][name], rtol=1e-4, atol=1e-5)


def test_sharded_weights_learn_save_and_resume_the_same(done):
    """FSDP2's fully_shard over gloo, resumed at step 5: files hold whole tensors, equal to those of one process."""
    assert done.codes["sharded"] == [[0, 0], [0, 0]], done.err
    assert losses(done.folder / "sharded") == losses(done.folder / "one")
    whole, sharded = (load_checkpoint(done.folder / name / "checkpoint-8") for name in ("one", "sharded"))
    for stem in ("model", "ema", "optimizer"):
        assert whole[0][stem].keys() == sharded[0][stem].keys()
        for name, value in whole[0][stem].items():
            torch.testing.assert_close(value, sharded[0][stem][name], rtol=1e-4, atol=1e-5)
    copied = torch.load(done.folder / "sharded" / "copy.pt")["copy"]
    assert all(torch.equal(value, sharded[0]["ema"][name]) for name, value in copied.items())


def test_tokenizers_and_readouts_are_saved_from_sharded_weights(done):
    """Whole tensors of the average, here half of the weights that were sharded, and latents measured under it."""
    from hf_vdrep.models import AutoencoderWalt
    from hf_vdrep.probes.readout import Readout

    assert done.codes["ends"] == [0, 0], done.err
    vae = AutoencoderWalt.from_pretrained(done.folder / "ends" / "tokenizer" / "vae")
    torch.manual_seed(0)
    started = AutoencoderWalt.from_config(vae.config).state_dict()
    assert all(torch.equal(value, 0.5 * started[name]) for name, value in vae.state_dict().items())
    about = json.loads((done.folder / "ends" / "tokenizer" / "summary.json").read_text())
    assert len(vae.config.latents_std) == 4 and about["latents_std"] == list(vae.config.latents_std)
    readout = Readout.from_pretrained(done.folder / "ends" / "readout" / "probe")
    assert torch.equal(readout.head.weight, torch.full((3, readout.head.in_features), 0.5))


def test_a_dead_process_ends_the_other_with_one_line(done):
    assert done.codes["lost"] == [1, 9], done.err
    assert "error: every process must stay alive, got none of another's answers after step" in done.err
    about = json.loads((done.folder / "lost" / "run.json").read_text())
    assert about["error"].startswith("LostProcess: every process must stay alive")
    assert about["state"] == "failed" and (done.folder / "lost" / "checkpoint-4").is_dir()


def test_a_disk_full_on_one_process_ends_both_and_leaves_the_checkpoint_before(done):
    assert done.codes["full"] == [2, 2], done.err
    assert "checkpoint-8 could not be written (No space left on device); checkpoint-4 is untouched" in done.err
    assert "(another process failed to write its part); checkpoint-4 is untouched" in done.err
    assert sorted(path.name for path in (done.folder / "full").glob("*checkpoint*")) == ["checkpoint-4"]
    load_checkpoint(done.folder / "full" / "checkpoint-4")
