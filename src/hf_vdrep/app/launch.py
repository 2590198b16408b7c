# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Serving the app."""

import logging
import os
import socket
import threading
from typing import Any

from .settings import AppSettings

_SANS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"]
_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]


def page_options(settings: AppSettings) -> dict[str, Any]:
    """Arguments of `launch`: style, limits, and nothing that reaches out to other servers."""
    import gradio as gr
    from starlette.middleware import Middleware

    from .gate import Gate
    from .player import static

    most = settings.max_upload_megabytes * 1_000_000
    theme = gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=[gr.themes.Font(name) for name in _SANS],
        font_mono=[gr.themes.Font(name) for name in _MONO],
    ).set(
        button_primary_background_fill="#0b62ab",
        button_primary_background_fill_hover="#0a5797",
        button_primary_background_fill_dark="#0b62ab",
        button_primary_background_fill_hover_dark="#0a5797",
        # Words need a contrast of 4.5 to 1 (WCAG AA); gradio's own greys and blue do not have it.
        color_accent="#0b62ab",
        body_text_color_subdued="#5f6873",
        body_text_color_subdued_dark="#a3adb8",
        block_info_text_color="#5f6873",
        block_info_text_color_dark="#a3adb8",
        block_title_text_color="#3c4550",
        block_title_text_color_dark="#d3d9e0",
        checkbox_border_color="#7b8794",
        checkbox_border_color_dark="#93a0ad",
    )
    return {
        "theme": theme,
        "css": static("app.css"),
        "max_file_size": most,
        "app_kwargs": {"middleware": [Middleware(Gate, upload_bytes=most + 100_000)]},
        "allowed_paths": [],
        "show_error": False,
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "pwa": False,
        "mcp_server": False,
        "footer_links": ["api"],
    }


def launch_app(settings: AppSettings | None = None, **options: Any) -> Any:
    """Build the app and serve it.

    Args:
        settings: limits and permissions.
        options: of `gradio.Blocks.launch`, such as `server_port` and `prevent_thread_lock`.

    Returns:
        What `launch` returns: the FastAPI app, the local address, and the shared one or None.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from .handlers import Handlers
    from .page import build_app
    from .upload_folder import claim_upload_folder

    claim_upload_folder()
    settings = settings or AppSettings()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    handlers = Handlers(settings)
    threading.Thread(target=handlers.warm_up, daemon=True).start()
    return build_app(settings, handlers).launch(**{**page_options(settings), **options})


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])
