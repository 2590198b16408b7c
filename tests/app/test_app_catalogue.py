# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Sites within the blocks, checkpoints as models, and boxes that are followed."""

from typing import get_args

import gradio as gr
import pytest
import torch

from hf_vdrep.app.catalogue import checkpoint_titles, is_shipped, open_checkpoint, title_of
from hf_vdrep.app.choices import SITES, box_of
from hf_vdrep.app.deadline import Deadline
from hf_vdrep.app.footage import open_example, open_world
from hf_vdrep.app.handlers import Handlers
from hf_vdrep.app.settings import AppSettings
from hf_vdrep.app.shelf import Shelf
from hf_vdrep.backbones.walt_sites import WaltSite
from hf_vdrep.models import shipped

ASKED = {"sample_ids": ["a"], "layers": [0.5], "timesteps": [50]}


def clip() -> torch.Tensor:
    return torch.randint(0, 256, (1, 5, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_what_attention_and_mlp_add_makes_up_the_block():
    """Residual stream: the block's output is the stream before its MLP plus what the MLP adds."""
    shelf, found = Shelf(AppSettings()), {}
    for site in SITES:
        backbone = shelf.open("v-walt", site)
        (features,) = backbone.extract(backbone.prepare(clip()), **ASKED)
        found[site] = features.values
        assert backbone.stride == 8 and backbone.video_as == "video"
    torch.testing.assert_close(found["middle"] + found["mlp"], found["block"], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(found["attention"], found["mlp"])


def test_the_page_offers_the_sites_that_a_walt_has():
    assert set(SITES) == set(get_args(WaltSite))


def test_every_kept_checkpoint_but_the_twins_themselves_is_offered():
    kept = [one for one in shipped.checkpoints() if (one.seed, one.fraction) != (0, 1)]
    titles = checkpoint_titles()
    assert len(titles) == len(kept) == len(set(titles.values())) > 0
    assert set(AppSettings().offered) == {"i-walt", "v-walt", "latents", "pixels", "random", *titles}
    assert AppSettings(offer_checkpoints=False).offered == AppSettings().models
    assert {name.partition("@")[0] for name in AppSettings(models=("v-walt",)).offered} == {"v-walt"}


def test_a_checkpoint_is_the_twin_as_it_was():
    name = next(name for name in checkpoint_titles() if name.startswith("v-walt@0:"))
    assert title_of(name).startswith("V-WALT at ") and is_shipped(name) and not is_shipped("v-walt@0:7")
    seed, step = map(int, name.partition("@")[2].split(":"))
    truth = shipped.open_checkpoint("v-walt", seed, step).transformer.state_dict()
    weights = open_checkpoint(name).transformer.state_dict()
    assert all(torch.equal(weights[key], value.float()) for key, value in truth.items())
    for wrong in ("v-walt@0:7", "v-walt@0:../x", "v-walt"):
        with pytest.raises(ValueError, match="must be one of"):
            open_checkpoint(wrong)


@pytest.mark.parametrize(
    "wrong", [None, "box", [], [0, 0, 1], [0, 0, 1, 2], [0.5, 0, 0.4, 1], [0, 0, float("nan"), 1], [0, 0, True, 1],
              [0.1, 0.1, 0.105, 0.9], {"x": 1}, [[0], 0, 1, 1]],
)  # fmt: skip
def test_a_box_that_is_none_gets_a_sentence(wrong: object):
    with pytest.raises(ValueError, match="box"):
        box_of(wrong)


def test_boxes_of_the_world_are_its_largest_objects_in_frame_0():
    boxes = open_world(61).truth["boxes"]
    assert boxes.shape[1:] == (17, 4) and 1 <= len(boxes) <= 2
    sides = boxes[:, 0, 2:] - boxes[:, 0, :2]
    areas = sides.prod(-1)
    assert bool((sides > 0).all()) and areas.tolist() == sorted(areas.tolist(), reverse=True)


def test_a_drawn_box_is_followed_as_the_readout_follows_it(comparer):
    footage, box = open_example("hourglass"), (0.2, 0.3, 0.6, 0.9)
    found = comparer.follow(footage, ("i-walt", "pixels"), box, Deadline(300))
    assert found["key"] == "hourglass" and found["box"] == list(box)
    followed, missing = found["models"]
    assert "No readout has been trained on pixels" in missing["missing"] and missing["boxes"] is None
    from hf_vdrep.study.shipped_probes import open_probe

    truth = open_probe("i-walt", "box_tracks").predict(None, footage.frames[None], boxes=torch.tensor([[box]]))
    torch.testing.assert_close(torch.tensor(followed["boxes"]), truth["boxes"][0, 0], rtol=0, atol=2e-3)


def test_a_photo_has_no_boxes_to_follow(comparer):
    (found, _) = comparer.follow(open_example("astronaut"), ("i-walt", "v-walt"), (0, 0, 1, 1), Deadline(300))["models"]
    assert "needs a clip of 17 frames" in found["missing"]


def test_a_box_in_a_clip_that_was_never_shown_gets_a_sentence():
    handlers = Handlers(AppSettings())
    asked = {"key": "hourglass", "names": ["i-walt", "v-walt"], "box": [0.1, 0.1, 0.5, 0.5]}
    for changed, words in (({}, "compare again"), ({"names": ["/etc", "v-walt"]}, "must be one of"),
                           ({"names": "i-walt"}, "two models"), ({"box": None}, "four numbers")):  # fmt: skip
        update, status = handlers.follow(gr.EventData(None, {**asked, **changed}))
        assert words in status and 'role="alert"' in status and words in update["followed"]["failed"]
