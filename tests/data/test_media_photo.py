# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Photos and animated pictures, written here by Pillow."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from hf_vdrep.data import MediaError, load_clip, read_clip

RED, GREEN, BLUE = (250, 10, 10), (10, 250, 10), (10, 10, 250)


def halves(width, height, left, right):
    image = Image.new("RGB", (width, height), left)
    image.paste(right, (width // 2, 0, width, height))
    return image


def close(pixel, colour, tolerance=24):
    return bool((pixel.int() - torch.tensor(colour)).abs().max() <= tolerance)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp"])
def test_every_photo_format_gives_one_rgb_frame(tmp_path, suffix):
    path = tmp_path / f"photo.{suffix}"
    halves(101, 57, RED, BLUE).save(path, quality=95) if suffix != "gif" else halves(101, 57, RED, BLUE).save(path)
    clip = load_clip(path, resolution=32)
    assert clip.frames.shape == (1, 32, 32, 3)
    assert clip.frames.dtype == torch.uint8
    assert clip.source_size == (101, 57)
    assert clip.is_photo
    assert close(clip.frames[0, 16, 4], RED) and close(clip.frames[0, 16, 28], BLUE)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_animations_play_by_their_own_durations(tmp_path, suffix):
    path = tmp_path / f"moving.{suffix}"
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, GREEN, BLUE)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[500, 250, 500], lossless=True)
    frames = read_clip(path, num_frames=9, fps=8.0, resolution=8)
    assert frames.shape[0] == 9
    shown = ["RGB"[int(frame[4, 4].argmax())] for frame in frames]
    assert "".join(shown) == "RRRRGGBBB"


def test_transparency_is_white(tmp_path):
    clear = Image.new("RGBA", (16, 16), (*RED, 0))
    clear.save(tmp_path / "clear.png")
    clear.putalpha(128)
    clear.save(tmp_path / "half.png")
    assert read_clip(tmp_path / "clear.png", resolution=8).min() == 255
    assert close(read_clip(tmp_path / "half.png", resolution=8)[0, 4, 4], (252, 132, 132), 2)


def test_greyscale_of_8_and_16_bits(tmp_path):
    Image.fromarray(np.full((9, 9), 77, np.uint8)).save(tmp_path / "grey.png")
    Image.fromarray(np.full((9, 9), 77 * 256 + 3, np.uint16)).save(tmp_path / "deep.png")
    for name in ("grey.png", "deep.png"):
        assert read_clip(tmp_path / name, resolution=8).unique().tolist() == [77]


def test_exif_rotation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture must turn clockwise by a quarter
    halves(80, 40, RED, BLUE).save(tmp_path / "held.jpg", exif=exif, quality=95)
    clip = load_clip(tmp_path / "held.jpg", resolution=(16, 8))
    assert clip.source_size == (40, 80)
    assert close(clip.frames[0, 2, 4], RED) and close(clip.frames[0, 13, 4], BLUE)


def test_center_cuts_and_pad_keeps(tmp_path):
    wide = Image.new("RGB", (90, 30), GREEN)
    wide.paste(RED, (0, 0, 30, 30))
    wide.paste(BLUE, (60, 0, 90, 30))
    wide.save(tmp_path / "wide.png")
    cut = read_clip(tmp_path / "wide.png", resolution=30)[0]
    assert cut.reshape(-1, 3).unique(dim=0).tolist() == [list(GREEN)]
    padded = read_clip(tmp_path / "wide.png", resolution=30, crop="pad")[0]
    assert close(padded[15, 3], RED) and close(padded[15, 26], BLUE) and padded[:9].max() == 0


def test_shrinking_is_antialiased(tmp_path):
    """One-pixel stripes lie above the small picture's Nyquist frequency: they must turn grey, not alias."""
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    small = read_clip(tmp_path / "stripes.png", resolution=30)[0].float()
    assert small[2:-2, 2:-2].sub(127.5).abs().max() < 10


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 7)])
def test_odd_and_tiny_sizes_are_read(tmp_path, size):
    Image.new("RGB", size, RED).save(tmp_path / "odd.png")
    for crop in ("center", "pad"):
        assert read_clip(tmp_path / "odd.png", resolution=16, crop=crop).shape == (1, 16, 16, 3)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif"])
def test_cut_photo_is_named(tmp_path, suffix):
    path = tmp_path / f"cut.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(MediaError, match=rf"cut\.{suffix} is damaged or cut short") as caught:
        read_clip(path)
    assert "\n" not in str(caught.value)


def test_bomb_is_refused_before_it_is_decoded(tmp_path):
    """A PNG header may claim any size; the pixels behind it must not be allocated."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (12_000, 60_000):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
        path = tmp_path / "bomb.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
        with pytest.raises(MediaError, match="100 megapixels"):
            read_clip(path)


def test_name_does_not_matter(tmp_path):
    Image.new("RGB", (8, 8), RED).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.mp4")
    assert read_clip(tmp_path / "a.mp4", resolution=8).shape == (1, 8, 8, 3)


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bytes_end_in_a_picture_or_a_media_error(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path = tmp_path / "hurt.gif"
    frames = [Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)) for _ in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    data = bytearray(path.read_bytes())
    for position in rng.integers(6, len(data), 20):
        data[position] = rng.integers(256)
    path.write_bytes(data)
    try:
        assert read_clip(path, resolution=8).shape[1:] == (8, 8, 3)
    except MediaError as error:
        assert "hurt.gif" in str(error)
