# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The choices of one extraction."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class ExtractionOptions:
    """See `extract_features` for the fields.

    Raises:
        ValueError: a field out of range.
    """

    cache_dir: str | os.PathLike[str]
    data_fingerprint: str
    seed: int
    batch_size: int
    dtype: str
    autocast_dtype: str | None
    pool: int
    shard_size: int
    keep_latents: bool
    progress: bool

    def __post_init__(self) -> None:
        if self.dtype not in ("float16", "float32"):
            raise ValueError(f"dtype must be 'float16' or 'float32', got {self.dtype!r}")
        for name in ("batch_size", "pool", "shard_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
