# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The server: routes put together, on a free port of 127.0.0.1, in a thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from . import collecting, downloading, reading, repos, uploading
from .errors import HubError, answer
from .store import Store
from .wire import Faults, Wire

TOKEN = "hf_loopback"


class Loopback:
    """A running server.

    Attributes:
        store: what it holds.
        wire: its journal and its faults.
        endpoint: its address, for HF_ENDPOINT.
    """

    def __init__(self, port: int = 0) -> None:
        app = FastAPI()
        app.add_exception_handler(HubError, answer)
        for routes in (repos, collecting, reading, uploading, downloading):
            app.include_router(routes.router)
        self.store = app.state.store = Store()
        self.wire = Wire(app)
        config = uvicorn.Config(self.wire, host="127.0.0.1", port=port, log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.endpoint = ""

    def start(self) -> "Loopback":
        """Serve, and return once requests are taken."""
        self._thread.start()
        until = time.monotonic() + 30
        while not self._server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise RuntimeError("the loopback server did not start")
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        return self

    def stop(self) -> None:
        """End it."""
        self._server.should_exit = True
        self._thread.join(timeout=10)

    @contextmanager
    def broken(self, **faults: object) -> Iterator[None]:
        """`Faults` for the time of a block."""
        self.wire.faults = Faults(**faults)  # type: ignore[arg-type]
        try:
            yield
        finally:
            self.wire.faults = Faults()

    def sent(self) -> list[str]:
        """Names of the large objects that were taken, one entry a time."""
        taken = (entry for entry in self.wire.journal if entry[0] == "PUT" and entry[2] == 200)
        return [path.removeprefix("/large/") for _, path, _ in taken]

    def environment(self, home: str) -> dict[str, str]:
        """Variables that lead a fresh process's Hugging Face libraries here, and nowhere else."""
        return {
            **{"HF_ENDPOINT": self.endpoint, "HF_TOKEN": TOKEN, "HF_HOME": home, "HF_HUB_OFFLINE": "0"},
            **{"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
            **{"HF_HUB_DISABLE_UPDATE_CHECK": "1", "TRANSFORMERS_OFFLINE": "0", "HF_DATASETS_OFFLINE": "0"},
        }
