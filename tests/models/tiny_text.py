# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A tiny T5 with a tokenizer of a few words."""

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

WIDTH = 8
WORDS = ("a", "red", "blue", "cube", "ball", "rolls")


def tiny_text() -> dict[str, object]:
    """`text_encoder` and `tokenizer`."""
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=2 + len(WORDS), d_model=WIDTH, d_kv=4, d_ff=16, num_layers=1, num_heads=2, dropout_rate=0.0
    )
    words = Tokenizer(models.WordLevel({"<pad>": 0, "<unk>": 1} | {w: i + 2 for i, w in enumerate(WORDS)}, "<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", unk_token="<unk>")
    return {"text_encoder": T5EncoderModel(config).eval(), "tokenizer": tokenizer}
