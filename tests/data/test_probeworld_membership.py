# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The digest of the rule that says which clips the fine-grained task holds."""

import pytest

from hf_vdrep.data.probeworld import classes, selection

RULES = {
    "IMBALANCE": 5.0,
    "TAIL": 12,
    "_TEST_RATE": 0.7,
    "_ROLL_STREAM": 1,
    "_RANKS_STREAM": 2,
    "_PALETTES_PER_SPLIT": {"train": 4, "validation": 3, "test": 3},
}


def digest() -> str:
    for cached in (selection.fine_ranks, selection._frequencies, selection._keep, selection.membership_digest):
        cached.cache_clear()
    return selection.membership_digest()


@pytest.fixture
def rule():
    """The rule as it is; no rule that a test changed outlives it."""
    yield digest()
    digest()


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_number_of_the_rule_changes_its_digest(rule, name, monkeypatch):
    """Splits rendered under another rule must not be taken for these."""
    with monkeypatch.context() as changed:
        changed.setattr(selection, name, RULES[name])
        assert digest() != rule
    assert digest() == rule


def test_another_class_of_a_pattern_changes_the_digest(rule, monkeypatch):
    first, second = sorted(set(classes._STYLE.values()))[:2]
    pattern = next(each for each, style in classes._STYLE.items() if style == first)
    with monkeypatch.context() as changed:
        changed.setitem(classes._STYLE, pattern, second)
        assert digest() != rule
