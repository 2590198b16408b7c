# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep inspect` on real files and tiny models."""

import json
import os
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

from hf_vdrep.cli.inspect import _EXAMPLES
from hf_vdrep.cli.main import main
from hf_vdrep.data import load_clip
from hf_vdrep.study.inspect_examples import EXAMPLES

SMALL = ["--frames", "5", "--resolution", "16", "--density", "1", "--draws", "2", "-q"]


def line(capsys):
    """The one line on stderr."""
    out, err = capsys.readouterr()
    assert err.count("\n") == 1 and err.startswith("hf-vdrep: ") and "Traceback" not in err
    return out, err


def test_video_and_photo_give_a_sheet_and_a_film(video, photo, tiny_pair, tmp_path, capsys):
    output = tmp_path / "new" / "folder"
    models = [str(folder) for folder in tiny_pair]
    assert main(["inspect", str(video), str(photo), "-o", str(output), *SMALL, "--models", *models]) == 0
    printed = capsys.readouterr().out.split()
    names = ["clip-inspect.png", "clip-inspect.mp4", "photo-inspect.png", "photo-inspect.mp4"]
    assert printed == [str(output / name) for name in names]
    assert sorted(p.name for p in output.iterdir()) == sorted(names)
    with Image.open(output / "clip-inspect.png") as sheet:
        assert sheet.width > 700
    assert load_clip(output / "clip-inspect.mp4", num_frames=5).frames.shape[0] == 5
    assert load_clip(output / "photo-inspect.mp4").is_photo


def test_json_names_what_was_done(video, tiny_pair, tmp_path, capsys):
    arguments = ["--layer", "-1", "--timestep", "50", "--seed", "3", "--video-as", "frames"]
    models = ["--models", str(tiny_pair[0]), str(tiny_pair[1]), "pixels"]
    assert main(["inspect", str(video), "-o", str(tmp_path), "--json", *SMALL, *arguments, *models]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["frames"] == 5 and entry["resolution"] == [16, 16] and entry["draws"] == 2
    found = [(m["name"], m["reading"], m["layer"], m["timestep"], m["grid"]) for m in entry["models"]]
    assert found == [
        ("i-walt", "frames", 1, 50, [2, 2]),
        ("v-walt", "video", 1, 50, [2, 2]),
        ("pixels", "", 0, None, [2, 2]),
    ]


def test_same_model_twice_gets_two_names_and_results_are_reproducible(photo, tmp_path, capsys):
    for folder in ("a", "b"):
        arguments = ["-o", str(tmp_path / folder), "--json", *SMALL, "--models", "pixels", "pixels"]
        assert main(["inspect", str(photo), *arguments]) == 0
        (entry,) = json.loads(capsys.readouterr().out)
        assert [m["name"] for m in entry["models"]] == ["pixels", "pixels (2)"]
    one, two = (np.asarray(Image.open(tmp_path / folder / "photo-inspect.png")) for folder in ("a", "b"))
    assert (one == two).all()


def test_models_see_the_size_that_they_were_trained_at_unless_told_otherwise(photo, tiny_pair, tmp_path, capsys):
    """The tiny pair was made for 2 x 2 latents of 8 pixels."""
    for arguments, side in (([], 16), (["--resolution", "32"], 32)):
        settings = [
            "-o",
            str(tmp_path),
            "-q",
            "--json",
            "--models",
            str(tiny_pair[1]),
            "--density",
            "2",
            "--draws",
            "1",
        ]
        assert main(["inspect", str(photo), *settings, *arguments]) == 0
        (entry,) = json.loads(capsys.readouterr().out)
        assert entry["resolution"] == [side, side]
        assert entry["models"][0]["grid"] == [side // 4, side // 4]
        assert entry["models"][0]["cell"] == 4


def test_bad_file_is_reported_and_the_others_are_done(video, photo, tmp_path, capsys):
    data = video.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) * 2 // 3])
    (tmp_path / "text.mp4").write_text("no video")
    files = [str(tmp_path / name) for name in ("cut.mp4", "text.mp4")] + [str(photo)]
    out = tmp_path / "out"
    assert main(["inspect", *files, "-o", str(out), *SMALL, "--models", "pixels"]) == 2
    printed, err = capsys.readouterr()
    assert [part.split(" is ")[0].split("/")[-1] for part in err.splitlines()] == ["text.mp4", "cut.mp4"]
    assert printed.split() == [str(out / "photo-inspect.png"), str(out / "photo-inspect.mp4")]
    assert len(list(out.iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--layer", "7"], "layer"),
        (["--layer", "1.5"], "layer"),
        (["--timestep", "1200"], "timestep must lie in [0, 999], got 1200"),
        (["--resolution", "13"], "13"),
        (["--density", "3"], "density must divide the 8 pixels of a cell of v-walt, got 3"),
        (["--start", "-1"], "start must be"),
        (["--start", "99"], "shows nothing at start=99 s"),
        (["--fps", "2000"], "fps must lie in (0, 1000]"),
        (["--frames", "4"], "--frames must be 1 + 4k, got 4 (nearest: 1 or 5)"),
        (["--models", "vwalt"], "'vwalt'"),
    ],
)
def test_wrong_settings_are_named_and_nothing_is_written(video, tiny_pair, tmp_path, capsys, arguments, words):
    out = tmp_path / "out"
    settings = {"-q": [], "--frames": ["5"], "--resolution": ["16"], "--models": [str(tiny_pair[1])]}
    for key, *values in [arguments]:
        settings[key] = values
    flat = [word for key, values in settings.items() for word in (key, *values)]
    assert main(["inspect", str(video), "-o", str(out), *flat]) == 2
    assert words in line(capsys)[1]
    assert not out.exists()


@pytest.mark.parametrize("part", ["vae", "transformer"])
@pytest.mark.parametrize("harm", ["missing", "cut", "text", "no-config"])
def test_broken_model_folders_are_named(photo, tiny_pair, tmp_path, capsys, part, harm):
    folder = tmp_path / "model"
    shutil.copytree(tiny_pair[1], folder)
    weights = folder / part / "diffusion_pytorch_model.safetensors"
    if harm == "missing":
        weights.unlink()
    elif harm == "cut":
        weights.write_bytes(weights.read_bytes()[:-200])
    elif harm == "text":
        weights.write_text("hello")
    else:
        (folder / part / "config.json").unlink()
    assert main(["inspect", str(photo), "-o", str(tmp_path / "out"), *SMALL, "--models", str(folder)]) == 2
    err = line(capsys)[1]
    assert str(folder) in err and part in err


def test_output_that_is_no_folder_is_refused_before_the_work(photo, tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        assert main(["inspect", str(photo), "-o", str(output), *SMALL, "--models", "pixels"]) == 2
        assert "--output must be a folder that can be written to" in line(capsys)[1]


def test_files_that_would_write_the_same_name_are_refused(photo, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(photo, other)
    assert main(["inspect", str(photo), str(other / photo.name), "-o", str(tmp_path), *SMALL]) == 2
    assert "photo-inspect.png" in line(capsys)[1]
    assert main(["inspect"]) == 2
    assert "FILE must name" in line(capsys)[1]


@pytest.mark.parametrize(
    ("failure", "code", "words"),
    [(KeyboardInterrupt(), 130, "interrupted"), (OSError(28, "No space left on device", "x.png"), 1, "No space left")],
)
def test_interrupt_and_full_disk_leave_no_half_written_output(
    photo, tmp_path, capsys, monkeypatch, failure, code, words
):
    """The failure comes late, when the contact sheet is already drawn and its temporary file written."""
    from hf_vdrep.data import video_write

    def fail(*args):
        raise failure

    monkeypatch.setattr(video_write, "write_video", fail)
    out = tmp_path / "out"
    out.mkdir()
    (out / "photo-inspect.png").write_bytes(b"old")
    assert main(["inspect", str(photo), "-o", str(out), *SMALL, "--models", "pixels"]) == code
    assert words in line(capsys)[1]
    assert [p.name for p in out.iterdir()] == ["photo-inspect.png"]
    assert (out / "photo-inspect.png").read_bytes() == b"old"


def test_kill_leaves_no_half_written_output(photo, tmp_path, capsys, monkeypatch):
    from hf_vdrep.data import video_write

    monkeypatch.setattr(video_write, "write_video", lambda *args: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    assert main(["inspect", str(photo), "-o", str(tmp_path / "out"), *SMALL, "--models", "pixels"]) == 143
    assert "terminated" in line(capsys)[1]
    assert list((tmp_path / "out").iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) is before


def test_every_example_is_offered():
    assert set(_EXAMPLES) == set(EXAMPLES)


def test_example_needs_no_file(tmp_path, capsys):
    assert main(["inspect", "--example", "brick-wall", "-o", str(tmp_path), *SMALL, "--models", "pixels"]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["brick-wall-inspect.mp4", "brick-wall-inspect.png"]
