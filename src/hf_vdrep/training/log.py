# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The run's log: one JSON object per line, cut back to the checkpoint when a run resumes."""

import json
import os
from pathlib import Path
from typing import Any


class JsonlLog:
    """Append-only `log.jsonl`.

    Args:
        path: the file.
        step: optimiser steps already done; later lines, written after the checkpoint was, are dropped.
        enabled: False on all but the main process.
    """

    def __init__(self, path: Path, *, step: int = 0, enabled: bool = True) -> None:
        self.path, self.enabled = path, enabled
        if enabled:
            _cut_back(path, step)

    def write(self, record: dict[str, Any]) -> None:
        """Append one line."""
        if self.enabled:
            with self.path.open("a") as file:
                file.write(json.dumps(record) + "\n")


def read_log(path: str | os.PathLike) -> list[dict[str, Any]]:
    """Every whole line of a log; a line cut short by a crash is left out."""
    records = []
    for line in Path(path).read_text().splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records


def _cut_back(path: Path, step: int) -> None:
    kept = [record for record in read_log(path) if record.get("step", 0) <= step] if path.exists() and step else []
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text("".join(json.dumps(record) + "\n" for record in kept))
    os.replace(temporary, path)
