# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A name for a set of weights that changes when they do."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


def fingerprint(modules: Mapping[str, nn.Module], config: Mapping[str, Any]) -> str:
    """Hex blake2b (32 digits) of all parameters and buffers, by sorted name, and of `config` as JSON.

    Args:
        modules: name -> module.
        config: whatever else the result depends on; values that JSON lacks enter by their `str`.
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps(dict(config), sort_keys=True, default=str).encode())
    for prefix in sorted(modules):
        for name, weights in sorted(modules[prefix].state_dict().items()):
            digest.update(f"{prefix}.{name} {weights.dtype} {tuple(weights.shape)}\n".encode())
            flat = weights.detach().cpu().contiguous().reshape(-1)
            digest.update(memoryview(flat.view(torch.uint8).numpy()))
    return digest.hexdigest()


def public_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a diffusers config, without the underscored bookkeeping (versions, paths)."""
    return {key: value for key, value in config.items() if not key.startswith("_")}
