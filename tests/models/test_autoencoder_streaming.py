# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Videos in chunks: the same bits as the whole, whatever pieces they come in, and no growing memory."""

import gc

import pytest
import torch

from hf_vdrep.models import AutoencoderWalt
from hf_vdrep.models.autoencoder_streaming import regroup


def frames_of(count: int, size: tuple[int, int] = (16, 24), batch: int = 2) -> torch.Tensor:
    return torch.rand(batch, 3, count, *size, generator=torch.Generator().manual_seed(count)) * 2 - 1


@pytest.mark.parametrize("pieces", [[1, 4, 4, 4], [1, 8, 4], [13], [1] * 13, [5, 3, 5], [2, 11]])
def test_a_streamed_encoding_is_the_encoding_to_the_bit(autoencoder: AutoencoderWalt, pieces: list[int]):
    """WALT §4.1, causal: 1 frame and then chunks of 4k."""
    video = frames_of(13)
    streamed = torch.cat(list(autoencoder.encode_stream(video.split(pieces, dim=2))), dim=2)
    assert torch.equal(streamed, autoencoder.encode(video).latent_dist.mode())


@pytest.mark.parametrize("pieces", [[1, 1, 1, 1], [4], [3, 1], [2, 2]])
def test_a_streamed_decoding_is_the_decoding_to_the_bit(autoencoder: AutoencoderWalt, pieces: list[int]):
    latents = torch.randn(2, 4, 4, 2, 3, generator=torch.Generator().manual_seed(0))
    streamed = torch.cat(list(autoencoder.decode_stream(latents.split(pieces, dim=2))), dim=2)
    assert streamed.shape == (2, 3, 13, 16, 24)
    assert torch.equal(streamed, autoencoder.decode(latents).sample)


@pytest.mark.parametrize("steps", [2, 3])
def test_larger_chunks_agree_to_rounding_and_with_their_own_stream(autoencoder: AutoencoderWalt, steps: int):
    video = frames_of(21)
    small = autoencoder.encode(video).latent_dist.mode()
    autoencoder.num_latent_frames_batch_size = steps
    large = autoencoder.encode(video).latent_dist.mode()
    torch.testing.assert_close(large, small, rtol=0, atol=1e-5)
    assert torch.equal(torch.cat(list(autoencoder.encode_stream(video.split(4, dim=2))), dim=2), large)
    pixels = autoencoder.decode(large).sample
    assert torch.equal(torch.cat(list(autoencoder.decode_stream(large.split(1, dim=2))), dim=2), pixels)


def test_chunks_by_hand_and_two_streams_at_a_time(autoencoder: AutoencoderWalt):
    """The cache is passed on, never kept: streams do not disturb each other and a chunk can be tried twice."""
    videos = frames_of(9), frames_of(10)[:, :, :9]
    caches = [autoencoder.encode_chunk(video[:, :, :1], {})[1] for video in videos]
    for start in (1, 5):
        for which, video in enumerate(videos):
            chunk = video[:, :, start : start + 4]
            discarded = autoencoder.encode_chunk(chunk, caches[which])[0]
            latents, caches[which] = autoencoder.encode_chunk(chunk, caches[which])
            assert torch.equal(latents, discarded)
            whole = autoencoder.encode(video).latent_dist.mode()
            assert torch.equal(latents, whole[:, :, (start + 3) // 4 : (start + 7) // 4])


def test_a_stream_begun_by_a_longer_chunk_goes_on_exactly(autoencoder: AutoencoderWalt):
    latents = torch.randn(1, 4, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    head, cache = autoencoder.decode_chunk(latents[:, :, :2], {})
    tail, _ = autoencoder.decode_chunk(latents[:, :, 2:], cache)
    torch.testing.assert_close(torch.cat([head, tail], dim=2), autoencoder.decode(latents).sample, rtol=0, atol=1e-5)


def test_memory_does_not_grow_with_the_length_of_a_stream(autoencoder: AutoencoderWalt):
    """Bytes of all live tensors, counted at every chunk: after the caches have filled they stay what they are."""

    def video():
        generator = torch.Generator().manual_seed(0)
        for _ in range(41):
            yield torch.rand(1, 3, 1, 16, 16, generator=generator)

    def held() -> int:
        return sum(item.untyped_storage().nbytes() for item in gc.get_objects() if torch.is_tensor(item))

    counts = [held() for _ in autoencoder.decode_stream(autoencoder.encode_stream(video()))]
    assert len(counts) == 11
    assert max(counts[2:]) == min(counts[2:])


def test_a_stream_ends_where_a_clip_could(autoencoder: AutoencoderWalt):
    with pytest.raises(ValueError, match=r"pieces must have 1 \+ 4k frames in all, got 3 too many at the end"):
        list(autoencoder.encode_stream(frames_of(8).split(1, dim=2)))
    with pytest.raises(ValueError, match="pieces must hold at least one frame, got none"):
        list(autoencoder.decode_stream([]))
    with pytest.raises(ValueError, match=r"pieces must keep \(B, C, H, W\), got \(1, 3, 8, 8\) after \(1, 3, 16, 16\)"):
        list(autoencoder.encode_stream([frames_of(1, (16, 16), 1), frames_of(4, (8, 8), 1)]))


def test_a_chunk_must_fill_latent_steps(autoencoder: AutoencoderWalt):
    _, cache = autoencoder.encode_chunk(frames_of(5), {})
    with pytest.raises(ValueError, match="sample must have a multiple of 4 frames, got 5"):
        autoencoder.encode_chunk(frames_of(5), cache)


def test_pieces_are_regrouped_in_order():
    pieces = torch.arange(12.0).view(1, 1, 12, 1, 1).split([0, 2, 3, 0, 7], dim=2)
    groups = [group.flatten().tolist() for group in regroup(pieces, 4, 1, "pieces")]
    assert groups == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11]]
