# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""States of a frozen text encoder for captions, each encoded once (WALT §5.3.1: T5)."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch

_KEPT = 4096


class CaptionEncoder:
    """Captions to states of a text encoder on the CPU; the latest ones are remembered.

    Args:
        tokenizer: of the encoder.
        encoder: frozen, with `config.d_model`.
        length: tokens that a caption is padded or cut to.
    """

    def __init__(self, tokenizer: Any, encoder: Any, length: int) -> None:
        self.tokenizer, self.encoder, self.length = tokenizer, encoder, length
        self._kept: OrderedDict[str, tuple[torch.Tensor, torch.Tensor]] = OrderedDict()

    @property
    def width(self) -> int:
        """D, the width of a state."""
        return self.encoder.config.d_model

    @torch.no_grad()
    def __call__(self, captions: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """States float32 (N, L, D) and their mask bool (N, L); an empty caption has an empty mask."""
        from ..models.pipeline_text import encode_prompt

        new = [caption for caption in dict.fromkeys(captions) if caption not in self._kept]
        if new:
            device = next(self.encoder.parameters()).device
            found = encode_prompt(
                self.tokenizer, self.encoder, new, name="caption", max_sequence_length=self.length, device=device
            )
            mask = found.mask & torch.tensor([bool(caption.strip()) for caption in new], device=device)[:, None]
            self._kept.update(zip(new, zip(found.states.float().cpu(), mask.cpu(), strict=True), strict=True))
        pairs = [self._kept[caption] for caption in captions]
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return torch.stack([states for states, _ in pairs]), torch.stack([mask for _, mask in pairs])


def open_caption_encoder(source: str, length: int, device: torch.device | str = "cpu") -> CaptionEncoder:
    """The T5 encoder and tokenizer in a folder or Hub repository.

    Raises:
        ValueError: nothing loadable there.
    """
    from transformers import AutoTokenizer, T5EncoderModel

    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        encoder = T5EncoderModel.from_pretrained(source)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise ValueError(f"text_encoder must be a T5 encoder with tokenizer, got {source} ({reason})") from error
    return CaptionEncoder(tokenizer, encoder.to(device).eval().requires_grad_(False), length)
