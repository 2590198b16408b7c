# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The word that somebody meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word, as words to append to an error; "" where none is near."""
    near = difflib.get_close_matches(word, [str(other) for other in known], n=1)
    return f"; did you mean {near[0]}?" if near else ""
