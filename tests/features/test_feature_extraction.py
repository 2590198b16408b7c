# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What is extracted, whatever the batches."""

import pytest
import torch

from hf_vdrep.backbones import PixelBackbone
from hf_vdrep.features import autocast_name, extract_features


def direct(backbone, clips, positions, layers, timesteps, seed=0):
    """The backbone alone, without the engine."""
    ids = [clips.ids[position] for position in positions]
    inputs = backbone.prepare(clips.pixels[positions])
    return backbone.extract(inputs, sample_ids=ids, layers=layers, timesteps=timesteps, seed=seed)


def test_features_are_those_of_the_backbone(extract, backbone, clips):
    features = extract(layers=[0, -1], timesteps=[0, 200], seed=3)
    assert features.cells == [(0, 0), (3, 0), (0, 200), (3, 200)]
    for truth in direct(backbone, clips, list(range(10)), [0, -1], [0, 200], seed=3):
        array = features[truth.layer, truth.timestep]
        torch.testing.assert_close(array[:], truth.values, rtol=1e-5, atol=1e-5)
        assert torch.equal(array.frame_spans, truth.frame_spans)
        assert (array.stride, array.site) == (truth.stride, truth.site)


@pytest.mark.parametrize("batch_size", [1, 2, 10])
def test_features_ignore_the_batch_size(extract, tmp_path, batch_size):
    one = extract()[1, 200][:]
    other = extract(batch_size=batch_size, cache_dir=tmp_path / "other")[1, 200][:]
    torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-5)


def test_features_ignore_the_order(extract, backbone, clips, tmp_path):
    order = torch.randperm(10, generator=torch.Generator().manual_seed(0)).tolist()
    turned = extract_features(
        backbone,
        lambda positions: clips.pixels[[order[position] for position in positions]],
        [clips.ids[position] for position in order],
        layers=[1],
        timesteps=[200],
        cache_dir=tmp_path / "cache",
        data_fingerprint="clips",
        dtype="float32",
        autocast_dtype=None,
        progress=False,
    )
    torch.testing.assert_close(turned[1, 200][:], extract()[1, 200][order], rtol=1e-5, atol=1e-5)


def test_bfloat16_is_near_float32_for_any_batch_size(extract, tmp_path):
    """bfloat16 keeps 8 bits: an error of a few 2 ** -8 relative to the features' size."""
    exact = extract()[1, 200][:]
    for batch_size in (2, 10):
        rounded = extract(autocast_dtype="bfloat16", batch_size=batch_size, cache_dir=tmp_path / str(batch_size))
        assert (rounded[1, 200][:] - exact).norm() < 0.03 * exact.norm()


def test_float16_on_disk_reads_as_float32(extract):
    half, full = extract(dtype="float16")[1, 200], extract()[1, 200]
    assert half.shards[0].dtype == "float16"
    assert half[:].dtype == torch.float32
    torch.testing.assert_close(half[:], full[:], rtol=1e-3, atol=1e-3)


def test_latents_kept_or_not_give_the_same_features(extract, tmp_path):
    kept = extract()[1, 200][:]
    not_kept = extract(keep_latents=False, cache_dir=tmp_path / "other")[1, 200][:]
    torch.testing.assert_close(not_kept, kept, rtol=0, atol=0)


def test_pool_averages_the_grid(extract):
    pooled, full = extract(pool=2)[1, 200], extract()[1, 200]
    torch.testing.assert_close(pooled[:], full[:].mean(dim=(2, 3), keepdim=True), rtol=1e-5, atol=1e-6)
    assert pooled.stride == 2 * full.stride


def test_rows_come_in_the_order_asked_for(extract):
    array = extract()[1, 200]
    everything = array[:]
    assert array.shape == everything.shape == (10, 2, 2, 2, 16)
    assert torch.equal(array[[9, 0, 4, 4]], everything[[9, 0, 4, 4]])
    assert torch.equal(array[torch.tensor([3, 7])], everything[[3, 7]])
    assert torch.equal(array[-1], everything[9])
    assert array.feature_map([5, 2]).values.shape[0] == 2
    with pytest.raises(IndexError, match=r"index must lie in \[-10, 9\]"):
        array[[10]]


def test_a_backbone_without_noise(clips, tmp_path):
    features = extract_features(
        PixelBackbone(),
        clips,
        clips.ids,
        layers=[0],
        timesteps=[None],
        cache_dir=tmp_path,
        data_fingerprint="clips",
        progress=False,
    )
    assert features[0, None].shape == (10, 2, 2, 2, 48)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": [4]}, "layer must lie in"),
        ({"layers": []}, "layers must name"),
        ({"timesteps": [1000]}, "timestep must lie in"),
        ({"timesteps": []}, "timesteps must name"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"dtype": "int4"}, "dtype must be"),
        ({"autocast_dtype": "tf32"}, "autocast_dtype must be"),
        ({"pool": 3}, "pool must divide"),
    ],
)
def test_wrong_arguments_are_named(extract, wrong, message):
    with pytest.raises(ValueError, match=message):
        extract(**wrong)


def test_features_beyond_float16_are_refused(extract, backbone, monkeypatch):
    monkeypatch.setattr(backbone.transformer.blocks[1], "forward", lambda tokens, *rest: tokens + 1e6)
    with pytest.raises(ValueError, match="must be finite in float16"):
        extract(dtype="float16")


def test_precision_names():
    cpu = torch.device("cpu")
    assert autocast_name(None, cpu) == "none"
    assert autocast_name("auto", cpu) in ("none", "bfloat16")
