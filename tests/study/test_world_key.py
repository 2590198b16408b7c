# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The key under which a world's splits are kept."""

import dataclasses
import hashlib

import numpy as np
import pytest

from hf_vdrep.data import ProbeWorld, ProbeWorldConfig
from hf_vdrep.study.compare import splits

SMALL = ProbeWorldConfig(num_frames=3, resolution=16, num_tracks=4, photographs=False)


@pytest.fixture
def fresh():
    """No key that a test made outlives it."""
    splits.world_key.cache_clear()
    yield
    splits.world_key.cache_clear()


def test_under_the_known_rule_the_key_is_of_settings_and_first_clip_alone(fresh):
    """What was rendered and measured before the rule was part of the key stays found."""
    digest = hashlib.sha256(repr(sorted(dataclasses.asdict(SMALL).items())).encode())
    sample = ProbeWorld("train", 1, SMALL)[0]
    for name in ("video", *splits.LABELS):
        digest.update(np.ascontiguousarray(sample[name]).tobytes())
    assert splits.world_key(SMALL) == digest.hexdigest()[:10]


def test_a_rule_that_chooses_other_clips_has_another_key(fresh, monkeypatch):
    known = splits.world_key(SMALL)
    splits.world_key.cache_clear()
    monkeypatch.setattr(splits, "membership_digest", lambda: "another")
    assert splits.world_key(SMALL) != known
