# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Configs: dataclass <-> YAML <-> command line."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from hf_vdrep.training.config import from_dict, load_config, option, parse_config, save_config
from hf_vdrep.training.loop_config import LoopConfig


@dataclass
class Settings:
    steps: int = option(10, "steps")
    rate: float = option(1e-3, "rate of 100%")
    kind: str = option("a", "kind", choices=["a", "b"])
    flag: bool = option(False, "flag")
    where: str | None = option(None, "where")
    parts: list[float] = field(default_factory=list, metadata={"help": "parts"})
    model: dict[str, Any] = field(default_factory=dict, metadata={"help": "model"})


def test_a_saved_config_loads_as_itself(tmp_path):
    config = Settings(steps=3, rate=0.5, kind="b", flag=True, where="x", parts=[0.5, 1.0], model={"layers": [1, 2]})
    assert load_config(Settings, save_config(config, tmp_path / "a" / "config.yaml")) == config
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["config.yaml"]


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path):
    (tmp_path / "c.yaml").write_text("steps: 5\nrate: 1e-4\nmodel: {width: 8, depth: 2}\n")
    argv = [
        "--config",
        str(tmp_path / "c.yaml"),
        "--steps",
        "7",
        "--flag",
        "--model",
        "width=16",
        "--parts",
        "0.5",
        "1",
    ]
    config = parse_config(Settings, argv)
    assert config == Settings(steps=7, rate=1e-4, flag=True, parts=[0.5, 1.0], model={"width": 16, "depth": 2})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stepz": 1}, r"unknown keys \['stepz'\]"),
        ({"steps": "many"}, "steps must be int, got 'many'"),
        ({"steps": True}, "steps must be int, got True"),
        ({"rate": "fast"}, "rate must be float, got 'fast'"),
        ({"kind": "c"}, r"kind must be one of \['a', 'b'\], got 'c'"),
        ({"kind": True}, "kind must be str, got True"),
        ({"rate": float("nan")}, "rate must be finite, got nan"),
        ({"rate": "inf"}, "rate must be finite, got inf"),
    ],
)
def test_a_wrong_value_is_named(values, message):
    with pytest.raises(ValueError, match=message):
        from_dict(Settings, values)


@pytest.mark.parametrize("content", [b"a: [", b"- 1\n- 2\n", b"\xff\xfe\x00"])
def test_a_broken_file_is_one_clear_line(tmp_path, content):
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"config must .* got .*"):
        parse_config(Settings, ["--config", str(path)])


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(ValueError, match="config must be a readable YAML file, got"):
        parse_config(Settings, ["--config", str(tmp_path / "none.yaml")])


def test_help_lists_every_option(capsys):
    with pytest.raises(SystemExit):
        parse_config(Settings, ["--help"])
    text = capsys.readouterr().out
    assert all(f"--{name}" in text for name in ("steps", "rate", "kind", "flag", "no-flag", "where", "parts", "model"))


def test_numbers_inside_mappings_are_numbers(tmp_path):
    """YAML 1.1 reads 1e-4 as a string."""
    (tmp_path / "c.yaml").write_text("model: {eps: 1e-5, name: one}\n")
    config = parse_config(Settings, ["--config", str(tmp_path / "c.yaml"), "--model", "scale=2e-3", "depth=4"])
    assert config.model == {"eps": 1e-5, "name": "one", "scale": 2e-3, "depth": 4}


def test_a_word_that_yaml_takes_for_a_truth_value_is_the_word():
    """`mixed_precision: no` without quotes."""
    precision = from_dict(LoopConfig, {"mixed_precision": yaml.safe_load("no")}).mixed_precision
    assert precision == "no"


def test_a_value_that_is_no_yaml_is_one_clear_line(capsys):
    with pytest.raises(SystemExit):
        parse_config(Settings, ["--model", "size=[1"])
    assert "argument --model: size must be a YAML value, got '[1'" in capsys.readouterr().err
