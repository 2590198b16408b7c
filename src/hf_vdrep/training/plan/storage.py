# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Bytes that a training leaves on disk."""

from .denoiser_shape import DenoiserShape
from .tokenizer_shape import TokenizerShape

STORED_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
# Name, dtype, shape and place of a tensor in the header of a safetensors file, besides the letters of its name.
_ENTRY = 78
# Generators of torch, NumPy and Python.
_GENERATORS = 15_256


def header_bytes(tensors: int, names: int) -> int:
    """Of a safetensors file with so many tensors, whose names have so many letters in all."""
    return _ENTRY * tensors + names


def checkpoint_bytes(shape: DenoiserShape | TokenizerShape, processes: int = 1) -> int:
    """`checkpoint-<step>/`: weights, average and AdamW's moments in float32, and a generator for each process.

    AdamW keeps a counter for each tensor beside its two moments.
    """
    weights = 4 * shape.parameters + header_bytes(shape.tensors, shape.names)
    moments = 8 * shape.parameters + 4 * shape.tensors + 3 * header_bytes(shape.tensors, 13 * shape.tensors)
    return 2 * weights + moments + processes * _GENERATORS


def snapshot_bytes(shape: DenoiserShape) -> int:
    """`snapshots/step-<n>.safetensors`: the average in bfloat16."""
    return 2 * shape.parameters + header_bytes(shape.tensors, shape.names)


def pipeline_bytes(shape: DenoiserShape, tokenizer: TokenizerShape | None, dtype: str) -> int:
    """`pipeline/`: the averaged denoiser in `dtype`, and the tokenizer in float32."""
    total = STORED_BYTES[dtype] * shape.parameters + header_bytes(shape.tensors, shape.names)
    if tokenizer is not None:
        total += 4 * tokenizer.parameters + header_bytes(tokenizer.tensors, tokenizer.names)
    return total


def latent_bytes(shape: DenoiserShape, clips: int, dtype: str = "float32") -> int:
    """Latents of so many clips, each whole and as many of its frames alone as it has latent frames."""
    return 2 * clips * shape.latent_numbers * STORED_BYTES[dtype]
