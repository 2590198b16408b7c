# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Values that come over the network may be anything; each wrong one gets a sentence."""

import pytest

from hf_vdrep.app.choices import Choice, whole_number

GOOD = ("i-walt", "v-walt", 67, 50, "block", 2, False)


def checked(**changed: object) -> Choice:
    names = ("first", "second", "depth", "timestep", "site", "density", "keep_position")
    return Choice.checked(**{**dict(zip(names, GOOD, strict=True)), **changed})


def test_a_good_choice_keeps_its_values_and_depth_becomes_a_share():
    assert checked() == Choice(("i-walt", "v-walt"), 0.67, 50, "block", 2, False)
    assert checked(depth=100).depth == 1.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depth", 0), ("depth", 101), ("depth", float("nan")), ("depth", float("inf")), ("depth", True),
        ("depth", "67"), ("depth", None), ("depth", [67]),
        ("timestep", -1), ("timestep", 1000), ("timestep", 1e308), ("timestep", 0.5), ("timestep", {"a": 1}),
        ("site", "constructor"), ("site", None), ("site", ["block"]),
        ("density", 3), ("density", 10**9), ("density", True), ("density", [2]),
        ("keep_position", "yes"), ("keep_position", 1),
        ("first", ""), ("first", None), ("second", 7), ("second", "x" * 201), ("first", ["i-walt"]),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_in_one_short_sentence(name: str, value: object):
    with pytest.raises(ValueError, match="must") as caught:
        checked(**{name: value})
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and len(message) < 200


def test_a_whole_number_may_come_as_a_float_but_not_as_a_fraction():
    assert whole_number(7.0, "number", 0, 10) == 7
    with pytest.raises(ValueError, match=r"whole number, got 7\.5"):
        whole_number(7.5, "number", 0, 10)
