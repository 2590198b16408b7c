# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pools of clips, the log, the loss curve and the entry point."""

import numpy as np
import pytest

from hf_vdrep.training.entry import run_entry
from hf_vdrep.training.log import JsonlLog, read_log
from hf_vdrep.training.plots import plot_log
from hf_vdrep.training.pool import open_pool, source_key
from hf_vdrep.training.stop import Interrupted


def test_a_pool_is_rendered_once(tmp_path, blobs):
    source = blobs("train", 40)
    pool = open_pool(source, 40, tmp_path, name="train")
    assert np.array_equal(pool[37], blobs("train", 40).render_batch([37])[0].numpy())
    assert sorted(set(source.rendered)) == list(range(40))
    again = blobs("train", 40)
    assert np.array_equal(open_pool(again, 40, tmp_path, name="train"), pool)
    assert set(again.rendered) == {0}
    assert len(list(tmp_path.iterdir())) == 1


def test_another_world_is_another_pool(blobs):
    assert source_key(blobs("train", 4)) == source_key(blobs("train", 4))
    assert len({source_key(blobs(split, 4, config)) for split in ("train", "test") for config in (None, 1)}) == 4


def test_a_render_that_breaks_off_leaves_no_file(tmp_path, blobs):
    class Broken(blobs):
        def render_batch(self, indices):
            if 33 in indices:
                raise RuntimeError("render")
            return super().render_batch(indices)

    with pytest.raises(RuntimeError, match="render"):
        open_pool(Broken("train", 40), 40, tmp_path, name="train")
    assert not list(tmp_path.iterdir())


def test_an_empty_pool_is_refused(tmp_path, blobs):
    with pytest.raises(ValueError, match="pool size must be at least 1, got 0"):
        open_pool(blobs("train", 1), 0, tmp_path, name="train")


def test_a_log_is_cut_back_to_the_checkpoint(tmp_path):
    path = tmp_path / "log.jsonl"
    log = JsonlLog(path)
    for step in range(1, 6):
        log.write({"step": step})
    JsonlLog(path, step=3).write({"step": 4, "again": True})
    assert [record["step"] for record in read_log(path)] == [1, 2, 3, 4] and "again" in read_log(path)[-1]
    JsonlLog(path)
    assert read_log(path) == []


def test_a_loss_curve_is_a_picture(tmp_path):
    log = JsonlLog(tmp_path / "log.jsonl")
    for step in range(1, 30):
        log.write({"step": step, "loss": 1 / step})
    log.write({"step": 29, "eval/psnr": 20.0, "eval/v_loss@25": 1.0})
    picture = plot_log(tmp_path / "log.jsonl", tmp_path / "loss.png", title="Tokenizer")
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 5000


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (ValueError("steps must be\nat least 1"), 2),
        (PermissionError("no"), 2),
        (FloatingPointError("nan"), 1),
        (ChildProcessError("a worker was killed"), 1),
        (Interrupted("stopped after step 3"), 130),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_ending_has_its_exit_code_and_one_line(error, code, capsys):
    def train(config):
        if error is not None:
            raise error

    assert run_entry(train, lambda argv: argv, []) == code
    assert capsys.readouterr().err.count("\n") == (0 if error is None else 1)


def test_debug_shows_the_traceback():
    def train(config):
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        run_entry(train, lambda argv: argv, ["--debug"])
