# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""WALT's features against block outputs taken by hooks from full forward passes."""

import pytest
import torch
from diffusers import FirstBlockCacheConfig

from hf_vdrep.backbones import LatentBackbone, WaltBackbone, sample_noise

IDS = ["a", "b", "c"]


def pixels(videos):
    return videos.permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def noised(backbone, latents, timestep):
    """sqrt(g) x + sqrt(1 - g) e with the scheduler's own table."""
    noise = sample_noise(latents.shape, seed=0, sample_ids=IDS[: len(latents)], timestep=timestep)
    level = backbone.scheduler.alphas_cumprod[timestep]
    return level.sqrt() * latents + (1 - level).sqrt() * noise


def hooked(transformer, noisy, timestep, layer):
    """Output of one block in a full forward pass."""
    taken = []
    handle = transformer.blocks[layer].register_forward_hook(lambda module, inputs, output: taken.append(output))
    with torch.no_grad():
        transformer(noisy, torch.full((len(noisy),), timestep))
    handle.remove()
    return taken[0].unflatten(1, (noisy.shape[2], noisy.shape[3], noisy.shape[4]))


def extract(backbone, videos, layers=(2,), timesteps=(200,), ids=None):
    ids = IDS[: len(videos)] if ids is None else ids
    return backbone.extract(backbone.prepare(videos), sample_ids=ids, layers=layers, timesteps=timesteps, seed=0)


def encode(vae, videos):
    with torch.no_grad():
        return vae.normalize(vae.encode(pixels(videos)).latent_dist.mode())


def test_v_walt_gives_the_block_output_of_a_full_pass(v_walt, videos):
    maps = extract(v_walt, videos, layers=[0, -1], timesteps=[0, 200])
    latents = encode(v_walt.vae, videos)
    assert [(m.timestep, m.layer) for m in maps] == [(0, 0), (0, 3), (200, 0), (200, 3)]
    for feature_map in maps:
        truth = hooked(
            v_walt.transformer, noised(v_walt, latents, feature_map.timestep), feature_map.timestep, feature_map.layer
        )
        torch.testing.assert_close(feature_map.values, truth, rtol=1e-4, atol=1e-5)
        assert feature_map.frame_spans.tolist()[-1] == [13, 17]
        assert feature_map.stride == 8


@pytest.mark.parametrize("video_as", ["stack", "stride", "frames"])
def test_i_walt_reads_a_clip_as_independent_images(vae, image_transformer, videos, video_as):
    """Every step equals a pass over that image alone, with its part of the clip's noise."""
    backbone = WaltBackbone(vae, image_transformer, video_as=video_as)
    (feature_map,) = extract(backbone, videos)
    if video_as == "stack":
        latents = encode(vae, videos)
    else:
        frames = range(17) if video_as == "frames" else (0, 4, 8, 12, 16)
        latents = torch.cat([encode(vae, videos[:, f : f + 1]) for f in frames], dim=2)
    noisy = noised(backbone, latents, 200)
    assert feature_map.values.shape[1] == noisy.shape[2] == len(feature_map.frame_spans)
    for step in range(noisy.shape[2]):
        for sample in range(len(videos)):
            truth = hooked(image_transformer, noisy[sample : sample + 1, :, step : step + 1], 200, 2)
            torch.testing.assert_close(feature_map.values[sample, step], truth[0, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("video_as", "seen"), [("stack", range(17)), ("stride", (0, 4, 8, 12, 16)), ("frames", range(17))]
)
def test_spans_are_the_frames_that_a_reading_has_seen(vae, image_transformer, videos, video_as, seen):
    (feature_map,) = extract(WaltBackbone(vae, image_transformer, video_as=video_as), videos[:1])
    covered = [frame for start, end in feature_map.frame_spans.tolist() for frame in range(start, end)]
    assert covered == list(seen)


def test_an_image_is_one_latent_frame(v_walt, videos):
    """WALT §4.2: spatiotemporal blocks pass images by the identity rule, the same for a masked stack."""
    (feature_map,) = extract(v_walt, videos[:, :1], layers=[3])
    assert feature_map.values.shape == (3, 1, 4, 4, 32)
    assert feature_map.frame_spans.tolist() == [[0, 1]]
    noisy = noised(v_walt, encode(v_walt.vae, videos[:, :1]), 200).repeat(1, 1, 5, 1, 1)
    with torch.no_grad():
        (stack,) = v_walt.transformer.forward_intermediates(
            noisy, torch.full((3,), 200), [3], image_mask=torch.ones(3, dtype=torch.bool)
        )
    torch.testing.assert_close(feature_map.values, stack[:, 4:], rtol=1e-4, atol=1e-5)


def test_nothing_runs_after_the_deepest_block(v_walt, videos):
    calls = []
    handles = [
        block.register_forward_hook(lambda module, inputs, output, index=index: calls.append(index))
        for index, block in enumerate(v_walt.transformer.blocks)
    ]
    early = extract(v_walt, videos, layers=[1, 0])
    for handle in handles:
        handle.remove()
    assert calls == [0, 1]
    full = extract(v_walt, videos, layers=[1, 0, 3])
    for one, other in zip(early, full, strict=False):
        torch.testing.assert_close(one.values, other.values, rtol=0, atol=0)


def test_features_ignore_batch_and_order(v_walt, videos):
    (together,) = extract(v_walt, videos)
    (turned,) = extract(v_walt, videos[[2, 0]], ids=["c", "a"])
    torch.testing.assert_close(turned.values, together.values[[2, 0]], rtol=1e-5, atol=1e-5)


def test_the_tokenizer_runs_once_for_all_levels(v_walt, videos, monkeypatch):
    calls = []
    encode_once = v_walt.vae.encode
    monkeypatch.setattr(v_walt.vae, "encode", lambda *args: (calls.append(1), encode_once(*args))[1])
    extract(v_walt, videos, timesteps=[0, 100, 200])
    assert calls == [1]


def test_inputs_from_the_tokenizers_features_are_those_prepared(v_walt, videos):
    tokens = extract(v_walt.tokenizer, videos, layers=[0], timesteps=[None])[0]
    inputs, truth = v_walt.inputs_from(tokens), v_walt.prepare(videos)
    torch.testing.assert_close(inputs.latents, truth.latents, rtol=0, atol=0)
    assert torch.equal(inputs.frame_spans, truth.frame_spans)


def test_the_twins_share_a_tokenizer(v_walt, vae, image_transformer):
    """So that its work is kept once for both."""
    i_walt = WaltBackbone(vae, image_transformer)
    assert i_walt.tokenizer.fingerprint == v_walt.tokenizer.fingerprint == LatentBackbone(vae).fingerprint
    assert i_walt.fingerprint != v_walt.fingerprint


def test_a_denoiser_that_skips_blocks_is_refused(v_walt, videos):
    """A cache would give blocks what they put out at another noise level."""
    v_walt.transformer.enable_cache(FirstBlockCacheConfig(threshold=0.1))
    try:
        with pytest.raises(ValueError, match="transformer must have no cache enabled"):
            extract(v_walt, videos)
    finally:
        v_walt.transformer.disable_cache()
    extract(v_walt, videos[:, :5])


@pytest.mark.parametrize("timestep", [-1, 1000, None])
def test_a_wrong_timestep_is_named(v_walt, videos, timestep):
    with pytest.raises(ValueError, match=rf"timestep must lie in \[0, 999\], got {timestep}"):
        extract(v_walt, videos, timesteps=[timestep])


@pytest.mark.parametrize("layer", [4, -5, 0.0, 1.5])
def test_a_wrong_layer_is_named(v_walt, videos, layer):
    with pytest.raises(ValueError, match=r"layer .*must lie in"):
        extract(v_walt, videos, layers=[layer])


@pytest.mark.parametrize(
    ("shape", "message"),
    [((1, 16, 32, 32, 3), "1 [+] 4k frames, got 16"), ((1, 21, 32, 32, 3), "at most 17 frames, got 21")],
)
def test_wrong_frame_counts_are_named(v_walt, shape, message):
    with pytest.raises(ValueError, match=message):
        v_walt.prepare(torch.zeros(shape, dtype=torch.uint8))


@pytest.mark.parametrize("wrong", [torch.zeros(1, 17, 32, 32, 3), torch.zeros(17, 32, 32, 3, dtype=torch.uint8)])
def test_only_uint8_batches_of_videos_are_taken(v_walt, wrong):
    with pytest.raises(ValueError, match="videos must be uint8"):
        v_walt.prepare(wrong)


def test_video_as_must_suit_the_objective(vae, image_transformer):
    assert WaltBackbone(vae, image_transformer).video_as == "stack"
    with pytest.raises(ValueError, match="video_as must be 'stack', 'stride' or 'frames'"):
        WaltBackbone(vae, image_transformer, video_as="video")
    with pytest.raises(ValueError, match="video_as must be 'auto' or one of"):
        WaltBackbone(vae, image_transformer, video_as="film")


def test_the_fingerprint_follows_weights_config_and_reading(v_walt, pipeline_folder):
    again = WaltBackbone.from_pretrained(pipeline_folder)
    assert again.fingerprint == v_walt.fingerprint
    assert WaltBackbone.from_pretrained(pipeline_folder, video_as="frames").fingerprint != v_walt.fingerprint
    changed = WaltBackbone.from_pretrained(pipeline_folder)
    changed.transformer.blocks[0].attn.to_q.weight.data[0, 0] += 1e-3
    assert changed.fingerprint != v_walt.fingerprint
