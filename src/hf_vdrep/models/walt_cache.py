# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Making the blocks known to diffusers' cache hooks (FirstBlockCache, MagCache, SeaCache, layer skipping)."""

import functools


@functools.cache
def register_blocks() -> None:
    """Say which argument and output of the blocks are the tokens. Once per process, when a model is made.

    diffusers' registry imports every model it knows on first use, so the class is entered without waking it.
    """
    from diffusers.hooks._helpers import TransformerBlockMetadata, TransformerBlockRegistry

    from .walt_blocks import WaltFirstBlock, WaltSpatialBlock, WaltSpatiotemporalBlock

    for block in (WaltFirstBlock, WaltSpatialBlock, WaltSpatiotemporalBlock):
        metadata = TransformerBlockMetadata(return_hidden_states_index=0)
        metadata._cls = block
        TransformerBlockRegistry._registry[block] = metadata
