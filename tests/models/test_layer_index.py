# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Naming blocks by index, from the end and by relative depth."""

import pytest

from hf_vdrep.models import resolve_layers


@pytest.mark.parametrize(
    ("layer", "index"),
    [(0, 0), (11, 11), (-1, 11), (-12, 0), (1.0, 11), (0.67, 7), (0.5, 5), (0.01, 0), (1 / 12, 0)],
)
def test_a_layer_resolves_to_its_block(layer: int | float, index: int):
    """0.67 of 12 blocks is the eighth: depth d names block round(12 d) counted from 1."""
    assert resolve_layers([layer], 12) == [index]


def test_order_and_repetition_are_kept():
    assert resolve_layers([3, 0, -1, 3], 4) == [3, 0, 3, 3]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([12], r"layer must lie in \[-12, 11\], got 12 \(12 blocks\)"),
        ([-13], "got -13"),
        ([1.5], r"layer as a relative depth must lie in \(0, 1\], got 1.5"),
        ([0.0], r"\(0, 1\], got 0.0"),
        ([], "at least one block"),
    ],
)
def test_a_layer_that_does_not_exist_is_named(layers: list, message: str):
    with pytest.raises(ValueError, match=message):
        resolve_layers(layers, 12)
