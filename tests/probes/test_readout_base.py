# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Readouts as folders: built from their config, saved whole, loaded as they were."""

import json

import pytest
import torch

from hf_vdrep.probes import AttentiveClassifier, Readout, SRTDepthReadout

SPANS = torch.tensor([[0, 1], [1, 5]])


def test_a_saved_readout_comes_back_as_it_was(tmp_path):
    readout = AttentiveClassifier(6, 2, 3, width=8, num_heads=2)
    torch.nn.init.normal_(readout.head.weight)
    readout.save_pretrained(tmp_path)
    values = torch.randn(4, 2, 3, 3, 6)
    for found in (AttentiveClassifier.from_pretrained(tmp_path), Readout.from_pretrained(tmp_path)):
        assert type(found) is AttentiveClassifier
        assert not found.training
        assert torch.equal(found(values), readout(values))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_the_config_is_json_with_the_defaults_filled_in(tmp_path):
    readout = SRTDepthReadout(6, SPANS, 5, width=8, num_heads=2)
    assert json.loads(json.dumps(readout.config)) == readout.config
    assert readout.config["frame_spans"] == [[0, 1], [1, 5]]
    assert readout.config["octaves"] == 16
    again = SRTDepthReadout.from_config(readout.config)
    assert {name: p.shape for name, p in again.named_parameters()} == {
        name: p.shape for name, p in readout.named_parameters()
    }
    readout.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["readout_type"] == "dense"


def test_a_readout_of_ones_own_keeps_the_outermost_arguments():
    class Wide(AttentiveClassifier):
        def __init__(self, in_channels: int, *, times: int = 2) -> None:
            super().__init__(in_channels, 2, 3, width=8 * times, num_heads=2)

    readout = Wide(6, times=4)
    assert readout.config == {"in_channels": 6, "times": 4}
    assert Readout.from_config({"architectures": ["Wide"], **readout.config}).query.shape == (32,)


def test_folders_that_hold_no_readout_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"folder must hold config.json and model.safetensors"):
        Readout.from_pretrained(tmp_path)
    AttentiveClassifier(6, 2, 3, width=8).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="architectures must name a SRTDepthReadout"):
        SRTDepthReadout.from_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "width": 16}))
    with pytest.raises(ValueError, match=r"model.safetensors must fit config.json.*query"):
        Readout.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="unexpected keyword argument 'depth'"):
        Readout.from_config({**config, "depth": 3})
    with pytest.raises(ValueError, match="architectures must name a Readout, got \\['Task'\\]"):
        Readout.from_config({"architectures": ["Task"]})
