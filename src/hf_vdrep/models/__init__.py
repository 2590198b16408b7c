# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""WALT itself, in Hugging Face form."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "AutoencoderWalt": ".autoencoder_walt",
    "WaltTransformer3DModel": ".transformer_walt",
    "WaltPipeline": ".pipeline_walt",
    "WaltConfig": ".configuration_walt",
    "WaltModel": ".modeling_walt",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
