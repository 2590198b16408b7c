# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From prompts to the states of the text encoder (WALT §5.3.1: T5)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

MAX_SEQUENCE_LENGTH = 120


class TextStates(NamedTuple):
    """States (N, L, D) and their mask (N, L), true where there is text."""

    states: torch.Tensor
    mask: torch.Tensor

    def repeated(self, times: int) -> "TextStates":
        """Every row `times` in a row."""
        return TextStates(self.states.repeat_interleave(times, 0), self.mask.repeat_interleave(times, 0))


def encode_prompt(
    tokenizer: Any,
    text_encoder: Any,
    prompt: str | Sequence[str],
    *,
    name: str = "prompt",
    max_sequence_length: int = MAX_SEQUENCE_LENGTH,
    device: torch.device | str = "cpu",
) -> TextStates:
    """States of one prompt or several, padded or cut to `max_sequence_length` tokens.

    Raises:
        ValueError: no tokenizer or text encoder, or a prompt that is no text.
    """
    if tokenizer is None or text_encoder is None:
        raise ValueError(f"{name} must be None, got one (the pipeline has no tokenizer and text_encoder)")
    prompts = list(prompt) if isinstance(prompt, (list, tuple)) else [prompt]
    if not prompts or not all(isinstance(text, str) for text in prompts):
        raise ValueError(f"{name} must be a string or a list of strings, got {prompt!r}")
    tokens = tokenizer(
        prompts, padding="max_length", truncation=True, max_length=max_sequence_length, return_tensors="pt"
    )
    mask = tokens["attention_mask"].to(device)
    states = text_encoder(tokens["input_ids"].to(device), attention_mask=mask)[0]
    return TextStates(states, mask.bool())


def given_states(states: torch.Tensor | None, mask: torch.Tensor | None, name: str) -> TextStates | None:
    """States that the caller brings, with a full mask where there is none.

    Raises:
        ValueError: states that are not (N, L, D), or a mask of another shape.
    """
    if states is None:
        if mask is not None:
            raise ValueError(f"{name}_attention_mask must come with {name}_embeds, got the mask alone")
        return None
    if states.ndim != 3:
        raise ValueError(f"{name}_embeds must be (N, L, D), got {tuple(states.shape)}")
    mask = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device) if mask is None else mask.bool()
    if mask.shape != states.shape[:2]:
        raise ValueError(f"{name}_attention_mask must be {tuple(states.shape[:2])}, got {tuple(mask.shape)}")
    return TextStates(states, mask)
