# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The choices of one extraction."""

import os
from dataclasses import dataclass

from .process_share import ProcessShare
from .storage_dtype import STORED

STACKING = ("auto", "on", "off")


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
    share: ProcessShare
    quota: int | None
    statistics: bool = False
    stacking: str = "off"

    def __post_init__(self) -> None:
        if self.dtype not in STORED:
            raise ValueError(f"dtype must be one of {', '.join(STORED)}, got {self.dtype!r}")
        if self.stacking not in STACKING:
            raise ValueError(f"stacking must be one of {', '.join(STACKING)}, got {self.stacking!r}")
        if self.quota is not None and self.quota < 0:
            raise ValueError(f"quota must be at least 0 bytes, got {self.quota}")
        for name in ("batch_size", "pool", "shard_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
