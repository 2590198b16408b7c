# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Marker of the browser tests, and what the tests of the app share."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hf_vdrep.app.comparison import Comparer
from hf_vdrep.app.settings import AppSettings
from hf_vdrep.app.shelf import Shelf
from hf_vdrep.data.video_write import write_video


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: end to end in headless Chromium (make test-browser)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Browser tests run by their own command, `-m browser`, alone."""
    if "browser" in (config.option.markexpr or ""):
        return
    apart = [item for item in items if item.get_closest_marker("browser")]
    if apart:
        config.hook.pytest_deselected(items=apart)
        items[:] = [item for item in items if item not in apart]


@pytest.fixture(scope="session")
def comparer() -> Comparer:
    return Comparer(Shelf(AppSettings()))


@pytest.fixture(scope="session")
def mp4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real video: a bright square walks over a gradient for 3 seconds."""
    frames = np.zeros((24, 96, 128, 3), np.uint8)
    frames[:] = np.linspace(30, 160, 128, dtype=np.uint8)[None, None, :, None]
    for index, frame in enumerate(frames):
        frame[30:60, 4 * index : 4 * index + 30] = (240, 200, 40)
    path = tmp_path_factory.mktemp("media") / "square.mp4"
    write_video(path, torch.from_numpy(frames), 8.0)
    return path
