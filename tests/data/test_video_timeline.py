# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Frames by number: what was written as frame i comes back as frame i, wherever decoding begins."""

import av
import numpy as np
import pytest

from hf_vdrep.data import MediaError, write_png
from hf_vdrep.data.video_timeline import read_frames, read_photo, read_timeline


def write(path, count=40, codec="libx264", rate=12, **options):
    """Frame i is grey at level 6 i + 5."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options={"g": "7", "threads": "1", **options})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 48, 32, "yuv420p", 8_000_000
        for index in range(count):
            array = np.full((32, 48, 3), 6 * index + 5, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(array, format="rgb24")))
        container.mux(stream.encode())
    return path


CODECS = {"b-frames.mp4": "libx264", "vp8.webm": "libvpx", "no-stamps.avi": "mpeg4", "mkv.mkv": "libx264"}


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("wanted", [[0], [39], [31, 30, 31, 8], [17, 18, 19]])
def test_frames_are_those_that_were_asked_for(tmp_path, name, wanted):
    """Levels tell the frames apart; seeking to the last key frame must not shift them."""
    # Three B-frames in a row: packets come in another order than pictures.
    options = {"bf": "3", "x264-params": "bframes=3:b-adapt=0:scenecut=0"} if CODECS[name] == "libx264" else {}
    path = write(tmp_path / name, codec=CODECS[name], **options)
    with av.open(str(path)) as box:
        stamps = [packet.pts for packet in box.demux(box.streams.video[0]) if packet.size]
    if options:
        assert stamps != sorted(stamps)
    timeline = read_timeline(path)
    assert len(timeline) == 40
    frames = read_frames(timeline, wanted)
    assert frames.shape == (len(wanted), 32, 48, 3)
    np.testing.assert_allclose(frames.mean(axis=(1, 2, 3)), [6 * index + 5 for index in wanted], atol=2.5)


def test_times_and_rate_are_those_of_the_file(tmp_path):
    timeline = read_timeline(write(tmp_path / "a.mp4"))
    np.testing.assert_allclose(timeline.times, np.arange(40) / 12, atol=1e-3)
    assert timeline.rate == pytest.approx(12, rel=1e-3)
    assert timeline.nearest([0.0, 1.01, 99.0]).tolist() == [0, 12, 39]


def test_frames_out_of_range_are_refused(tmp_path):
    timeline = read_timeline(write(tmp_path / "a.mp4", count=5))
    with pytest.raises(ValueError, match=r"indices must lie in \[0, 5\)"):
        read_frames(timeline, [5])


def test_a_video_cut_short_is_an_error_not_a_shorter_video(tmp_path):
    path = write(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(MediaError, match=r"a\.mp4 is (damaged|cut short)"):
        read_frames(read_timeline(path), [0])


@pytest.mark.parametrize("content", [b"", b"hello, I am text", b"\x00\x00\x00\x18ftypisom" + b"\x00" * 40])
def test_what_is_no_video_is_an_error_with_its_name(tmp_path, content):
    (tmp_path / "odd.mp4").write_bytes(content)
    with pytest.raises(MediaError, match=r"odd\.mp4"):
        read_timeline(tmp_path / "odd.mp4")


def test_pictures_and_videos_are_not_mixed_up(tmp_path):
    write_png(tmp_path / "a.png", np.full((8, 9, 3), 77, np.uint8))
    write(tmp_path / "a.mp4", count=2)
    assert read_photo(tmp_path / "a.png").shape == (8, 9, 3)
    with pytest.raises(MediaError, match="is a picture"):
        read_timeline(tmp_path / "a.png")
    with pytest.raises(MediaError, match="is a video"):
        read_photo(tmp_path / "a.mp4")
