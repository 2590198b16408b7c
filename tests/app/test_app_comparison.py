# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A whole comparison without a browser: what reaches the page, and what goes wrong in words."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from hf_vdrep.app.choices import Choice
from hf_vdrep.app.comparison import Comparer
from hf_vdrep.app.deadline import Deadline
from hf_vdrep.app.footage import example_titles, open_example, open_upload, open_world
from hf_vdrep.app.handlers import Handlers, sentence
from hf_vdrep.app.settings import AppSettings
from hf_vdrep.data.untrusted import UploadError

PAIR = Choice(("i-walt", "v-walt"))


@pytest.fixture(scope="module")
def value(comparer: Comparer) -> dict:
    return comparer.readouts(open_example("hourglass"), PAIR, Deadline(300))


def test_a_comparison_is_json_and_small_enough_for_a_phone(value: dict):
    assert len(json.dumps(value, allow_nan=False)) < 1_500_000
    assert value["ready"] and value["frames"] == 17 and [m["name"] for m in value["models"]] == ["i-walt", "v-walt"]


def test_every_model_has_maps_of_every_step_and_a_step_for_every_frame(value: dict):
    """WALT's tokenizer: frame 0 alone, then four frames to a step."""
    for model in value["models"]:
        assert model["steps"] == [0, *(1 + frame // 4 for frame in range(16))]
        assert model["similarity"]["grid"] == [5, 16, 16]
        assert (model["colours"]["count"], model["change"]["count"], model["depth"]["count"]) == (5, 17, 17)
        assert "block 5 of 8" in model["words"] and "noise 50" in model["words"]


def test_classes_carry_the_truth_of_the_world_and_their_shares_fall(value: dict):
    for model in value["models"]:
        thing, motion = model["classes"]
        assert (thing["truth"], motion["truth"]) == ("hourglass", "come together")
        shares = [share for _, share in motion["shares"]]
        assert shares == sorted(shares, reverse=True) and 0 < sum(shares) <= 1.0001


def test_depth_lies_in_the_world_and_truth_is_shown_beside_it(value: dict):
    near, far = value["depthScale"]
    assert 0.5 < near < far < 20 and value["truth"]["depth"]["count"] == 17


def test_a_photo_has_classes_but_no_motion(comparer: Comparer):
    value = comparer.readouts(open_example("astronaut"), PAIR, Deadline(300))
    assert value["frames"] == 1 and value["truth"] is None
    for model in value["models"]:
        assert model["classes"][0]["shares"] and not model["classes"][1]["shares"]
        assert model["missing"]["depth"] == "The readout needs a clip of 17 frames; this has 1."


def test_models_without_readouts_say_so(comparer: Comparer):
    choice = Choice(("latents", "pixels"), density=1)
    value = comparer.readouts(open_example("hourglass"), choice, Deadline(300))
    for model in value["models"]:
        assert model["missing"].keys() == {"object", "action_motion", "depth", "point_tracks", "box_tracks"}
        assert f"No readout has been trained on {model['title']}" in model["missing"]["depth"]


def test_noise_and_depth_change_the_pictures_and_the_readouts_stay(comparer: Comparer, value: dict):
    other = Choice(PAIR.models, depth=0.3, timestep=600, density=1, keep_position=True)
    changed = comparer.readouts(open_example("hourglass"), other, Deadline(300))
    assert "block 2 of 8" in changed["models"][0]["words"] and "position left in" in changed["models"][0]["words"]
    assert changed["models"][0]["colours"] != value["models"][0]["colours"]
    assert changed["models"][0]["classes"] == value["models"][0]["classes"]


def test_a_deadline_that_has_passed_ends_the_comparison():
    from hf_vdrep.app.shelf import Shelf

    with pytest.raises(TimeoutError):
        Comparer(Shelf(AppSettings())).pictures(open_example("hourglass"), PAIR, Deadline(-1))


def test_an_upload_is_decoded_and_named_by_its_pixels(mp4: Path):
    footage = open_upload(str(mp4), 32)
    assert footage.frames.shape == (17, 64, 64, 3) and footage.pictures.shape == (17, 256, 256, 3)
    assert footage.key == open_upload(str(mp4), 32).key and not footage.truth
    # 96 x 128: the centre is cut out, and a pixel of 64 is the mean of the 4 x 4 pixels of 256 that it covers.
    blocks = footage.pictures.float().reshape(17, 64, 4, 64, 4, 3).mean((2, 4))
    assert float((footage.frames.float() - blocks).abs().max()) <= 0.5


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/etc", "/dev/zero", "../../etc/passwd", "nothing.mp4", "", None, 7, "http://x/y.mp4"]
)
def test_a_path_in_the_place_of_an_upload_is_refused(path: object, tmp_path: Path):
    with pytest.raises(UploadError) as caught:
        open_upload(path, 32, tmp_path)
    assert "/" not in str(caught.value)


def test_world_clips_are_numbered_within_bounds():
    for wrong in (-1, 100_000, 2.5, "7", None, float("nan"), True):
        with pytest.raises(ValueError, match="number of the clip"):
            open_world(wrong)  # type: ignore[arg-type]


def test_examples_of_a_folder_stand_beside_the_built_in_ones(mp4: Path):
    titles = example_titles(mp4.parent)
    assert titles["square.mp4"] == "Square" and "hourglass" in titles
    assert open_example("square.mp4", mp4.parent).frames.shape == (17, 64, 64, 3)
    for wrong in ("../square.mp4", "/etc/passwd", None, ["hourglass"]):
        with pytest.raises(ValueError, match="example must be one of"):
            open_example(wrong, mp4.parent)


def test_what_is_unexpected_tells_the_visitor_nothing_of_the_server(caplog: pytest.LogCaptureFixture):
    assert sentence(RuntimeError("/root/secret.py line 3")).startswith("Something went wrong on the server")
    assert "secret" in caplog.text
    assert "/root" not in sentence(OSError("/root/models missing"))
    assert sentence(ValueError("a\n  b")) == "a b"


def test_a_failure_leaves_the_picture_and_is_escaped(monkeypatch: pytest.MonkeyPatch):
    handlers = Handlers(AppSettings())
    (answer,) = list(handlers.compare("Example", "hourglass", None, 0, "<b>x</b>", "v-walt", 67, 50, "block", 2, False))
    assert "&lt;b&gt;" in answer[1] and "<b>" not in answer[1] and 'role="alert"' in answer[1]
    (answer,) = list(handlers.compare("Elsewhere", "hourglass", None, 0, "i-walt", "v-walt", 67, 50, "block", 2, False))
    assert "The source must be one of" in answer[1]


def test_true_depth_that_is_unknown_is_left_out(value: dict):
    footage = open_example("hourglass")
    assert isinstance(footage.truth["depth"], torch.Tensor) and np.isfinite(value["depthScale"]).all()
