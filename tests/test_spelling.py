# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Mistyped words meet the nearest known one."""

from pathlib import Path

import pytest

from hf_vdrep._spelling import did_you_mean
from hf_vdrep.backbones import open_backbone
from hf_vdrep.hub.model import model_plan
from hf_vdrep.training.config import from_dict, parse_config
from hf_vdrep.training.twins import twin_settings
from hf_vdrep.training.walt import load_vae
from hf_vdrep.training.walt_config import WaltTrainConfig


def test_only_what_is_near_is_offered():
    assert did_you_mean("detph", ["depth", "object"]) == "; did you mean depth?"
    assert did_you_mean("zzz", ["depth", "object"]) == ""


def test_a_mistyped_key_and_flag_of_a_training(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(ValueError, match=r"did you mean steps\?"):
        from_dict(WaltTrainConfig, {"stpes": 3})
    for argv, near in ((["--stepz", "3"], "--steps"), (["--objective", "vidoe"], "video")):
        with pytest.raises(SystemExit) as stopped:
            parse_config(WaltTrainConfig, argv)
        told = capsys.readouterr().err
        assert stopped.value.code == 2 and f"did you mean {near}?" in told and told.count("\n") == 1


def test_what_is_not_there_is_said_without_asking_the_hub(tmp_path: Path):
    with pytest.raises(ValueError, match=r"no such folder; scripts/train_autoencoder.py makes one"):
        load_vae(str(tmp_path / "vae"))
    with pytest.raises(ValueError, match=r"twin_of must be a run folder of train_walt.py"):
        twin_settings(tmp_path / "run")
    with pytest.raises(ValueError, match="model must be a folder or one of i-walt, v-walt, got v-wallt"):
        model_plan("v-wallt", "me/v-walt", "me/probeworld")
    with pytest.raises(ValueError, match=r"folder must hold a model: any of model_index.json"):
        open_backbone(tmp_path)
