# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Checkpoint folders that are whole or absent: written aside, listed in a manifest, renamed into place.

checkpoint-<step>/  manifest.json        size and SHA-256 of every other file
                    state.json           step, counters, schedule, optimizer scalars, guard, loss scale, config
                    model.safetensors  ema.safetensors  optimizer.safetensors
                    rng-<rank>.safetensors  rng-<rank>.json  position-<rank>.json
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
    own: dict[str, Any] | None = None,
    agree: Callable[[bool], bool] = bool,
) -> Path:
    """Write `folder/checkpoint-<step>/`; every process calls it, rank 0 writes all but the others' generators.

    Args:
        folder: the run's output folder.
        step: optimiser steps done.
        tensors: file stem -> named tensors; stems starting with `rng-` are written by every rank.
        state: JSON-serialisable scalars.
        keep: newest checkpoints to leave in place, at least 1.
        rank: this process.
        own: JSON of this process, file stem -> content, such as `position-<rank>`.
        agree: waits for the other processes and says whether the flag is up on any.

    Raises:
        OSError: a file could not be written, here or on another process. No trace is left, and older checkpoints are
            untouched.
    """
    final, aside = folder / f"checkpoint-{step}", folder / f".checkpoint-{step}.part"
    try:
        _together(agree, lambda: _clear(aside) if rank == 0 else None)
        _together(agree, lambda: _write_own(aside, tensors, own or {}, rank))
        _together(agree, lambda: _publish(aside, final, {"step": step, **state}) if rank == 0 else None)
    except (OSError, SafetensorError) as error:
        if rank == 0:
            shutil.rmtree(aside, ignore_errors=True)
        older = list_checkpoints(folder)
        left = f"{older[-1].name} is untouched" if older else "there is none yet"
        raise OSError(f"{final} could not be written ({_reason(error)}); {left}") from error
    if rank == 0:
        prune(folder, keep)
    agree(False)
    return final


def _together(agree: Callable[[bool], bool], write: Callable[[], None]) -> None:
    """Do one stage on every process; where it fails on one, it fails on all, and none waits for ever."""
    try:
        write()
    except BaseException:
        agree(True)
        raise
    if agree(False):
        raise OSError("another process failed to write its part")


def _clear(aside: Path) -> None:
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)


def _write_own(aside: Path, tensors: dict[str, dict[str, torch.Tensor]], own: dict[str, Any], rank: int) -> None:
    for stem, named in tensors.items():
        if rank == 0 or stem.startswith("rng-"):
            save_file({k: v.detach().cpu().contiguous() for k, v in named.items()}, aside / f"{stem}.safetensors")
    for stem, content in own.items():
        _write_json(aside / f"{stem}.json", content)


def _publish(aside: Path, final: Path, state: dict[str, Any]) -> None:
    _write_json(aside / "state.json", state)
    files = sorted(aside.iterdir())
    _write_json(aside / MANIFEST, {"files": {path.name: _identity(path) for path in files}})
    # One of the same step, from a branch that was left: moved away at one stroke, never seen half deleted.
    old = final.with_name(f".{final.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        os.replace(final, old)
    os.replace(aside, final)
    shutil.rmtree(old, ignore_errors=True)


def mend_folder(folder: Path) -> None:
    """Put right what a kill in the middle of `save_checkpoint` left; one process calls it before it resumes.

    A checkpoint that was moved away for one of the same step comes back if that never took its place.
    """
    for old in folder.glob(".checkpoint-*.old"):
        final = folder / old.name.removeprefix(".").removesuffix(".old")
        shutil.rmtree(old) if final.exists() else os.replace(old, final)
    for part in folder.glob(".checkpoint-*.part"):
        shutil.rmtree(part)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or " ".join(str(error).split())) or type(error).__name__


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


def load_rank_json(path: Path, stem: str) -> Any:
    """What one process wrote under `own`, such as `position-0`; None where it wrote nothing."""
    file = path / f"{stem}.json"
    return json.loads(file.read_text()) if file.is_file() else None


def set_aside(path: Path, why: str = "damaged") -> Path:
    """Rename a checkpoint to `<why>-checkpoint-<step>`: neither resumed from nor counted; returns the new path."""
    target = path.with_name(f"{why}-{path.name}")
    shutil.rmtree(target, ignore_errors=True)
    os.replace(path, target)
    return target


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
