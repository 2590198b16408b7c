# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`run.json`: what kind of training a folder holds, by which versions, and how far it is."""

import importlib.metadata
import json
import os
import platform
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .run import Run

NAME = "run.json"
_PACKAGES = ("hf_vdrep", "torch", "accelerate", "diffusers", "transformers", "datasets", "safetensors", "numpy")


class RunFile:
    """Keeps `run.json` up to date, each state written atomically.

    `state` is running, interrupted, failed or done. A run that was killed still says running: its `pid` is gone from
    `host`, and its `heartbeat` (UTC) stands still.

    Args:
        run: the training.
        flops_per_item: forward and backward, where the task says.
        interval: seconds between heartbeats.
    """

    def __init__(self, run: Run, flops_per_item: float | None, interval: float = 10.0) -> None:
        self.run, self.path, self.interval = run, run.folder / NAME, interval
        self.enabled = run.accelerator.is_main_process
        self._next = 0.0
        self.content = {**_describe(run), "flops_per_item": flops_per_item}

    def begin(self) -> None:
        """State running; a resumed run keeps its first start."""
        before = read_run_file(self.run.folder) if self.enabled and self.run.step else {}
        resumed = int(before.get("resumed", 0)) + 1 if before else 0
        self.content.update(started=before.get("started", _now()), resumed=resumed, finished=None, error=None)
        self._write("running")

    def beat(self) -> None:
        """Refresh the heartbeat, if it is time."""
        if time.monotonic() >= self._next:
            self._write("running")

    def end(self, state: str, error: str | None = None) -> None:
        """State interrupted, failed (with the error's line) or done."""
        self.content.update(finished=_now(), error=error)
        self._write(state)

    def _write(self, state: str) -> None:
        self._next = time.monotonic() + self.interval
        if not self.enabled:
            return
        self.content.update(state=state, step=self.run.step, skipped_steps=self.run.guard.skipped, heartbeat=_now())
        temporary = self.path.with_name(f".{NAME}.{os.getpid()}")
        temporary.write_text(json.dumps(self.content, indent=1) + "\n")
        os.replace(temporary, self.path)


def read_run_file(folder: Path) -> dict[str, Any]:
    """The content of a folder's `run.json`; empty where there is none that can be read."""
    try:
        content = json.loads((folder / NAME).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _describe(run: Run) -> dict[str, Any]:
    parameters = [p.numel() for p in run.model.parameters()]
    trained = [p.numel() for p in run.model.parameters() if p.requires_grad]
    return {
        "kind": type(run.config).__name__.removesuffix("TrainConfig").lower(),
        "model": type(run.model).__name__,
        "parameters": sum(parameters),
        "trained_parameters": sum(trained),
        "steps": run.config.steps,
        "batch_size": run.config.batch_size,
        "world_size": run.accelerator.num_processes,
        "distribution": run.accelerator.distributed_type.value,
        "device": run.accelerator.device.type,
        "mixed_precision": run.config.mixed_precision,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
