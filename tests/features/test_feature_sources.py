# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Data sets by name."""

import numpy as np
import pytest
import torch
from PIL import Image

from hf_vdrep.data import ProbeWorld
from hf_vdrep.features import open_source


def test_probeworld_gives_its_own_clips():
    source = open_source("probeworld:train", size=3, resolution=32)
    assert source.sample_ids == [f"probeworld-train-{index}" for index in range(3)]
    assert torch.equal(source.videos([2, 0]), ProbeWorld("train", 3, source.config).render_batch([2, 0]))


def test_a_fingerprint_follows_the_content_alone(tmp_path):
    small = open_source("probeworld", size=3, resolution=32)
    assert small.fingerprint == open_source("probeworld:test", size=9, resolution=32).fingerprint
    assert small.fingerprint != open_source("probeworld:train", size=3, resolution=32).fingerprint
    picture = tmp_path / "a" / "b.png"
    picture.parent.mkdir()
    Image.fromarray(np.full((8, 8, 3), 7, np.uint8)).save(picture)
    before = open_source(str(tmp_path)).fingerprint
    assert open_source(str(tmp_path)).fingerprint == before
    Image.fromarray(np.full((8, 8, 3), 8, np.uint8)).save(picture)
    assert open_source(str(tmp_path)).fingerprint != before


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    for name, value in (("b.png", 50), ("a.jpg", 200), ("notes.txt", None)):
        if value is None:
            (tmp_path / name).write_text("no picture")
        else:
            Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(tmp_path / name)
    source = open_source(str(tmp_path), num_frames=5, resolution=16)
    assert source.sample_ids == ["a.jpg", "b.png"]
    clips = source.videos([1, 0])
    assert clips.shape == (2, 5, 16, 16, 3)
    assert clips[0].unique().tolist() == [50]


@pytest.mark.parametrize("name", ["probeworld:moon", "no/such/folder"])
def test_an_unknown_data_set_is_named(name):
    with pytest.raises(ValueError, match=f"got '{name}'"):
        open_source(name)


def test_an_empty_folder_is_no_data_set(tmp_path):
    with pytest.raises(ValueError, match="data must hold pictures or videos"):
        open_source(str(tmp_path))
