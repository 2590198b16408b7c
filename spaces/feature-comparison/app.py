# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The Space: everything it does lives in `hf_vdrep.app`; `hf-vdrep demo` serves the same."""

import contextlib
import os
from pathlib import Path

with contextlib.suppress(ImportError):
    import spaces  # noqa: F401  ZeroGPU wants to come before torch

from hf_vdrep.app import AppSettings, launch_app

ALLOWED = os.environ.get("ALLOW_REMOTE_MODELS", "") == "1"

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    # The Space's proxy asks for 0.0.0.0:7860.
    launch_app(
        AppSettings(examples=here / "examples", allow_remote_models=ALLOWED), server_name="0.0.0.0", server_port=7860
    )
