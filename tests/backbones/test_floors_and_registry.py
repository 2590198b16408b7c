# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The floors against numpy, and names."""

import shutil
from itertools import pairwise

import numpy as np
import pytest
import torch

from hf_vdrep.backbones import LatentBackbone, PixelBackbone, WaltBackbone, open_backbone
from hf_vdrep.backbones.random_init import randomize


def features(backbone, videos, timestep=None):
    ids = [str(i) for i in range(len(videos))]
    return backbone.extract(backbone.prepare(videos), sample_ids=ids, layers=[-1], timesteps=[timestep])[0]


def test_pixels_are_means_of_the_patch_in_each_frame_of_the_step(videos):
    feature_map = features(PixelBackbone(patch=8, cells=1), videos)
    assert feature_map.values.shape == (3, 5, 4, 4, 12)
    scaled = videos.numpy().astype(np.float64) / 127.5 - 1
    means = scaled.reshape(3, 17, 4, 8, 4, 8, 3).mean(axis=(3, 5))
    for step, (start, end) in enumerate(feature_map.frame_spans.tolist()):
        frames = [start] * 4 if step == 0 else list(range(start, end))
        truth = np.concatenate([means[:, frame] for frame in frames], axis=-1)
        np.testing.assert_allclose(feature_map.values[:, step].numpy(), truth, atol=1e-6)


def test_sub_patches_average_to_the_patch(videos):
    coarse = features(PixelBackbone(cells=1), videos).values
    fine = features(PixelBackbone(cells=2), videos).values
    assert fine.shape == (3, 5, 4, 4, 48)
    torch.testing.assert_close(fine.unflatten(-1, (12, 4)).mean(-1), coarse)


def test_pixels_take_an_image(videos):
    assert features(PixelBackbone(), videos[:, :1]).values.shape == (3, 1, 4, 4, 48)


def test_latents_are_the_normalised_tokenizer_output(vae, videos):
    feature_map = features(LatentBackbone(vae), videos)
    with torch.no_grad():
        raw = vae.encode(videos.permute(0, 4, 1, 2, 3).float() / 127.5 - 1).latent_dist.mode()
    mean, std = (torch.tensor(v).view(1, -1, 1, 1, 1) for v in (vae.config.latents_mean, vae.config.latents_std))
    torch.testing.assert_close(feature_map.values, ((raw - mean) / std).permute(0, 2, 3, 4, 1), rtol=1e-4, atol=1e-5)
    assert feature_map.site == "latents"


def test_floors_take_no_noise(videos):
    with pytest.raises(ValueError, match="timestep must be None for pixels"):
        features(PixelBackbone(), videos, timestep=200)


def test_random_blocks_act(v_walt, videos):
    """Zero gates would make every block of a fresh model the identity."""
    inputs = v_walt.prepare(videos)
    maps = v_walt.extract(inputs, sample_ids=["a", "b", "c"], layers=[0, 1, 2, 3], timesteps=[200])
    for before, after in pairwise(maps):
        assert (after.values - before.values).norm() > 0.02 * before.values.norm()


def test_random_weights_follow_the_seed_and_leave_the_global_state(v_walt):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one, same, other = (randomize(v_walt.transformer, seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["adaln.weight"], other["adaln.weight"])


def test_a_folder_opens_by_its_path(pipeline_folder, v_walt):
    assert open_backbone(pipeline_folder).fingerprint == v_walt.fingerprint
    random = WaltBackbone.random_like(pipeline_folder, seed=7)
    assert random.name == "random"
    assert random.tokenizer.fingerprint == v_walt.tokenizer.fingerprint
    assert random.fingerprint != v_walt.fingerprint


def test_floors_open_by_name():
    assert open_backbone("pixels", cells=1).cells == 1


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match=r"backbone must be one of v-walt, i-walt, .* got 'v-wallt'"):
        open_backbone("v-wallt")


def test_a_folder_without_a_transformer_is_named(pipeline_folder, tmp_path):
    shutil.copytree(pipeline_folder, tmp_path / "m")
    shutil.rmtree(tmp_path / "m" / "transformer")
    with pytest.raises(OSError, match="folder must hold transformer/"):
        open_backbone(tmp_path / "m")


@pytest.mark.parametrize("damage", ["missing", "truncated", "garbage"])
def test_damaged_weights_end_in_one_line(pipeline_folder, tmp_path, damage):
    shutil.copytree(pipeline_folder, tmp_path / "m")
    (weights,) = (tmp_path / "m" / "vae").glob("*.safetensors")
    if damage == "missing":
        weights.unlink()
    else:
        content = weights.read_bytes()
        weights.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"x" * 100)
    with pytest.raises(OSError, match="folder must hold a readable vae/ of a WALT pipeline") as caught:
        open_backbone(tmp_path / "m")
    assert "\n" not in str(caught.value)
