# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The comparison app: what the Space shows and `hf-vdrep demo` starts."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "AppSettings": ".settings",
    "build_app": ".page",
    "launch_app": ".launch",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
