# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Uploads from strangers: each is shown correctly or refused in a sentence, in time, with nothing left behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hostile_files import MAKERS, clip, encode, picture
from PIL import Image

from hf_vdrep.data import read_clip, sandbox_process
from hf_vdrep.data.sandbox_protocol import HEADER, MAGIC, Outcome, Request, parse
from hf_vdrep.data.untrusted import UploadError, UploadLimits, read_untrusted

# Kind -> what it gets: the reason of the refusal, or "shown".
EXPECTED = {
    "truncated_mp4": "cut_short",
    "truncated_webm": "damaged",
    "truncated_png": "damaged",
    "png_bomb": "too_many_pixels",
    "png_of_empty_rows": "too_many_pixels",
    "png_text_bomb": "damaged",
    "gif_of_100000_frames": "shown",
    "huge_gif_canvas": "too_many_pixels",
    "zero_bytes": "empty",
    "text_as_mp4": "not_media",
    "text_behind_an_mp4_head": "damaged",
    "html_as_jpg": "not_media",
    "svg": "not_media",
    "zip_bomb": "not_media",
    "playlist_of_local_files": "not_media",
    "playlist_of_the_network_as_mp4": "not_media",
    "concat_script": "not_media",
    "mov_with_outside_reference": "shown",
    "mkv_with_attachment": "shown",
    "mkv_of_subtitles": "no_video",
    "mp4_of_absurd_duration": "shown",
    "mp4_of_absurd_size": "shown",
    "mp4_of_absurd_rate": "shown",
    "mkv_of_nan_duration": "shown",
    "corrupt_packets_in_the_middle": "damaged",
    "audio_only_mp4": "no_video",
    "film_without_frames": "no_video",
    "film_of_an_hour": "too_long",
    "film_of_an_unusual_codec": "codec",
    "symbolic_link": "not_a_file",
    "named_pipe": "not_a_file",
    "directory": "not_a_file",
    "device": "not_a_file",
    "path_traversal": "not_media",
    "missing_file": "unreadable",
    "zero_byte_in_the_name": "unreadable",
    "name_too_long_for_the_system": "unreadable",
    "pickle_as_png": "not_media",
    "safetensors": "not_media",
    "pdf": "not_media",
    "png_called_mp4": "wrong_name",
    "heic": "not_media",
}


def test_the_hostile_set_is_complete():
    assert set(MAKERS) == set(EXPECTED) and len(MAKERS) >= 20


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_a_hostile_upload_is_shown_or_refused_in_a_sentence(kind: str, tmp_path: Path):
    path = MAKERS[kind](tmp_path)
    before, started = snapshot(tmp_path), time.monotonic()
    try:
        frames = read_untrusted(path)
    except UploadError as error:
        outcome, sentence = error.reason, str(error)
        assert sentence.endswith(".") and sentence[0].isupper() and len(sentence) < 120
        assert str(tmp_path) not in sentence and path.name not in sentence and "Error" not in sentence
        assert error.__cause__ is None
    else:
        outcome = "shown"
        assert frames.shape[1:] == (64, 64, 3) and frames.dtype == torch.uint8 and 1 <= len(frames) <= 17
    assert outcome == EXPECTED[kind]
    assert time.monotonic() - started < 30
    assert snapshot(tmp_path) == before


def snapshot(folder: Path) -> list[tuple[str, int]]:
    files = [(str(p), 0 if p.is_dir() else p.lstat().st_size) for p in sorted(folder.rglob("*"))]
    return [*files, ("open", len(os.listdir("/dev/fd")))]


def save_exif(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise to show
    picture().save(path, exif=exif, quality=95)


def save_16_bit(path: Path) -> None:
    Image.fromarray((np.arange(48 * 64).reshape(48, 64) * 21).astype(np.uint16)).save(path)


HARMLESS = {
    "photo.png": lambda path: Image.fromarray(clip()[0]).save(path),
    "sixteen.png": save_16_bit,
    "cmyk.jpg": lambda path: picture().convert("CMYK").save(path),
    "turned.jpeg": save_exif,
    "palette.gif": lambda path: picture().convert("P").save(path),
    "clear.webp": lambda path: Image.new("RGBA", (20, 30), (255, 0, 0, 128)).save(path, lossless=True),
    "film.webp": lambda path: picture().save(
        path, save_all=True, append_images=[picture().rotate(180)], duration=500, lossless=True
    ),
    "film.mp4": lambda path: encode(path, clip(20)),
    "film.webm": lambda path: encode(path, clip(6), "libvpx-vp9"),
    "Фильм 🎬 ñ.mov": lambda path: encode(path, clip(9)),
    "no ending": lambda path: picture().save(path, "PNG"),
    "n" * 250 + ".png": lambda path: picture().save(path),
}


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_a_harmless_upload_comes_out_as_from_the_ordinary_reader(name: str, tmp_path: Path):
    HARMLESS[name](tmp_path / name)
    torch.testing.assert_close(read_untrusted(tmp_path / name), read_clip(tmp_path / name), rtol=0, atol=0)


def test_an_exif_turn_is_applied(tmp_path: Path):
    """The left half is red; turned clockwise, the top half is."""
    save_exif(tmp_path / "a.jpg")
    shown = read_untrusted(tmp_path / "a.jpg")[0].float()
    assert shown[:24, :, 0].mean() > 240 and shown[40:, :, 2].mean() > 240


def test_a_path_out_of_the_folder_of_uploads_is_refused(tmp_path: Path):
    inside = tmp_path / "uploads"
    inside.mkdir()
    picture().save(tmp_path / "a.png")
    picture().save(inside / "b.png")
    assert len(read_untrusted(inside / "b.png", folder=inside)) == 1
    with pytest.raises(UploadError) as error:
        read_untrusted(inside / ".." / "a.png", folder=inside)
    assert error.value.reason == "outside"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (UploadLimits(max_bytes=1000), "too_big"),
        (UploadLimits(max_pixels=3000), "too_many_pixels"),
        (UploadLimits(max_seconds=1.0), "too_long"),
    ],
)
def test_limits_hold(limits: UploadLimits, reason: str, tmp_path: Path):
    with pytest.raises(UploadError) as error:
        read_untrusted(encode(tmp_path / "a.mp4", clip(20)), limits=limits)
    assert error.value.reason == reason


def test_a_picture_beyond_the_memory_ends_in_a_sentence(tmp_path: Path):
    """95 megapixels of grey, 285 MB as RGB, beside the decoder itself."""
    Image.new("L", (10_000, 9_500)).save(tmp_path / "a.png", compress_level=1)
    limits = UploadLimits(max_pixels=100_000_000, memory_bytes=400_000_000)
    with pytest.raises(UploadError, match="memory"):
        read_untrusted(tmp_path / "a.png", limits=limits)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import time; time.sleep(60)", "timeout"),
        ("import os, time; os.write(1, b'VDR1'); time.sleep(60)", "timeout"),
        ("import os; os.abort()", "crashed"),
        ("import os\nwhile True: os.write(1, bytes(1 << 16))", "crashed"),
    ],
)
def test_a_decoder_that_hangs_dies_or_floods_is_ended(program: str, reason: str, tmp_path: Path, monkeypatch):
    picture().save(tmp_path / "a.png")
    monkeypatch.setattr(sandbox_process, "_PROGRAM", program)
    started = time.monotonic()
    with pytest.raises(UploadError) as error:
        read_untrusted(tmp_path / "a.png", limits=UploadLimits(timeout_seconds=1.0 if reason == "timeout" else 20.0))
    assert error.value.reason == reason and time.monotonic() - started < 15


REQUEST = Request("PNG", 3, 4, "center", 8.0, 0.0, 100, 1.0, 1, 1)
PIXELS = bytes(2 * 4 * 4 * 3)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"VDR",
        b"XXXX" + HEADER.pack(MAGIC, 0, 2, 4, 4)[4:] + PIXELS,
        HEADER.pack(MAGIC, 200, 0, 0, 0),
        HEADER.pack(MAGIC, 0, 2, 4, 4) + PIXELS[:-1],
        HEADER.pack(MAGIC, 0, 2, 4, 4) + PIXELS + b"0",
        HEADER.pack(MAGIC, 0, 2, 8, 2) + PIXELS,
        HEADER.pack(MAGIC, 0, 0, 4, 4),
        HEADER.pack(MAGIC, 0, 4, 4, 4) + bytes(4 * 48),
    ],
)
def test_a_dishonest_answer_counts_as_a_crash(answer: bytes):
    assert parse(answer, REQUEST) == (Outcome.CRASHED, 0)
    assert parse(HEADER.pack(MAGIC, 0, 2, 4, 4) + PIXELS, REQUEST) == (Outcome.DONE, 2)


LOCKED = """
import _socket
from hf_vdrep.data.sandbox_limits import lock_down
lock_down(5, 10**9)
for what in (lambda: open("/etc/passwd"), lambda: open("owned", "w"), _socket.socket, lambda: bytearray(2 * 10**9)):
    try:
        what()
    except (OSError, MemoryError) as error:
        print(type(error).__name__)
"""


def test_a_locked_process_opens_neither_file_nor_socket_and_gets_no_more_memory(tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", LOCKED], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.split() == ["OSError", "OSError", "OSError", "MemoryError"]
    assert not list(tmp_path.iterdir())


def test_the_decoding_process_knows_no_secrets_and_no_torch(monkeypatch, tmp_path: Path):
    """Its environment and its modules, written out as pixels would be."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    code = "import hf_vdrep.data.sandbox_worker as w; w._import_all(); import os, sys; "
    code += "print(sorted(os.environ), 'torch' in sys.modules)"
    environment = sandbox_process._environment()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert "HF_TOKEN" not in done.stdout and done.stdout.split()[-1] == "False"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"num_frames": 0}, "num_frames must lie in"),
        ({"resolution": 2000}, "resolution must lie in"),
        ({"fps": 0}, "fps must lie in"),
        ({"start": -1}, "start must be"),
        ({"crop": "left"}, "crop must be"),
    ],
)
def test_a_wrong_argument_is_the_callers_mistake_not_the_uploads(arguments: dict, words: str):
    with pytest.raises(ValueError, match=words) as error:
        read_untrusted("a.png", **arguments)
    assert not isinstance(error.value, UploadError)


@pytest.mark.parametrize(
    "limits", [{"max_bytes": 0}, {"max_pixels": 10**9}, {"timeout_seconds": 0.1}, {"memory_bytes": 10}]
)
def test_limits_that_make_no_sense_are_named(limits: dict):
    with pytest.raises(ValueError, match=next(iter(limits))):
        UploadLimits(**limits)
