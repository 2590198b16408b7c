# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Names of the package hf_vdrep, which must be installed, for `trust_remote_code=True`."""

from hf_vdrep.models import (
    AutoencoderWalt,
    WaltTransformer3DModel,
)

__all__ = [
    "AutoencoderWalt",
    "WaltTransformer3DModel",
]
