# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep generate` with every kind of WALT pipeline."""

import numpy as np
import pytest
import torch
from PIL import Image

from hf_vdrep import models
from hf_vdrep.cli.main import main
from hf_vdrep.data import load_clip
from hf_vdrep.models.scheduler_walt import make_scheduler


def denoiser(**options):
    settings = {"objective": "video", "sample_size": 2, **options}
    return models.WaltTransformer3DModel(
        in_channels=4, num_layers=2, num_attention_heads=2, attention_head_dim=4,
        spatial_window=(2, 2), spatiotemporal_window=(2, 2), **settings,
    )  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Folders of tiny pipelines with random weights, by kind."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("kinds")
    vae = models.AutoencoderWalt(
        block_out_channels=(4, 4, 4, 4), layers_per_block=1, mid_block_layers=1, norm_num_groups=2, latent_channels=4
    )
    parts = vae, make_scheduler()
    large = denoiser(low_res_scale=2, sample_size=4, objective="image")
    kinds = {
        "classes": models.WaltPipeline(vae, denoiser(num_classes=3, objective="image"), parts[1]),
        "frames": models.WaltImageToVideoPipeline(vae, denoiser(frame_conditioning=True), parts[1]),
        "larger": models.WaltSuperResolutionPipeline(vae, large, parts[1]),
        "cascade": models.WaltCascadePipeline(vae, denoiser(objective="image"), parts[1], large),
    }
    for name, pipeline in kinds.items():
        pipeline.save_pretrained(root / name)
    return root


def generate(saved, kind, out, *arguments):
    common = ["--num", "2", "--steps", "1", "--scale", "1", "-q", "-o", str(out)]
    return main(["generate", "--model", str(saved / kind), *common, *arguments])


def test_a_photo_is_gone_on_from_as_a_gif(saved, photo, tmp_path):
    assert generate(saved, "frames", tmp_path, "--input", str(photo), "--frames", "5", "--film", "gif") == 0
    film = load_clip(tmp_path / "frames-samples.gif", 5, resolution=20)
    assert film.frames.shape[0] == 5 and film.source_size == (2 * 20 + 4, 20 + 4)


def test_a_film_is_gone_on_from(saved, video, tmp_path):
    assert generate(saved, "frames", tmp_path, "--input", str(video), "--frames", "9") == 0
    assert load_clip(tmp_path / "frames-samples.mp4", 9).frames.shape[0] == 9


@pytest.mark.parametrize(("kind", "arguments"), [("larger", ["--input", "PHOTO"]), ("cascade", [])])
def test_large_pictures_are_made(saved, photo, tmp_path, kind, arguments):
    arguments = [str(photo) if word == "PHOTO" else word for word in arguments]
    assert generate(saved, kind, tmp_path, *arguments) == 0
    with Image.open(tmp_path / f"{kind}-samples.png") as sheet:
        assert sheet.size == (2 * 36 + 4, 36 + 4)


def test_all_classes_come_in_turn(saved, tmp_path):
    """Sample 3 of "all" has class 0 again: at its place it equals the sheet of class 0."""
    for label in ("all", "0"):
        assert generate(saved, "classes", tmp_path / label, "--class-label", label, "--num", "4") == 0
    sheets = [np.asarray(Image.open(tmp_path / label / "classes-samples.png")).astype(int) for label in ("all", "0")]
    assert np.abs(sheets[0][24:40, 24:40] - sheets[1][24:40, 24:40]).max() <= 1


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        ("frames", [], "--input must be a photo or video"),
        ("classes", ["--input", "a.png"], "--input must not be given"),
        ("cascade", ["--class-label", "all"], "--class-label"),
    ],
)
def test_a_kind_that_cannot_is_told_apart(saved, tmp_path, capsys, kind, arguments, words):
    assert generate(saved, kind, tmp_path / "out", *arguments) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and words in err and not (tmp_path / "out").exists()
