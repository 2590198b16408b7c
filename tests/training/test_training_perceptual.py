# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The perceptual loss: the formula, and any transformers encoder by its folder."""

import json
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from transformers import CLIPConfig, CLIPModel, ResNetConfig, ResNetModel, ViTConfig, ViTModel

from hf_vdrep.training.perceptual import PerceptualLoss


class Pixels(nn.Module):
    """Hidden states are the pixels it is given, as tokens and as a map."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, pixel_values: torch.Tensor, output_hidden_states: bool) -> SimpleNamespace:
        assert output_hidden_states
        maps = pixel_values * self.gain
        return SimpleNamespace(hidden_states=(maps.flatten(2).mT, maps))


def clip(*rows: list[float]) -> torch.Tensor:
    """(1, C, len(rows), 1, 1) with one colour per frame, given in [0, 1]."""
    return torch.tensor(rows).T[None, :, :, None, None] * 2 - 1


@pytest.mark.parametrize("layers", [(0,), (1,), (0, -1)])
def test_distance_is_two_minus_two_cosines(layers: tuple[int, ...]):
    """Colours at 90, 0 and 60 degrees."""
    loss = PerceptualLoss(Pixels(), layers, mean=(0, 0, 0), std=(1, 1, 1))
    a = clip([1.0, 0.0, 0.0], [0.2, 0.2, 0.2], [1.0, 0.0, 0.0])
    b = clip([0.0, 0.5, 0.0], [0.9, 0.9, 0.9], [0.5, 3**0.5 / 2, 0.0])
    assert float(loss(a, b)) == pytest.approx((2 + 0 + 1) / 3, abs=1e-5)


def test_input_is_normalised_with_the_encoders_statistics():
    loss = PerceptualLoss(Pixels(), mean=(0.5, 0.5, 0.5), std=(0.5, 0.25, 1.0))
    grey = loss._features(clip([1.0, 0.75, 0.5]))[0]
    torch.testing.assert_close(grey, torch.tensor([[[0.5**0.5, 0.5**0.5, 0.0]]]))


def test_only_the_reconstruction_learns():
    loss = PerceptualLoss(Pixels())
    made, given = (torch.rand(1, 3, 2, 4, 4, requires_grad=True) for _ in range(2))
    loss(made, given).backward()
    assert made.grad.abs().sum() > 0 and given.grad is None
    assert not any(p.requires_grad for p in loss.parameters())
    assert not loss.train().training and not loss.encoder.training and not loss.state_dict().keys() - {"encoder.gain"}


def test_a_video_is_the_mean_over_its_frames():
    torch.manual_seed(0)
    loss = PerceptualLoss(Pixels())
    a, b = torch.rand(2, 3, 3, 4, 4), torch.rand(2, 3, 3, 4, 4)
    frames = [loss(a[:, :, t : t + 1], b[:, :, t : t + 1]) for t in range(3)]
    torch.testing.assert_close(loss(a, b), torch.stack(frames).mean())


def make(kind: str) -> nn.Module:
    torch.manual_seed(0)
    small = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 8}
    if kind == "vit":
        return ViTModel(ViTConfig(**small, image_size=8, patch_size=4))
    if kind == "resnet":
        return ResNetModel(ResNetConfig(embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic"))
    tower = {"text_config": {**small, "vocab_size": 8}, "vision_config": {**small, "image_size": 8, "patch_size": 4}}
    return CLIPModel(CLIPConfig(**tower, projection_dim=4))


@pytest.mark.parametrize("kind", ["vit", "resnet", "clip"])
def test_any_encoder_is_loaded_by_its_folder(kind: str, tmp_path):
    """Transformer, convolutional, two towers; the processor's file gives statistics and size."""
    make(kind).save_pretrained(tmp_path)
    settings = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.2], "size": {"shortest_edge": 32}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    loss = PerceptualLoss.from_pretrained(str(tmp_path), layers=[1, -1])
    assert loss.size == ((32, 32) if kind == "resnet" else (8, 8))
    assert loss.mean.flatten().tolist() == pytest.approx([0.5, 0.4, 0.3])
    a, b = torch.rand(1, 3, 2, 16, 16, requires_grad=True), torch.rand(1, 3, 2, 16, 16)
    distance = loss(a, b)
    distance.backward()
    assert distance.item() > 1e-4 and a.grad.abs().sum() > 0
    assert float(loss(b, b)) == 0
    assert PerceptualLoss.from_pretrained(str(tmp_path), size=8).size == (8, 8)


def test_an_encoder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(
        ValueError, match=r"perceptual_model must be a transformers vision model, got .*nowhere"
    ) as error:
        PerceptualLoss.from_pretrained(str(tmp_path / "nowhere"))
    assert "\n" not in str(error.value)
