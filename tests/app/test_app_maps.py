# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the page draws is what the features say."""

import base64
import io

import numpy as np
import torch
from PIL import Image

from hf_vdrep.app import sprites
from hf_vdrep.app.colours import joint_colours, rotation_onto
from hf_vdrep.app.similarity import pack


def test_packed_features_give_the_cosine_of_centred_features():
    values = torch.randn(3, 4, 5, 32, generator=torch.Generator().manual_seed(0)) + 7
    packed = pack(values)
    centred = (values - values.mean((0, 1, 2))).flatten(0, 2)
    truth = torch.cosine_similarity(centred, centred[17:18])
    torch.testing.assert_close(packed.cosine(17), truth, rtol=0, atol=0.02)
    assert packed.grid == (3, 4, 5) and packed.kept == 1.0


def test_many_channels_are_reduced_to_the_limit_and_few_directions_stay_exact():
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(2, 8, 8, 4, generator=generator) @ torch.randn(4, 500, generator=generator)
    packed = pack(values, limit=128 * 16)
    assert packed.values.shape == (128, 16) and packed.kept > 0.999
    centred = (values - values.mean((0, 1, 2))).flatten(0, 2)
    torch.testing.assert_close(packed.cosine(5), torch.cosine_similarity(centred, centred[5:6]), rtol=0, atol=0.03)


def test_a_model_and_its_rotated_copy_have_the_same_colours():
    """Procrustes: a basis of features says nothing, so a turn of the feature space must not show."""
    generator = torch.Generator().manual_seed(2)
    values = torch.randn(5, 6, 6, 12, generator=generator) * torch.linspace(3, 0.1, 12)
    turn, _ = torch.linalg.qr(torch.randn(12, 12, generator=generator))
    (first, second), shares = joint_colours((values, values @ turn))
    torch.testing.assert_close(first, second, rtol=0, atol=1e-4)
    assert abs(shares[0] - shares[1]) < 1e-6 and 0 < shares[0] < 1


def test_maps_of_different_grids_and_channels_can_be_coloured_together():
    (first, second), _ = joint_colours((torch.randn(5, 8, 8, 16), torch.randn(17, 4, 6, 2)))
    assert first.shape == (5, 8, 8, 3) and second.shape == (17, 4, 6, 3)
    assert bool(torch.isfinite(second).all()) and float(second.min()) >= 0 and float(second.max()) <= 1


def test_the_rotation_is_orthogonal_and_finds_the_turn():
    generator = torch.Generator().manual_seed(3)
    reference = torch.randn(200, 3, generator=generator).double()
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=generator).double())
    found = rotation_onto(reference @ turn.T, reference)
    torch.testing.assert_close(found, turn)
    torch.testing.assert_close(found @ found.T, torch.eye(3, dtype=torch.float64))


def test_a_sprite_holds_the_frames_below_each_other():
    frames = torch.rand(3, 4, 5, 3)
    packed = sprites.maps(frames)
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(packed["src"].split(",")[1]))))
    assert (packed["count"], packed["height"], packed["width"]) == (3, 4, 5)
    np.testing.assert_array_equal(picture, (frames * 255).round().to(torch.uint8).reshape(12, 5, 3).numpy())


def test_unknown_values_are_transparent():
    values = torch.tensor([[[0.0, float("nan")]]])
    packed = sprites.scalar_maps(values, 0, 1, "viridis")
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(packed["src"].split(",")[1]))))
    assert picture[0, :, 3].tolist() == [255, 0]
    assert picture[0, 0, :3].tolist() == [68, 1, 84]  # the first colour of viridis, as published
