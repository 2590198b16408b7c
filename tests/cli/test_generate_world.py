# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep generate`: a small command, whole files."""

import numpy as np
import pytest
from PIL import Image

from hf_vdrep.cli.main import main
from hf_vdrep.data import load_clip


def picture(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_generate_writes_a_grid_and_a_film(tiny_pair, tmp_path, capsys):
    image, video = tiny_pair
    common = ["--steps", "2", "--scale", "1", "-q", "-o", str(tmp_path)]
    assert main(["generate", "--model", str(video), "--num", "2", "--frames", "5", *common]) == 0
    assert main(["generate", "--model", str(image), "--num", "3", *common]) == 0
    names = ["tiny-video-samples.png", "tiny-video-samples.mp4", "tiny-image-samples.png"]
    assert capsys.readouterr().out.split() == [str(tmp_path / name) for name in names]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)
    assert picture(tmp_path / names[0]).shape == (2 * 20 + 4, 5 * 20 + 4, 3)
    assert picture(tmp_path / names[2]).shape == (2 * 20 + 4, 2 * 20 + 4, 3)
    assert load_clip(tmp_path / names[1], num_frames=5).frames.shape[0] == 5


def test_sample_does_not_depend_on_how_many_are_drawn(tiny_pair, tmp_path, capsys):
    first = []
    for number in ("1", "9"):
        out = tmp_path / number
        arguments = ["--num", number, "--steps", "2", "--scale", "1", "-q", "-o", str(out)]
        assert main(["generate", "--model", str(tiny_pair[0]), *arguments]) == 0
        first.append(picture(out / "tiny-image-samples.png")[4:20, 4:20].astype(int))
    assert np.abs(first[0] - first[1]).max() <= 1


@pytest.mark.parametrize(("arguments", "words"), [(["--model", "none"], "none"), (["--frames", "4"], "frames")])
def test_generate_refuses_in_one_line(tiny_pair, tmp_path, capsys, arguments, words):
    settings = ["--model", str(tiny_pair[1]), "--num", "1", "--steps", "1", "-q", "-o", str(tmp_path / "out")]
    assert main(["generate", *settings, *arguments]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and words in err
    assert not (tmp_path / "out").exists()
