# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The player: input and both models' maps in step, drawn in the page."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

STATIC = Path(__file__).resolve().parent / "static"


def make_player(**options: Any) -> gr.HTML:
    """A component whose value is what `Comparer` gives.

    Markup and script are fixed; values reach the page as data and are written into it as text, never as markup.
    """
    script = static("player.js") + static("boxes.js")
    return gr.HTML(html_template=static("player.html"), js_on_load=script, apply_default_css=False, **options)


@lru_cache(maxsize=16)
def static(name: str) -> str:
    """A file of the page."""
    return (STATIC / name).read_text(encoding="utf-8")
