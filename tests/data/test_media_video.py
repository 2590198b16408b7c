# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Videos, written here by PyAV: what is inside is known frame by frame."""

import struct

import av
import numpy as np
import pytest
import torch

from hf_vdrep.data import MediaError, load_clip, read_clip, video


def write(path, count=24, size=(64, 48), codec="libx264", pix_fmt="yuv420p", rate=8, options=None, stream_options=None):
    """Frame i is grey at level 10 i + 10; its upper left quarter is red."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=stream_options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        for index in range(count):
            array = np.full((size[1], size[0], 3), (10 * index + 10) % 256, np.uint8)
            array[: size[1] // 2, : size[0] // 2] = (220, 20, 20)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(array, format="rgb24")))
        container.mux(stream.encode())
    return path


def levels(frames):
    return frames[:, -4, -4, :].float().mean(-1)


KINDS = {
    "h264.mp4": {},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "vp8.webm": {"codec": "libvpx"},
    "h264.mov": {},
    "ten-bit.mp4": {"codec": "libx265", "pix_fmt": "yuv420p10le", "stream_options": {"x265-params": "log-level=none"}},
    "ten-bit-422.mov": {"codec": "prores_ks", "pix_fmt": "yuv422p10le"},
    "full-444.mkv": {"codec": "libx264", "pix_fmt": "yuv444p"},
    "old.avi": {"codec": "mpeg4"},
}


@pytest.mark.parametrize("name", KINDS)
def test_every_container_and_depth_gives_the_frames_that_were_written(tmp_path, name):
    clip = load_clip(write(tmp_path / name, **KINDS[name]), num_frames=17, fps=8.0, resolution=48)
    assert clip.frames.shape == (17, 48, 48, 3)
    assert clip.source_size == (64, 48)
    expected = torch.tensor([10.0 * i + 10 for i in range(17)])
    assert (levels(clip.frames) - expected).abs().max() < 6
    assert (clip.frames[3, 4, 4].int() - torch.tensor([220, 20, 20])).abs().max() < 24


def test_greyscale_video_is_grey(tmp_path):
    frames = read_clip(write(tmp_path / "grey.mkv", codec="ffv1", pix_fmt="gray"), resolution=16)
    assert frames.float().std(dim=-1).max() < 2


def test_transparent_video_is_composited_over_white(tmp_path):
    with av.open(str(tmp_path / "clear.mov"), "w") as container:
        stream = container.add_stream("qtrle", rate=8)
        stream.width = stream.height = 16
        stream.pix_fmt = "argb"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 4), np.uint8), format="argb")))
        container.mux(stream.encode())
    assert read_clip(tmp_path / "clear.mov", resolution=8).min() > 250


def test_display_rotation_is_applied(tmp_path):
    """A phone held upright writes the matrix (0 1; -1 0) into `tkhd`: the picture turns clockwise by a quarter."""
    path = write(tmp_path / "held.mp4")
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    assert struct.unpack(">9i", data[matrix : matrix + 36])[0] == 1 << 16
    turned = [0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30]
    data[matrix : matrix + 36] = struct.pack(">9i", *turned)
    path.write_bytes(data)
    clip = load_clip(path, resolution=(64, 48))
    assert clip.source_size == (48, 64)
    red = (clip.frames[3].int() - torch.tensor([220, 20, 20])).abs().amax(-1) < 30
    assert red[:24, 32:].all() and not red[40:].any() and not red[:, :16].any()  # upper left went to the upper right


def test_later_start_seeks_to_the_same_frames(tmp_path):
    path = write(tmp_path / "long.mp4", count=24, stream_options={"g": "5"})
    late = load_clip(path, num_frames=5, fps=8.0, start=1.5, resolution=16)
    assert late.times == (1.5, 1.625, 1.75, 1.875, 2.0)
    assert torch.equal(late.frames, read_clip(path, num_frames=17, resolution=16)[12:17])
    with pytest.raises(MediaError, match="nothing at start=9 s"):
        load_clip(path, start=9)


@pytest.mark.parametrize(("count", "length", "repeated"), [(1, 1, 0), (2, 5, 3), (7, 5, 0), (12, 9, 0)])
def test_short_videos_are_trimmed_or_lengthened_as_documented(tmp_path, count, length, repeated):
    clip = load_clip(write(tmp_path / "short.mp4", count=count), resolution=16)
    assert (len(clip.frames), len(clip.times), clip.repeated) == (length, length, repeated)
    assert load_clip(tmp_path / "short.mp4", resolution=16, short="repeat").frames.shape[0] == 17


def test_long_video_keeps_only_the_frames_of_the_clip(tmp_path, monkeypatch):
    """2,000 frames: no more pictures are converted than the clip holds, and no more frames are alive than a few."""
    path = write(tmp_path / "long.mp4", count=2000, size=(16, 16), rate=100, stream_options={"preset": "ultrafast"})
    made, alive, most = [], 0, 0
    original = video.Decoded

    class Counted(original):
        def __post_init__(self):
            nonlocal alive, most
            alive += 1
            most = max(most, alive)

        def __del__(self):
            nonlocal alive
            alive -= 1

    monkeypatch.setattr(video, "Decoded", Counted)
    monkeypatch.setattr(
        "hf_vdrep.data.media.to_picture", lambda *a: made.append(1) or video.to_picture(*a), raising=True
    )
    frames = read_clip(path, num_frames=17, fps=1.0, resolution=8)
    assert frames.shape[0] == 17
    assert len(made) == 17
    assert most <= 3


def refusals(folder):
    good = write(folder / "good.mp4", options={"movflags": "faststart"}).read_bytes()
    late = write(folder / "late.mp4").read_bytes()
    webm = write(folder / "good.webm", codec="libvpx-vp9").read_bytes()
    head = good.index(b"mdat") + 8
    yield "empty.mp4", b"", "is empty"
    yield "text.mp4", b"Dear reader,\nthis is no video.\n" * 50, "is neither a photo"
    yield "playlist.mp4", b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n", "is neither a photo"
    yield "script.mp4", b"ffconcat version 1.0\nfile good.mp4\n", "is neither a photo"
    yield "no-index.mp4", late[: len(late) // 2], "is cut short: \\d+ bytes are missing"
    yield "no-data.mp4", good[:head], "is cut short"
    yield "half.mp4", good[: head + (len(good) - head) // 3], "is cut short"
    yield "half.webm", webm[: len(webm) // 2], "is cut short"
    yield "noise.mp4", good[:8] + np.random.default_rng(0).bytes(4000), "noise.mp4 is|noise.mp4 holds"
    yield "header.webm", webm[:40], "header.webm is|header.webm holds"
    yield "still.heic", good[:4] + b"ftypheic" + good[12:], "is a heic still"


def test_bad_files_end_in_one_line_with_name_and_reason(tmp_path):
    for name, data, reason in refusals(tmp_path):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaError, match=reason) as caught:
            read_clip(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)


def test_places_that_are_no_files_are_named(tmp_path):
    for path, reason in ((tmp_path / "none.mp4", "does not exist"), (tmp_path, "is a folder")):
        with pytest.raises(MediaError, match=reason):
            read_clip(path)


def test_sound_without_pictures_is_refused(tmp_path):
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(MediaError, match="no video stream"):
        read_clip(tmp_path / "sound.mp4")


def test_huge_frames_are_refused_by_their_header(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "MAX_VIDEO_PIXELS", 1000)
    with pytest.raises(MediaError, match="64x48 pixels; at most"):
        read_clip(write(tmp_path / "large.mp4", count=2))


@pytest.mark.parametrize("seed", range(30))
def test_flipped_bytes_end_in_frames_or_a_media_error(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path = write(tmp_path / ("hurt.mp4" if seed % 2 else "hurt.webm"), codec="libx264" if seed % 2 else "libvpx")
    data = bytearray(path.read_bytes())
    for position in rng.integers(16, len(data), 12):
        data[position] = rng.integers(256)
    path.write_bytes(data)
    try:
        assert read_clip(path, resolution=8).shape[1:] == (8, 8, 3)
    except MediaError as error:
        assert "hurt." in str(error)


@pytest.mark.parametrize(
    ("argument", "value"),
    [("num_frames", 0), ("fps", 0.0), ("fps", float("nan")), ("resolution", 0), ("crop", "x"), ("start", -1.0),
     ("short", "x"), ("start", float("nan"))],
)  # fmt: skip
def test_wrong_arguments_are_named_with_their_value(tmp_path, argument, value):
    with pytest.raises(ValueError, match=f"{argument} must.*got") as caught:
        read_clip(tmp_path / "any.mp4", **{argument: value})
    assert not isinstance(caught.value, MediaError)
