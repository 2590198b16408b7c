# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Connections that break, as networks do: at the k-th large object, before a commit, or after it; busy servers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi.responses import JSONResponse


@dataclass
class Faults:
    """Which requests to drop.

    Attributes:
        puts_before_drop: large objects that still get through; None for all.
        drop_commits: break the connection in the middle of a commit's body.
        lose_answers: commits are made, and their answers lost.
        commits_before_drop: commits that still get through; None for all.
        refuse: status and part of a path: requests there get nothing but the status.
    """

    puts_before_drop: int | None = None
    drop_commits: bool = False
    lose_answers: bool = False
    commits_before_drop: int | None = None
    refuse: tuple[int, str] | None = None


@dataclass
class Wire:
    """ASGI around the routes: keeps quoted paths quoted, writes the journal, breaks connections.

    Attributes:
        journal: (method, path, status) of every request, 0 for a broken one.
    """

    app: Callable[..., Any]
    faults: Faults = field(default_factory=Faults)
    journal: list[tuple[str, str, int]] = field(default_factory=list)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = scope | {"path": scope["raw_path"].decode()}
        if self.faults.refuse and self.faults.refuse[1] in scope["path"]:
            self.journal.append((scope["method"], scope["path"], self.faults.refuse[0]))
            await JSONResponse({"error": "not now"}, self.faults.refuse[0])(scope, receive, send)
            return
        if self._breaks(scope["method"], scope["path"]):
            await self._break(scope, receive, send)
            return

        async def noted(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.journal.append((scope["method"], scope["path"], message["status"]))
                if self.faults.lose_answers and "/commit/" in scope["path"]:
                    raise ConnectionResetError
            await send(message)

        await self.app(scope, receive, noted)

    def _breaks(self, method: str, path: str) -> bool:
        if self.faults.drop_commits and "/commit/" in path:
            return True
        if self.faults.commits_before_drop is not None and "/commit/" in path:
            self.faults.commits_before_drop -= 1
            return self.faults.commits_before_drop < 0
        if self.faults.puts_before_drop is None or method != "PUT" or not path.startswith("/large/"):
            return False
        self.faults.puts_before_drop -= 1
        return self.faults.puts_before_drop < 0

    async def _break(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Take the first bytes, begin an answer, and hang up: uvicorn closes an answer that was not finished."""
        self.journal.append((scope["method"], scope["path"], 0))
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
