# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The app on a port of this machine, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from hf_vdrep.app.launch import free_port, launch_app
from hf_vdrep.app.settings import AppSettings


@contextmanager
def served(settings: AppSettings) -> Iterator[str]:
    """Address of a running app."""
    server, address, _ = launch_app(
        settings, server_name="127.0.0.1", server_port=free_port(), prevent_thread_lock=True, quiet=True
    )
    try:
        yield address.rstrip("/")
    finally:
        server.get_blocks().close(verbose=False)
