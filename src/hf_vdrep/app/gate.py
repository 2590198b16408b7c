# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What requests reach the server: gradio answers many that this page never makes."""

import re
from typing import Any

from starlette.responses import PlainTextResponse

_UNUSED = re.compile(
    # The first hands visitors' bytes to ffmpeg, outside of the process that decodes uploads; the second asks other
    # servers on a visitor's behalf; others write to the disk or take code.
    r"/(process_recording|proxy=|deep_link|component_server|custom_component|stream/|dev/|(undo-)?vibe-)"
)
_QUESTION_BYTES = 100_000
"""A comparison's arguments, as JSON, are far below this."""


class Gate:
    """ASGI middleware that turns away routes that the page does not use, and bodies that are too long.

    Args:
        app: what answers the rest.
        upload_bytes: longest body of an upload, its frame included; other bodies are at most 100 kB.
    """

    def __init__(self, app: Any, upload_bytes: int) -> None:
        self._app, self._upload_bytes = app, upload_bytes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if _UNUSED.search(scope["path"]):
            return await PlainTextResponse("Not found", status_code=404)(scope, receive, send)
        most = self._upload_bytes if scope["path"].rstrip("/").endswith("/upload") else _QUESTION_BYTES
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > most:
            words = f"Too large: at most {max(1, most // 1_000_000)} MB are taken."
            return await PlainTextResponse(words, status_code=413)(scope, receive, send)
        return await self._app(scope, _counted(receive, most), send)


def _counted(receive: Any, most: int) -> Any:
    """`receive` that ends as if the visitor had gone where a body without a length grows too long."""
    seen = 0

    async def count() -> Any:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return message if seen <= most else {"type": "http.disconnect"}

    return count
