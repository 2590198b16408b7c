# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frames of clips: by arithmetic."""

import numpy as np
import pytest

from hf_vdrep.data.clip_sampling import ClipSampling, ShortClip, clip_indices
from hf_vdrep.data.multi_view import clip_of, mean_softmax, view_id


def test_a_clip_lies_in_the_middle_at_its_stride():
    (indices,) = clip_indices(101, ClipSampling(num_frames=5, stride=10))
    assert indices.tolist() == [30, 40, 50, 60, 70]


def test_a_clip_can_begin_at_the_start():
    (indices,) = clip_indices(101, ClipSampling(num_frames=3, stride=4, anchor="start"))
    assert indices.tolist() == [0, 4, 8]


def test_segments_reach_from_the_first_frame_to_the_last():
    """V-JEPA's eight segments of Kinetics: 300 frames, 16 at stride 4."""
    clips = clip_indices(300, ClipSampling(num_frames=16, stride=4, segments=8))
    assert len(clips) == 8 and clips[0][0] == 0 and clips[-1][-1] == 299
    gaps = np.diff([clip[0] for clip in clips])
    assert gaps.max() - gaps.min() <= 1


def test_frames_a_second_follow_the_sources_rate():
    (indices,) = clip_indices(60, ClipSampling(num_frames=5, fps=8.0, anchor="start"), rate=30.0)
    assert indices.tolist() == [0, 4, 8, 11, 15]  # 3.75 source frames a step
    with pytest.raises(ValueError, match="needs a source of known frame rate"):
        clip_indices(60, ClipSampling(num_frames=5, fps=8.0))


def test_jitter_reaches_every_start_and_follows_the_draw():
    sampling = ClipSampling(num_frames=3, stride=2, jitter=True)
    starts = [int(clip_indices(10, sampling, rng=np.random.default_rng(seed))[0][0]) for seed in range(200)]
    assert set(starts) == set(range(6))
    again = [int(clip_indices(10, sampling, rng=np.random.default_rng(seed))[0][0]) for seed in range(200)]
    assert starts == again
    with pytest.raises(ValueError, match="rng must be given"):
        clip_indices(10, sampling)


def test_jittered_segments_stay_in_their_shares():
    sampling = ClipSampling(num_frames=2, segments=4, jitter=True)
    for seed in range(50):
        starts = [clip[0] for clip in clip_indices(41, sampling, rng=np.random.default_rng(seed))]
        assert all(10 * place <= start <= 10 * (place + 1) for place, start in enumerate(starts))


def test_a_video_shorter_than_the_clip_repeats_its_last_frame():
    (indices,) = clip_indices(4, ClipSampling(num_frames=6))
    assert indices.tolist() == [0, 1, 2, 3, 3, 3]
    (strided,) = clip_indices(4, ClipSampling(num_frames=4, stride=2))
    assert strided.tolist() == [0, 2, 3, 3]


@pytest.mark.parametrize("short", ["error", "skip"])
def test_a_video_shorter_than_the_clip_can_be_refused(short):
    with pytest.raises(ShortClip, match="has 4 frames; a clip spans 6"):
        clip_indices(4, ClipSampling(num_frames=6, short=short))


def test_an_exact_fit_is_not_short():
    (indices,) = clip_indices(9, ClipSampling(num_frames=5, stride=2, short="error"))
    assert indices.tolist() == [0, 2, 4, 6, 8]


@pytest.mark.parametrize(
    "options, words",
    [
        ({"num_frames": 0}, "num_frames must be at least 1"),
        ({"stride": 0}, "stride must be at least 1"),
        ({"fps": -1.0}, "fps must be a number above 0"),
        ({"short": "loop"}, "short must be one of"),
        ({"anchor": "end"}, "anchor must be"),
    ],
)
def test_impossible_samplings_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        ClipSampling(**options)


def test_views_of_a_video_answer_by_their_mean_soft_max():
    """By hand: soft-max of (0, log 3) is (1/4, 3/4), of (log 3, 0) its mirror, of (0, 0) one half."""
    third = np.log(3.0)
    logits = np.array([[0, third], [5.0, 5.0], [third, 0], [0, third]])
    ids = [view_id("b", 0, 0), view_id("a", 0, 1), view_id("b", 1, 2), view_id("b", 0, 1)]
    names, shares = mean_softmax(logits, ids)
    assert names == ["b", "a"]
    np.testing.assert_allclose(shares, [[5 / 12, 7 / 12], [0.5, 0.5]])


def test_mean_of_soft_max_is_not_the_soft_max_of_the_mean():
    """One confident view of three: the order of the two steps decides."""
    logits = np.array([[40.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    _, shares = mean_softmax(logits, ["v#0.0", "v#0.1", "v#0.2"])
    np.testing.assert_allclose(shares[0, 0], (1 + 2 / (1 + np.e)) / 3, rtol=1e-6)


@pytest.mark.parametrize("name", ["abc", "a#b", "n01440764_10026", "a#1.2.3"])
def test_names_that_only_look_like_views_stay_whole(name):
    assert clip_of(name) == name and clip_of(view_id(name, 3, 1)) == name


def test_numbers_of_logits_and_names_must_agree():
    with pytest.raises(ValueError, match="one row for each of 2 ids"):
        mean_softmax(np.zeros((3, 4)), ["a", "b"])
