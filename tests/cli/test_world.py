# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep world`: a picture, a data set, a table."""

import json

import numpy as np
import pytest
from PIL import Image

from hf_vdrep.cli.main import main
from hf_vdrep.data.probeworld import ExportedProbeWorld, ProbeWorld


def picture(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_render_draws_the_clips_that_are_named(tmp_path, capsys):
    """`render` is what `world` does when no action is named."""
    assert main(["world", "5", "--split", "validation", "--resolution", "32", "-o", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "world-validation.png")
    sheet = picture(tmp_path / "world-validation.png")
    assert min(sheet.shape[:2]) > 900
    # Frames, boxes, tracks and depth: many colours in the right part, text on white in the left.
    assert len(np.unique(sheet[:, 700:].reshape(-1, 3), axis=0)) > 5000
    assert (sheet[200:500, :600] == 255).mean() > 0.8


def test_export_writes_a_data_set_and_prints_its_folder(tmp_path, capsys):
    folder = tmp_path / "set"
    assert main(["world", "export", str(folder), "--clips", "test=2", "--seed", "3", "-q"]) == 0
    assert capsys.readouterr().out.strip() == str(folder)
    found = ExportedProbeWorld(folder, "test")
    assert len(found) == 2 and found.config.seed == 3
    assert (found.render_batch([1]) == ProbeWorld("test", 2, found.config).render_batch([1])).all()


def test_calibrate_prints_every_task(capsys):
    assert main(["world", "calibrate", "--train", "192", "--test", "48", "--json", "-q"]) == 0
    result = json.loads(capsys.readouterr().out)
    tasks = [row["task"] for row in result["classes"]]
    assert tasks == ["object", "scene", "fine", "action_coarse", "action_many", "action_motion", "reversal"]
    assert set(result["space"]) == {"depth", "camera_pose", "point_tracks", "box_tracks"}
    assert result["world"]["main_height_median"] > 0.33 and result["world"]["main_height_tenth"] > 0.25


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["render", *map(str, range(40))], "at most 16 clips, got 40"),
        (["render", "--", "-1"], "INDEX must be at least 0, got -1"),
        (["export", "x", "--clips", "dev=3"], "SPLIT=N"),
        (["export", "x", "--clips", "test=0"], "must be at least 1, got 0"),
        (["export", "x", "--seed", "-1"], "--seed must be at least 0, got -1"),
        (["paint"], "must be a whole number, got 'paint'"),
        (["-q", "calibrate", "--train", "0"], "must be at least 1, got 0"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert main(["world", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and words in err
    assert not list(tmp_path.iterdir())
