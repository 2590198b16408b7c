# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Checkpoint folders that are whole or absent: written aside, listed in a manifest, renamed into place.

checkpoint-<step>/  manifest.json        size and SHA-256 of every other file
                    state.json           step, counters, schedule, optimizer scalars, Python and NumPy generators
                    model.safetensors  ema.safetensors  optimizer.safetensors  rng-<rank>.safetensors
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

MANIFEST = "manifest.json"
_NAME = re.compile(r"checkpoint-(\d+)")


class CheckpointError(ValueError):
    """A checkpoint that is missing, damaged, or not this run's."""


def save_checkpoint(
    folder: Path,
    step: int,
    tensors: dict[str, dict[str, torch.Tensor]],
    state: dict[str, Any],
    *,
    keep: int,
    rank: int = 0,
    barrier: Callable[[], None] = lambda: None,
) -> Path:
    """Write `folder/checkpoint-<step>/`; every process calls it, rank 0 writes all but the others' generators.

    Args:
        folder: the run's output folder.
        step: optimiser steps done.
        tensors: file stem -> named tensors; stems starting with `rng-` are written by every rank.
        state: JSON-serialisable scalars.
        keep: newest checkpoints to leave in place, at least 1.
        rank: this process.
        barrier: waits for the other processes.
    """
    final = folder / f"checkpoint-{step}"
    aside = folder / f".checkpoint-{step}.part"
    if rank == 0:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
    barrier()
    for stem, named in tensors.items():
        if rank == 0 or stem.startswith("rng-"):
            save_file({k: v.detach().cpu().contiguous() for k, v in named.items()}, aside / f"{stem}.safetensors")
    barrier()
    if rank == 0:
        _write_json(aside / "state.json", {"step": step, **state})
        files = sorted(path for path in aside.iterdir())
        _write_json(aside / MANIFEST, {"files": {path.name: _identity(path) for path in files}})
        shutil.rmtree(final, ignore_errors=True)
        os.replace(aside, final)
        prune(folder, keep)
    barrier()
    return final


def load_checkpoint(path: Path) -> tuple[dict[str, dict[str, torch.Tensor]], dict[str, Any]]:
    """Read a checkpoint after checking every file against the manifest.

    Returns:
        (file stem -> named tensors on the CPU, the scalars of state.json).

    Raises:
        CheckpointError: no checkpoint there, or a file is missing, truncated or altered; the line names the file.
    """
    verify_checkpoint(path)
    try:
        tensors = {file.stem: load_file(file) for file in sorted(path.glob("*.safetensors"))}
        return tensors, json.loads((path / "state.json").read_text())
    except (SafetensorError, ValueError, OSError) as error:
        raise CheckpointError(f"checkpoint {path} cannot be read ({error})") from error


def verify_checkpoint(path: Path) -> None:
    """Compare every file with the manifest; see `load_checkpoint` for the error."""
    try:
        listed = json.loads((path / MANIFEST).read_text())["files"]
        entries = {str(name): (entry["bytes"], entry["sha256"]) for name, entry in listed.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"checkpoint must be a folder with a {MANIFEST}, got {path}") from error
    for name, expected in entries.items():
        file = path / name
        if not file.is_file() or Path(name).name != name:
            raise CheckpointError(f"checkpoint {path} is damaged: {name} is missing")
        found = _identity(file)
        if (found["bytes"], found["sha256"]) != expected:
            raise CheckpointError(
                f"checkpoint {path} is damaged: {name} has {found['bytes']} bytes and another hash than the "
                f"{expected[0]} bytes in {MANIFEST}; delete the folder to resume from the one before"
            )


def list_checkpoints(folder: Path) -> list[Path]:
    """The finished checkpoints under a run's output folder, oldest first."""
    if not folder.is_dir():
        return []
    found = [(int(match[1]), path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def resolve_resume(folder: Path, resume: str) -> Path | None:
    """Turn `--resume auto|none|PATH` into a checkpoint folder, or None for a fresh start.

    Raises:
        CheckpointError: `none` although checkpoints exist (they would be mixed), or PATH holds none.
    """
    existing = list_checkpoints(folder)
    if resume == "auto":
        return existing[-1] if existing else None
    if resume == "none":
        if existing:
            raise CheckpointError(f"resume is none, but output_dir {folder} already holds {existing[-1].name}")
        return None
    path = Path(resume)
    if _NAME.fullmatch(path.name):
        return path
    nested = list_checkpoints(path)
    if not nested:
        raise CheckpointError(f"resume must be auto, none or a folder with checkpoints, got {resume}")
    return nested[-1]


def prune(folder: Path, keep: int) -> None:
    """Delete all but the newest `keep` checkpoints."""
    for path in list_checkpoints(folder)[: -max(keep, 1)]:
        shutil.rmtree(path)


def _identity(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1))
