# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A small ProbeWorld for the tests of this folder."""

import dataclasses

import pytest

from hf_vdrep.data.probeworld import ProbeWorld, ProbeWorldConfig


@pytest.fixture(scope="session")
def small_config() -> ProbeWorldConfig:
    """Five frames, no photographs: the same on every installation."""
    return ProbeWorldConfig(num_frames=5, resolution=48, photographs=False)


@pytest.fixture(scope="session")
def world(small_config: ProbeWorldConfig) -> ProbeWorld:
    return ProbeWorld("train", 1000, small_config)


@pytest.fixture(scope="session")
def samples(world: ProbeWorld) -> list:
    """The first twelve clips with all labels."""
    return world.batch(range(12))


@pytest.fixture(scope="session")
def sphere_config(small_config: ProbeWorldConfig) -> ProbeWorldConfig:
    return dataclasses.replace(small_config, num_tracks=128)
