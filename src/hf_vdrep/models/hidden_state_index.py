# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which hidden states a caller of transformers asks for."""

from collections.abc import Sequence


def is_selection(selection: bool | int | Sequence[int] | None) -> bool:
    """Whether single states are named, rather than all or none."""
    return selection is not None and not isinstance(selection, bool)


def resolve_hidden_states(selection: bool | int | Sequence[int] | None, count: int) -> set[int]:
    """Indices in [0, count) into the tuple of hidden states.

    Args:
        selection: True for all, None or False for none, else one index or several, negative from the end.
        count: length of the tuple, the number of blocks + 1.

    Raises:
        ValueError: an index outside [-count, count).
    """
    if selection is None or isinstance(selection, bool):
        return set(range(count)) if selection else set()
    indices = [selection] if isinstance(selection, int) else list(selection)
    for index in indices:
        if not -count <= index < count:
            raise ValueError(f"output_hidden_states must lie in [{-count}, {count - 1}], got {index}")
    return {index % count for index in indices}
