# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep reconstruct`, and the measurement behind it."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from hf_vdrep.cli.main import main
from hf_vdrep.study.panels_reconstruction import difference, mean_words, reconstruction_sheet
from hf_vdrep.study.reconstruction import Reconstruction, open_tokenizer, reconstruct


class Darker(torch.nn.Module):
    """Decodes everything ten grey levels darker, and every second frame twenty."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.sizes: list[int] = []

    def forward(self, pixels: torch.Tensor) -> object:
        self.sizes.append(len(pixels))
        drop = 10 + 10 * (torch.arange(pixels.shape[2]) % 2)
        return type("Output", (), {"sample": pixels - (drop / 127.5).view(-1, 1, 1)})


def grey(frames: int, level: int = 128) -> np.ndarray:
    return np.full((frames, 16, 16, 3), level, np.uint8)


def test_scores_are_those_of_the_error_that_was_made():
    """PSNR = 20 log10(255 / rms), flicker = mean change of the error; photos have no flicker; shapes are batched."""
    vae = Darker()
    clips = [grey(5), grey(1), grey(5), grey(5)]
    done = []
    result = reconstruct(vae, clips, batch_size=2, progress=done.append)
    assert vae.sizes == done == [2, 1, 1]
    assert result.copies[0][:, 0, 0, 0].tolist() == [118, 108, 118, 108, 118]
    rms = np.sqrt((3 * 100 + 2 * 400) / 5)
    assert result.scores["psnr"][0] == pytest.approx(20 * np.log10(255 / rms))
    assert result.scores["flicker"][0] == pytest.approx(10 / 255)
    assert result.scores["psnr"][1] == pytest.approx(20 * np.log10(25.5))
    assert np.isnan(result.scores["flicker"][1])
    summary = result.summary()
    assert summary["videos"]["count"] == 3 and summary["photos"].keys() == {"count", "psnr", "ssim"}


def test_nothing_and_too_few_names_are_refused():
    with pytest.raises(ValueError, match="clips must hold at least one clip"):
        reconstruct(Darker(), [])
    with pytest.raises(ValueError, match=r"names must be as many as clips \(1\), got 2"):
        reconstruct(Darker(), [grey(1)], ["a", "b"])


def test_differences_are_four_times_as_large_around_grey():
    original, copy = grey(1, 100)[0], grey(1, 110)[0]
    assert difference(original, copy)[0, 0, 0] == 168 and difference(copy, original)[0, 0, 0] == 88
    assert difference(grey(1, 255)[0], grey(1, 0)[0]).max() == 0


def test_the_sheet_grows_with_the_clips_shown():
    clips = [grey(5), grey(1)]
    scores = {"psnr": [20.0, 30.0], "ssim": [0.5, 0.75], "flicker": [0.125, float("nan")]}
    result = Reconstruction(["a", "b"], clips, clips, scores)
    assert (
        mean_words(result)
        == "videos (1): PSNR 20.0 dB, SSIM 0.500, flicker 0.1250 · photos (1): PSNR 30.0 dB, SSIM 0.750"
    )
    one, two = (reconstruction_sheet(result, "title", shown) for shown in (1, 2))
    assert two.shape[0] > 1.7 * one.shape[0] and two.dtype == np.uint8


def test_the_command_measures_the_world(tiny_pair, tmp_path, capsys):
    vae = tiny_pair[1]
    arguments = [
        "--vae",
        str(vae),
        "--clips",
        "2",
        "--resolution",
        "16",
        "--frames",
        "5",
        "--shown",
        "1",
        "-q",
        "-o",
        str(tmp_path),
    ]
    assert main(["reconstruct", *arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [clip["name"] for clip in report["clips"]] == ["test 0", "test 1"]
    assert report["mean"]["videos"]["count"] == 2 and report["clips"][0]["frames"] == 5
    assert report["mean"]["videos"]["psnr"] == pytest.approx(np.mean([c["psnr"] for c in report["clips"]]), abs=1e-4)
    with Image.open(tmp_path / "tiny-video-reconstruction.png") as picture:
        assert picture.width > 1000
    assert main(["reconstruct", *arguments, "--tile", "8"]) == 0
    assert capsys.readouterr().out.startswith(f"videos (2): PSNR {report['mean']['videos']['psnr']:.1f} dB")


def test_the_command_measures_a_folder_of_media(tiny_pair, video, photo, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no picture")
    out = tmp_path / "out"
    arguments = ["--vae", str(tiny_pair[0] / "vae"), "--resolution", "16", "--frames", "5", "-q", "-o", str(out)]
    assert main(["reconstruct", str(tmp_path), *arguments]) == 0
    words, path = capsys.readouterr().out.splitlines()
    assert words.startswith("videos (1): ") and " · photos (1): " in words
    assert path == str(out / "tiny-image-reconstruction.png")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--vae", "/nowhere/at/all"],
            "vae must be a shipped model (i-walt, v-walt), a saved tokenizer or pipeline, got",
        ),
        (["--frames", "6"], "--frames must be 1 + 4k and at most 17, got 6 (nearest: 5 or 9)"),
        (["--frames", "99"], "--frames must be at most 17 for ProbeWorld, got 99"),
        (["no-such-file.mp4"], "no-such-file.mp4"),
        (["EMPTY"], "FILE must be photos, videos or folders of them"),
    ],
)
def test_a_mistake_is_one_line(tiny_pair, tmp_path, capsys, arguments, words):
    (tmp_path / "empty").mkdir()
    arguments = [str(tmp_path / "empty") if word == "EMPTY" else word for word in arguments]
    common = ["--clips", "1", "--resolution", "16", "-q", "-o", str(tmp_path / "out")]
    vae = [] if "--vae" in arguments else ["--vae", str(tiny_pair[0])]
    assert main(["reconstruct", *arguments, *common, *vae]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_a_shipped_tokenizer_is_opened_by_its_models_name():
    assert open_tokenizer("v-walt").config.block_out_channels == [16, 32, 64, 96]
