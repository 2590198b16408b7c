# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Choice of frames: a player's rule, checked by hand."""

import itertools

import pytest

from hf_vdrep.data.media_sampling import select_frames, settle_length


def stream(count, rate):
    return ((i / rate, 1 / rate, i) for i in range(count))


def test_each_instant_gets_the_frame_on_screen():
    """At 30 fps, 1/8 s is 3.75 frames: frames 0, 3, 7, 11, 15 are on screen at 0, 1/8, 2/8, 3/8, 4/8 s."""
    chosen = list(select_frames(stream(100, 30), num_frames=5, fps=8.0, start=0.0))
    assert [frame for _, frame in chosen] == [0, 3, 7, 11, 15]
    assert [time for time, _ in chosen] == [0.0, 0.125, 0.25, 0.375, 0.5]


def test_slow_video_repeats_what_stays_on_screen():
    chosen = list(select_frames(stream(3, 2), num_frames=99, fps=4.0, start=0.0))
    assert [frame for _, frame in chosen] == [0, 0, 1, 1, 2, 2]


def test_equal_rates_take_every_frame_in_spite_of_rounded_clocks():
    rounded = ((round(i / 24, 3), 0.041, i) for i in range(24))
    assert [f for _, f in select_frames(rounded, num_frames=24, fps=24.0, start=0.0)] == list(range(24))


def test_start_skips_and_none_takes_consecutive_frames():
    assert [f for _, f in select_frames(stream(100, 10), num_frames=3, fps=5.0, start=2.0)] == [20, 22, 24]
    assert [f for _, f in select_frames(stream(100, 10), num_frames=3, fps=None, start=2.0)] == [20, 21, 22]
    assert list(select_frames(stream(10, 10), num_frames=3, fps=5.0, start=5.0)) == []


def test_endless_stream_is_read_no_further_than_needed():
    read = []
    endless = ((i / 10, 0.1, read.append(i) or i) for i in itertools.count())
    assert len(list(select_frames(endless, num_frames=5, fps=10.0, start=0.0))) == 5
    assert len(read) == 6


@pytest.mark.parametrize(
    ("available", "kept"), [(1, 1), (2, 5), (4, 5), (5, 5), (8, 5), (9, 9), (16, 13), (17, 17), (40, 17)]
)
def test_short_video_is_trimmed_to_the_tokenizers_lengths_but_stays_a_video(available, kept):
    """WALT §4.1: clips have 1 + 4k frames."""
    assert settle_length(available, 17, "trim") == kept
    assert settle_length(available, 17, "repeat") == 17
