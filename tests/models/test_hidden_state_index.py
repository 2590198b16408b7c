# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which hidden states a caller of transformers asks for."""

import pytest

from hf_vdrep.models.hidden_state_index import resolve_hidden_states


@pytest.mark.parametrize(
    ("selection", "expected"),
    [(True, {0, 1, 2}), (False, set()), (None, set()), (1, {1}), (0, {0}), ([-1, 0], {0, 2}), ((1, -2), {1})],
)
def test_a_selection_resolves_to_indices(selection: object, expected: set[int]):
    assert resolve_hidden_states(selection, 3) == expected


@pytest.mark.parametrize("index", [3, -4])
def test_an_index_that_does_not_exist_is_named(index: int):
    with pytest.raises(ValueError, match=rf"output_hidden_states must lie in \[-3, 2\], got {index}"):
        resolve_hidden_states([0, index], 3)
