# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Bad settings end before any work, in one line that names them."""

import re
from pathlib import Path

import pytest

from hf_vdrep.cli.main import main
from hf_vdrep.study.compare import PRESETS, CompareConfig, splits
from hf_vdrep.training.config import from_dict, load_config, save_config

BAD = [
    (
        {"tasks": ["depth", "smell"]},
        "tasks must be among ['object', 'scene', 'fine', 'action_coarse', 'action_many', 'action_motion', "
        "'depth', 'camera_pose', 'point_tracks', 'box_tracks'], got 'smell'",
    ),
    ({"tasks": []}, "tasks must hold at least one"),
    ({"tasks": ["depth", "depth"]}, "tasks must not repeat"),
    ({"floors": ["ceiling"]}, "floors must be among"),
    ({"readings": ["backwards"]}, "readings must be among ['stack', 'stride', 'frames'], got 'backwards'"),
    ({"layers": [0.5, 12.0]}, "layers must be relative depths in (0, 1], got 12.0"),
    ({"layers": [0.0]}, "layers must be relative depths in (0, 1], got 0.0"),
    ({"timesteps": [1200]}, "timesteps must lie in [0, 999], got 1200"),
    ({"timesteps": []}, "timesteps must hold at least one value"),
    ({"train_size": 8}, "train_size must be at least 32, got 8"),
    ({"test_size": 0}, "test_size must be at least 16, got 0"),
    ({"learning_rates": [3.0]}, "learning_rates must lie in (0, 1), got 3.0"),
    ({"search_steps": 0.0}, "search_steps must lie in (0, 1], got 0.0"),
    ({"steps": {"depth": 0}}, "steps must give tasks of"),
    ({"steps": {"smell": 9}}, "got 'smell': 9"),
    ({"seeds": 0}, "seeds must be at least 1, got 0"),
    ({"examples": 99}, "examples must be at most 16, got 99"),
    ({"i_walt": "no-such-model"}, "i_walt: backbone must be one of"),
]


@pytest.mark.parametrize(("setting", "words"), BAD)
def test_a_bad_setting_is_named_before_any_work(tmp_path, twins, monkeypatch, setting, words):
    from hf_vdrep.study.compare import run

    monkeypatch.setattr(splits.Split, "render", lambda *_: pytest.fail("work had begun"))
    config = CompareConfig(**{**twins, "output_dir": str(tmp_path), "reference": False, **setting})
    with pytest.raises(ValueError, match=re.escape(words)):
        run(config, quiet=True)


def test_a_file_is_no_output_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="output_dir must be a folder that can be written to"):
        CompareConfig(output_dir=str(tmp_path / "file")).check()


def test_a_closed_folder_is_no_output_folder(tmp_path, monkeypatch):
    def closed(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", closed)
    with pytest.raises(ValueError, match="output_dir must be a folder that can be written to"):
        CompareConfig(output_dir=str(tmp_path / "run")).check()


def test_every_preset_is_sound(tmp_path):
    for values in PRESETS.values():
        from_dict(CompareConfig, {**values, "output_dir": str(tmp_path)}).check()


def test_settings_come_back_from_the_file_that_a_run_leaves(tmp_path):
    config = CompareConfig(layers=[0.25], learning_rates=[1e-4], output_dir=str(tmp_path))
    assert load_config(CompareConfig, save_config(config, tmp_path / "config.yaml")) == config


def test_paths_and_processes_do_not_decide():
    assert CompareConfig(output_dir="a", workers=3).deciding() == CompareConfig(output_dir="b").deciding()
    assert CompareConfig(seed=1).deciding() != CompareConfig().deciding()


@pytest.mark.parametrize(
    "arguments", [["--layers", "7"], ["--tasks", "smell"], ["--seeds", "0"], ["--config", "none.yaml"]]
)
def test_the_command_answers_in_one_line_and_2(tmp_path, capsys, arguments):
    assert main(["compare", *arguments, "--output-dir", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("hf-vdrep: error: ") and err.count("\n") == 1
