# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Lengths of clips: one frame, then groups of `ratio` (WALT section 4.1)."""

import pytest

from hf_vdrep.models.compression import legal_lengths


@pytest.mark.parametrize("ratio", [2, 4])
@pytest.mark.parametrize("longest", [None, 17])
def test_the_nearest_lengths_are_legal_and_around_what_was_asked(ratio: int, longest: int | None):
    legal = [n for n in range(1, 200) if (n - 1) % ratio == 0 and (longest is None or n <= longest)]
    for asked in [n for n in range(1, 60) if n not in legal]:
        below, above = [n for n in legal if n < asked][-1:], [n for n in legal if n > asked][:1]
        assert f"(nearest: {' or '.join(map(str, below + above))})" in legal_lengths(asked, ratio, longest)


def test_the_words_are_the_rule_what_came_and_what_is_near():
    assert legal_lengths(16, 4, 17) == "1 + 4k and at most 17, got 16 (nearest: 13 or 17)"
    assert legal_lengths(18, 4) == "1 + 4k, got 18 (nearest: 17 or 21)"
    assert legal_lengths(40, 4, 17) == "1 + 4k and at most 17, got 40 (nearest: 17)"
