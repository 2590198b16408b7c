# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The renderer's promises about devices, checked where there is only a CPU: where tensors are made, and rounding."""

import dataclasses

import numpy as np
import pytest
import torch

from hf_vdrep.data.probeworld import ProbeWorld, ProbeWorldConfig
from hf_vdrep.data.probeworld.render import render


@pytest.fixture(scope="module")
def scenes(world):
    return [world.scene(index) for index in range(12)]


def test_every_tensor_is_made_on_the_device_of_the_tables(world, scenes):
    """With an unusable default device, a tensor made without its inputs' device would stop the renderer."""
    smooth = dataclasses.replace(world.config, antialias=0.3)
    expected = render(scenes[:3], smooth, world._texels).video
    with torch.device("meta"):
        found = render(scenes[:3], smooth, world._texels).video
    assert torch.equal(found, expected)


def test_rounding_moves_few_pixels_by_more_than_one_level(world, scenes):
    """Devices differ by rounding; float64 differs from float32 by more. Within 1/255 on 99.9 % of the pixels."""
    single, double = (
        render(scenes, world.config, world._texels, dtype=dtype) for dtype in (torch.float32, torch.float64)
    )
    steps = (single.video.int() - double.video.int()).abs().amax(-1)
    assert (steps <= 1).float().mean() >= 0.999
    assert (single.instance == double.instance).float().mean() >= 0.9999


def test_labels_come_from_the_cpu_whatever_draws_the_pixels(world, monkeypatch):
    """A world whose device draws wrong surfaces and other pixels still gives the labels of the CPU."""

    def elsewhere(scenes, config, texels):
        frames = render(scenes, config, texels)
        return dataclasses.replace(
            frames, video=255 - frames.video, depth=frames.depth * 0, instance=frames.instance * 0
        )

    expected = world.batch(range(3))
    other = ProbeWorld("train", 1000, world.config)
    other.device = torch.device("cuda")
    monkeypatch.setattr("hf_vdrep.data.probeworld.world.render", elsewhere)
    for sample, reference in zip(other.batch(range(3)), expected, strict=True):
        assert torch.equal(sample.pop("video"), 255 - reference["video"])
        for name, value in sample.items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(reference[name])) if name != "id" else True


def test_pixels_do_not_depend_on_chunks_or_threads(world, scenes):
    expected = render(scenes, world.config, world._texels, chunk=8).video
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert torch.equal(render(scenes, world.config, world._texels, chunk=5).video, expected)
    finally:
        torch.set_num_threads(before)


def test_base_shows_the_same_clips_as_tiny_at_twice_the_side():
    """Scene graphs do not depend on the resolution; blurred down, the large frame is nearly the small one."""
    tiny, base = (
        ProbeWorld("test", 8, ProbeWorldConfig.preset(name, num_frames=3, photographs=False))
        for name in ("tiny", "base")
    )
    assert base.config.resolution == 128 and tiny.config.resolution == 64
    small, large = tiny.batch([3])[0], base.batch([3])[0]
    for name in ("pose", "boxes"):
        assert torch.equal(small[name], large[name])
    assert all(small[task] == large[task] for task in ("object", "scene", "fine", "action_coarse", "action_many"))
    halved = large["video"].float().unflatten(1, (64, 2)).unflatten(3, (64, 2)).mean((2, 4))
    assert (halved - small["video"].float()).abs().mean() < 6
    np.testing.assert_allclose(large["intrinsics"][:2], 2 * small["intrinsics"][:2])


def test_unknown_presets_are_named():
    with pytest.raises(ValueError, match=r"preset must be one of \('tiny', 'base'\), got 'huge'"):
        ProbeWorldConfig.preset("huge")
