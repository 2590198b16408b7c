# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A comparison small enough for a test: 32-pixel clips, random tiny twins, readouts of a few steps."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hf_vdrep.backbones.random_init import randomize
from hf_vdrep.models import AutoencoderWalt, WaltTransformer3DModel
from hf_vdrep.study.compare import CompareConfig, comparison, splits
from hf_vdrep.study.compare.config import TASK_NAMES
from hf_vdrep.study.compare.results import CompareResults, Gain, Score, SystemResult, TaskResult

SLOW = ("depth", "point_tracks", "box_tracks")


def save_model(folder: Path, objective: str) -> str:
    torch.manual_seed(0)
    vae = AutoencoderWalt(
        latent_channels=4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=(0, 0, 0, 0),
        mid_block_layers=1,
        norm_num_groups=4,
    )
    transformer = WaltTransformer3DModel(
        in_channels=4,
        num_layers=2,
        num_attention_heads=2,
        attention_head_dim=8,
        sample_size=4,
        spatial_window=(4, 4),
        spatiotemporal_window=(2, 2),
        objective=objective,
    )
    vae.save_pretrained(folder / "vae")
    randomize(transformer, seed=1 if objective == "video" else 2).save_pretrained(folder / "transformer")
    return str(folder)


@pytest.fixture(scope="session")
def twins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("twins")
    return {
        "i_walt": save_model(folder / "i-walt", "image"),
        "v_walt": save_model(folder / "v-walt", "video"),
    }


@pytest.fixture(scope="session")
def tiny(twins: dict[str, str]):
    """(output folder, overrides) -> CompareConfig of a comparison that takes seconds."""

    def make(output_dir: Path, **overrides) -> CompareConfig:
        values = {
            **twins,
            "output_dir": str(output_dir),
            "resolution": 32,
            "train_size": 32,
            "validation_size": 16,
            "test_size": 16,
            "search_train_size": 32,
            "tasks": ["object", "fine", "action_motion", "depth", "camera_pose", "box_tracks"],
            "floors": ["chance", "pixels"],
            "steps": {task: 3 if task in SLOW else 4 for task in TASK_NAMES},
            "search_steps": 0.5,
            "layers": [0.5, 1.0],
            "timesteps": [100],
            "seeds": 2,
            "resamples": 200,
            "reference": False,
            "examples": 1,
            "workers": 1,
        }
        return CompareConfig(**{**values, **overrides})

    return make


@pytest.fixture(scope="session")
def finished(tiny, tmp_path_factory: pytest.TempPathFactory):
    """(config, results, paths of the splits' files in the order in which they were read) of a run on all tasks."""
    folder = tmp_path_factory.mktemp("run")
    config = tiny(folder)
    reads: list[Path] = []
    read_array = splits.read_array

    def recorded(path: Path) -> np.ndarray:
        reads.append(path)
        return read_array(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "read_array", recorded)
        results = comparison.run(config, quiet=True)
    return config, results, reads


def make_system(key: str, value: float, half: float = 0.02, **more) -> SystemResult:
    return SystemResult(key, Score(value, value - half, value + half), **more)


@pytest.fixture
def made_up() -> CompareResults:
    """Results of two tasks, written by hand: V-WALT wins the first, the second is undecided."""
    walt = {"layer": 5, "num_layers": 8, "timestep": 200, "learning_rate": 1e-3, "seeds": (0, 1, 2)}
    first = TaskResult(
        "action_motion",
        "motion actions",
        "top-1",
        higher_is_better=True,
        percent=True,
        clips=576,
        systems=(
            make_system("pixels", 0.123, seeds=(0,), learning_rate=1e-3, validation=0.13),
            make_system("i-walt", 0.44, reading="stack", validation=0.45, **walt),
            make_system("v-walt", 0.58, validation=0.59, **walt),
            make_system("reference", 0.93),
        ),
        gain=Gain("100·(V/I − 1)", 31.8, 27.8, 35.8),
        sweep=(
            {"system": "v-walt", "reading": None, "layer": 5, "timestep": 200, "learning_rate": 1e-3, "value": 0.59},
            {"system": "v-walt", "reading": None, "layer": 3, "timestep": 200, "learning_rate": 1e-3, "value": 0.51},
        ),
    )
    second = TaskResult(
        "depth",
        "depth",
        "AbsRel",
        higher_is_better=False,
        percent=False,
        clips=570,
        systems=(make_system("i-walt", 0.145, 0.004, **walt), make_system("v-walt", 0.14, 0.004, **walt)),
        gain=Gain("100·(1 − V/I)", 3.4, -0.6, 7.4),
        other_gain=Gain("100·(I/V − 1)", 3.6, -0.6, 8.0),
    )
    settings = {"train_size": 2016, "search_train_size": 1024, "validation_size": 288, "test_size": 576}
    return CompareResults(
        (first, second),
        {**settings, "resamples": 10_000, "seed": 0},
        "0123456789abcdef",
        {"v-walt": "abc"},
        {"torch": "2"},
    )
