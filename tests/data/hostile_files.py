# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Uploads that a stranger might send: makers by name, each writing into a folder and returning the path."""

import io
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from PIL import Image

MAKERS: dict[str, Callable[[Path], Path]] = {}
WORDS = b"just words, " * 500


def maker(function: Callable[[Path], Path]) -> Callable[[Path], Path]:
    MAKERS[function.__name__] = function
    return function


def clip(count: int = 12, height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    """Noise that compresses badly, so that a file has bytes to damage: uint8 (T, H, W, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


def encode(path: Path, frames: np.ndarray, codec: str = "libx264", rate: int = 8, **options: str) -> Path:
    """A film of `frames` in the container that the ending of `path` names."""
    with av.open(str(path), "w", options=options) as box:
        stream = box.add_stream(codec, rate=rate)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for frame in frames:
            box.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        box.mux(stream.encode())
    return path


def bytes_at(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def picture(height: int = 48, width: int = 64) -> Image.Image:
    """Left half red, right half blue."""
    array = np.zeros((height, width, 3), np.uint8)
    array[:, : width // 2, 0], array[:, width // 2 :, 2] = 255, 255
    return Image.fromarray(array)


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def replaced(data: bytes, name: bytes, offset: int, value: bytes) -> bytes:
    """An MP4 with `value` written `offset` bytes behind the first box called `name`."""
    place = data.index(name) + 4 + offset
    return data[:place] + value + data[place + len(value) :]


@maker
def truncated_mp4(folder: Path) -> Path:
    data = encode(folder / "whole.mp4", clip()).read_bytes()
    return bytes_at(folder / "clip.mp4", data[: len(data) // 2])


@maker
def truncated_webm(folder: Path) -> Path:
    data = encode(folder / "whole.webm", clip(), "libvpx-vp9").read_bytes()
    return bytes_at(folder / "clip.webm", data[:200])


@maker
def truncated_png(folder: Path) -> Path:
    Image.fromarray(clip()[0]).save(folder / "whole.png")
    return bytes_at(folder / "photo.png", (folder / "whole.png").read_bytes()[:4000])


@maker
def png_bomb(folder: Path) -> Path:
    head = struct.pack(">IIBBBBB", 2_000_000_000, 2_000_000_000, 8, 2, 0, 0, 0)
    data = png_chunk(b"IHDR", head) + png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b"")
    return bytes_at(folder / "photo.png", b"\x89PNG\r\n\x1a\n" + data)


@maker
def png_of_empty_rows(folder: Path) -> Path:
    """60 megapixels of zeros in 60 kB."""
    head = struct.pack(">IIBBBBB", 10_000, 6_000, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(10_001 * 6_000), 9)
    chunks = png_chunk(b"IHDR", head) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    return bytes_at(folder / "photo.png", b"\x89PNG\r\n\x1a\n" + chunks)


@maker
def png_text_bomb(folder: Path) -> Path:
    """A comment that unpacks to 200 MB."""
    whole = io.BytesIO()
    picture().save(whole, "PNG")
    note = png_chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(200_000_000), 1))
    data = whole.getvalue()
    return bytes_at(folder / "photo.png", data[:33] + note + data[33:])


@maker
def gif_of_100000_frames(folder: Path) -> Path:
    small = io.BytesIO()
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 255)]
    frames[0].save(small, "GIF", save_all=True, append_images=frames[1:], duration=20)
    data = small.getvalue()
    start = data.index(b"\x21\xf9")
    return bytes_at(folder / "film.gif", data[:start] + data[start:-1] * 50_000 + b";")


@maker
def huge_gif_canvas(folder: Path) -> Path:
    small = io.BytesIO()
    picture().save(small, "GIF")
    data = small.getvalue()
    return bytes_at(folder / "film.gif", data[:6] + struct.pack("<HH", 65535, 65535) + data[10:])


@maker
def zero_bytes(folder: Path) -> Path:
    return bytes_at(folder / "clip.mp4", b"")


@maker
def text_as_mp4(folder: Path) -> Path:
    return bytes_at(folder / "clip.mp4", WORDS)


@maker
def text_behind_an_mp4_head(folder: Path) -> Path:
    return bytes_at(folder / "clip.mp4", struct.pack(">I4s4s", 32, b"ftyp", b"isom") + bytes(20) + WORDS)


@maker
def html_as_jpg(folder: Path) -> Path:
    return bytes_at(folder / "photo.jpg", b"<!doctype html><script>alert(1)</script>")


@maker
def svg(folder: Path) -> Path:
    link = b'<image href="file:///etc/passwd"/>'
    return bytes_at(folder / "photo.svg", b'<svg xmlns="http://www.w3.org/2000/svg">' + link + b"</svg>")


@maker
def zip_bomb(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "clip.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(30_000_000))
    return folder / "clip.zip"


@maker
def playlist_of_local_files(folder: Path) -> Path:
    return bytes_at(folder / "clip.m3u8", b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")


@maker
def playlist_of_the_network_as_mp4(folder: Path) -> Path:
    return bytes_at(folder / "clip.mp4", b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")


@maker
def concat_script(folder: Path) -> Path:
    return bytes_at(folder / "clip.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n")


@maker
def mov_with_outside_reference(folder: Path) -> Path:
    """Its media lies, so it says, in /etc/passwd."""
    data = encode(folder / "whole.mov", clip()).read_bytes()
    assert b"url \0\0\0\1" in data  # "in this file"
    return bytes_at(folder / "clip.mov", data.replace(b"url \0\0\0\1", b"url \0\0\0\0"))


@maker
def mkv_with_attachment(folder: Path) -> Path:
    path = folder / "clip.mkv"
    with av.open(str(path), "w") as box:
        stream = box.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        box.add_attachment("../../run.sh", "application/x-sh", b"#!/bin/sh\ntouch /tmp/owned\n")
        for frame in clip():
            box.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        box.mux(stream.encode())
    return path


@maker
def mkv_of_subtitles(folder: Path) -> Path:
    """A Matroska file with an unknown track type and no picture."""
    data = encode(folder / "whole.mkv", clip()).read_bytes()
    place = data.index(b"\x83\x81\x01")  # TrackType: video
    return bytes_at(folder / "clip.mkv", data[:place] + b"\x83\x81\x11" + data[place + 3 :])


@maker
def mp4_of_absurd_duration(folder: Path) -> Path:
    """Every frame stays for an hour and more."""
    data = encode(folder / "whole.mp4", clip()).read_bytes()
    return bytes_at(folder / "clip.mp4", replaced(data, b"stts", 12, b"\x07\xff\xff\xff"))


@maker
def mp4_of_absurd_size(folder: Path) -> Path:
    """The sample description says 65535 x 65535, the H.264 header what is true."""
    data = encode(folder / "whole.mp4", clip()).read_bytes()
    data = replaced(data, b"avc1", 24, b"\xff\xff\xff\xff") if b"avc1" in data[100:] else data
    return bytes_at(folder / "clip.mp4", replaced(data, b"tkhd", 76, b"\xff\xff\xff\xff\xff\xff\xff\xff"))


@maker
def mp4_of_absurd_rate(folder: Path) -> Path:
    """All frames within 12 microseconds."""
    data = encode(folder / "whole.mp4", clip()).read_bytes()
    return bytes_at(folder / "clip.mp4", replaced(data, b"mdhd", 12, struct.pack(">I", 0x7FFFFFFF)))


@maker
def mkv_of_nan_duration(folder: Path) -> Path:
    data = encode(folder / "whole.mkv", clip()).read_bytes()
    place = data.index(b"\x44\x89\x88") + 3  # Duration, an 8-byte float
    return bytes_at(folder / "clip.mkv", data[:place] + struct.pack(">d", float("nan")) + data[place + 8 :])


@maker
def corrupt_packets_in_the_middle(folder: Path) -> Path:
    data = bytearray(encode(folder / "whole.mp4", clip(), movflags="faststart").read_bytes())
    start = data.index(b"mdat")
    third = (len(data) - start) // 3
    data[start + third : start + 2 * third] = np.random.default_rng(0).bytes(third)
    return bytes_at(folder / "clip.mp4", bytes(data))


@maker
def audio_only_mp4(folder: Path) -> Path:
    path = folder / "clip.mp4"
    with av.open(str(path), "w") as box:
        stream = box.add_stream("aac", rate=44100, layout="mono")
        for index in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44100, 1024 * index
            box.mux(stream.encode(frame))
        box.mux(stream.encode())
    return path


@maker
def film_without_frames(folder: Path) -> Path:
    path = folder / "clip.mp4"
    with av.open(str(path), "w") as box:
        stream = box.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        box.start_encoding()
    return path


@maker
def film_of_an_hour(folder: Path) -> Path:
    """Two pictures, an hour apart."""
    path = folder / "clip.mkv"
    with av.open(str(path), "w") as box:
        stream = box.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for time, array in zip((0, 8 * 3600), clip(2), strict=True):
            frame = av.VideoFrame.from_ndarray(array, format="rgb24")
            frame.pts = time
            box.mux(stream.encode(frame))
        box.mux(stream.encode())
    return path


@maker
def film_of_an_unusual_codec(folder: Path) -> Path:
    return encode(folder / "clip.mkv", clip(4), "ffv1")


@maker
def symbolic_link(folder: Path) -> Path:
    picture().save(folder / "real.png")
    (folder / "photo.png").symlink_to(folder / "real.png")
    return folder / "photo.png"


@maker
def named_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "clip.mp4")
    return folder / "clip.mp4"


@maker
def directory(folder: Path) -> Path:
    (folder / "clip.mp4").mkdir()
    return folder / "clip.mp4"


@maker
def device(folder: Path) -> Path:
    return Path("/dev/zero")


@maker
def path_traversal(folder: Path) -> Path:
    return folder / "../../../../../../../../etc/passwd"


@maker
def missing_file(folder: Path) -> Path:
    return folder / "gone.png"


@maker
def zero_byte_in_the_name(folder: Path) -> Path:
    return folder / "photo.png\0.mp4"


@maker
def name_too_long_for_the_system(folder: Path) -> Path:
    return folder / ("a" * 5000 + ".png")


@maker
def pickle_as_png(folder: Path) -> Path:
    return bytes_at(folder / "photo.png", pickle.dumps({"a": 1}))


@maker
def safetensors(folder: Path) -> Path:
    return bytes_at(folder / "model.safetensors", struct.pack("<Q", 2) + b"{}")


@maker
def pdf(folder: Path) -> Path:
    return bytes_at(folder / "photo.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n")


@maker
def png_called_mp4(folder: Path) -> Path:
    picture().save(folder / "photo.png")
    return (folder / "photo.png").rename(folder / "clip.mp4")


@maker
def heic(folder: Path) -> Path:
    return bytes_at(folder / "photo.heic", struct.pack(">I4s4s", 24, b"ftyp", b"heic") + bytes(12))
