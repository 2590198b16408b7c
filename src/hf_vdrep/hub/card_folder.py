# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The cards of what ships, as files to read and to commit; the same texts that a push uploads."""

from __future__ import annotations

from pathlib import Path

from ..data.media_write import atomic_output
from ..models import shipped
from .model import model_plan
from .probe import open_trained, readme, shipped_probes, walt_folder

NAMESPACE = "YOU"


def shipped_cards(results: Path | None, namespace: str = NAMESPACE) -> dict[str, str]:
    """Repository's name -> card, for the shipped models and readouts.

    Args:
        results: folder of committed results.
        namespace: whose repositories the snippets name.
    """
    dataset = f"{namespace}/probeworld"
    cards = {}
    for name in shipped.names():
        plan = model_plan(name, f"{namespace}/{name}-tiny", dataset, results)
        cards[f"{name}-tiny"] = plan.file("README.md").read().decode()
    for source in shipped_probes():
        probe = open_trained(source)
        base = f"{probe.backbone}-tiny"
        name = f"{base}-{probe.task.replace('_', '-')}"
        walt = walt_folder(probe.backbone)
        cards[name] = readme(probe, walt, f"{namespace}/{name}", f"{namespace}/{base}", dataset)
    return cards


def write_cards(folder: Path, results: Path | None, namespace: str = NAMESPACE) -> list[Path]:
    """Write `folder`/NAME.md for each card that is not there as it should be, and give those paths.

    Args:
        folder: made where needed.
        results, namespace: as of `shipped_cards`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in shipped_cards(results, namespace).items():
        path = folder / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            with atomic_output(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
            written.append(path)
    return written
