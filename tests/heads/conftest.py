# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Folders of tiny models, and every kind of model in turn."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_heads import CLASSES, DENOISER, HEADS, VAE, make, scatter

from hf_vdrep.models import AutoencoderWalt, WaltPipeline, WaltTransformer3DModel, make_scheduler


@pytest.fixture(params=list(CLASSES))
def kind(request: pytest.FixtureRequest) -> str:
    """Every model of the transformers face in turn."""
    return request.param


@pytest.fixture(params=HEADS)
def head(request: pytest.FixtureRequest) -> str:
    """Every head in turn."""
    return request.param


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder written by the pipeline; do not change it."""
    target = tmp_path_factory.mktemp("heads") / "walt"
    vae, transformer = AutoencoderWalt(**VAE), WaltTransformer3DModel(**DENOISER)
    WaltPipeline(scatter(vae), scatter(transformer), make_scheduler()).save_pretrained(target)
    return target


@pytest.fixture(scope="session")
def saved_heads(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """kind -> a folder written by that model; do not change it."""
    root, written = tmp_path_factory.mktemp("saved_heads"), {}

    def save(name: str) -> Path:
        if name not in written:
            make(name).save_pretrained(root / name)
            written[name] = root / name
        return written[name]

    return save
