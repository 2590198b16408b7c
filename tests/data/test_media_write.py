# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Written files are whole or absent."""

import av
import numpy as np
import pytest
import torch

from hf_vdrep.data import atomic_output, load_clip, write_png, write_video


def gradient(count=6, height=30, width=44):
    ramp = torch.linspace(30, 220, width).expand(height, width)
    return torch.stack([ramp.roll(4 * i, 1) for i in range(count)]).to(torch.uint8)[..., None].repeat(1, 1, 1, 3)


def test_written_video_reads_back(tmp_path):
    frames = gradient(count=9)
    write_video(tmp_path / "out.mp4", frames, fps=8.0)
    clip = load_clip(tmp_path / "out.mp4", num_frames=9, resolution=(30, 44))
    assert clip.source_size == (44, 30)
    assert (clip.frames.float() - frames.float()).abs().mean() < 3
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.frames, stream.average_rate) == (9, 8)


def test_odd_sides_grow_by_one_and_iterables_are_taken_one_at_a_time(tmp_path):
    write_video(tmp_path / "odd.mp4", (np.zeros((31, 45, 3), np.uint8) for _ in range(3)), fps=24)
    assert load_clip(tmp_path / "odd.mp4", num_frames=1, resolution=8).source_size == (46, 32)


@pytest.mark.parametrize(
    ("frames", "reason"),
    [([], "at least one frame"), ([np.zeros((4, 4, 3))], "uint8"), ([np.zeros((4, 4), np.uint8)], r"\(H, W, 3\)")],
)
def test_wrong_frames_are_named_and_leave_nothing(tmp_path, frames, reason):
    with pytest.raises(ValueError, match=reason):
        write_video(tmp_path / "out.mp4", frames, fps=8)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError, MemoryError])
def test_interrupted_write_leaves_the_old_file_and_no_other(tmp_path, failure):
    (tmp_path / "out.mp4").write_bytes(b"old")

    def frames():
        yield np.zeros((16, 16, 3), np.uint8)
        raise failure

    with pytest.raises(failure):
        write_video(tmp_path / "out.mp4", frames(), fps=8)
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]
    assert (tmp_path / "out.mp4").read_bytes() == b"old"


def test_atomic_output_makes_the_folder_and_a_readable_file(tmp_path):
    with atomic_output(tmp_path / "new" / "file.txt") as temporary:
        temporary.write_text("x")
        assert not (tmp_path / "new" / "file.txt").exists()
    assert (tmp_path / "new" / "file.txt").read_text() == "x"
    assert (tmp_path / "new" / "file.txt").stat().st_mode & 0o400


def test_png_is_lossless(tmp_path):
    frame = gradient(count=1)[0]
    write_png(tmp_path / "a.png", frame)
    assert torch.equal(load_clip(tmp_path / "a.png", resolution=(30, 44)).frames[0], frame)
    with pytest.raises(ValueError, match="uint8"):
        write_png(tmp_path / "b.png", frame.float())
    assert not (tmp_path / "b.png").exists()
