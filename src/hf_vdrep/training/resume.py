# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A run to and from its checkpoints: everything that decides what the next step will be."""

import json
import os
import re
import warnings
from pathlib import Path
from typing import Any

from accelerate.utils import broadcast_object_list

from .checkpoint import (
    CheckpointError,
    list_checkpoints,
    load_checkpoint,
    load_rank_json,
    mend_folder,
    resolve_resume,
    save_checkpoint,
    set_aside,
    verify_checkpoint,
)
from .config import to_dict
from .loop_config import FREE_ON_RESUME, LoopConfig
from .processes import any_process
from .run import Run
from .sharding import fill, whole
from .state import pack_generators, pack_optimizer, unpack_generators, unpack_optimizer
from .task import Task
from .trackers import flatten


def save(run: Run) -> Path:
    """Write `checkpoint-<step>`; every process calls it.

    Raises:
        OSError: it could not be written, on this or another process; the one before is untouched.
    """
    rank, main = run.accelerator.process_index, run.accelerator.is_main_process
    moments, groups = pack_optimizer(run.optimizer) if run.zero is None else run.zero.pack()
    generators, scalars = pack_generators()
    tensors = {
        "model": whole(run.model.state_dict(), keep=main),
        "ema": whole(run.ema.shadow, keep=main),
        "optimizer": whole(moments, keep=main),
        f"rng-{rank}": generators,
    }
    own: dict[str, Any] = {f"rng-{rank}": scalars}
    if run.position is not None:
        own[f"position-{rank}"] = run.position
    state = _scalars(run, groups)
    if run.companion is not None:
        tensors.update(run.companion.tensors())
        state["companion"] = run.companion.state()
    return save_checkpoint(
        run.folder,
        run.step,
        tensors,
        state,
        keep=run.config.keep,
        rank=rank,
        own=own,
        agree=lambda flag: any_process(run.accelerator, flag),
    )


def _scalars(run: Run, groups: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "config": to_dict(run.config),
        "counters": {"items": run.items, "tokens": run.tokens, "seconds": run.seconds, "ema": run.ema.updates},
        "optimizer_groups": groups,
        "scheduler_step": run.scheduler.last_epoch,
        "world_size": run.accelerator.num_processes,
        "guard": run.guard.state(),
        "scaler": None if run.scaler is None else run.scaler.state_dict(),
        "architecture": _architecture(run.model),
    }


def _architecture(model: Any) -> dict[str, Any]:
    """Class and arguments, so that a checkpoint alone suffices to build the model again."""
    arguments = dict(getattr(model, "config", None) or {})
    try:
        json.dumps(arguments)
    except TypeError:
        arguments = {}
    return {"class": type(model).__name__, "config": {k: v for k, v in arguments.items() if not k.startswith("_")}}


def resume(run: Run, task: Task | None = None) -> None:
    """Restore the checkpoint that `config.resume` names, if there is one, and put the task's data where it stood.

    Later checkpoints of the same folder belong to a branch that is left; see `leave_branch`.

    Raises:
        CheckpointError: it is damaged, was made with other settings, or has done more than `config.steps`.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    path = _agreed_path(run)
    if path is None:
        return
    tensors, state = load_checkpoint(path)
    same_settings(run.config, state["config"], path)
    if state["step"] > run.config.steps:
        raise CheckpointError(f"steps must be at least the {state['step']} of {path.name}, got {run.config.steps}")
    _restore_weights(run, tensors, path)
    counters = state["counters"]
    run.ema.load(tensors["ema"], counters["ema"])
    if run.zero is None:
        unpack_optimizer(run.optimizer, tensors["optimizer"], state["optimizer_groups"])
    else:
        run.zero.unpack(tensors["optimizer"], state["optimizer_groups"])
    _set_schedule(run, state["scheduler_step"])
    if run.companion is not None:
        run.companion.load(tensors, state["companion"])
    if "guard" in state:
        run.guard.load(state["guard"])
    if run.scaler is not None and state.get("scaler"):
        run.scaler.load_state_dict(state["scaler"])
    run.step, run.items, run.tokens, run.seconds = state["step"], *(counters[k] for k in ("items", "tokens", "seconds"))
    _restore_generators(run, tensors, state, path)
    _restore_position(run, task, state, path)
    if run.accelerator.is_main_process:
        leave_branch(run.folder, path, run.step)


def leave_branch(folder: Path, resumed: Path, step: int) -> None:
    """Rename what a run's folder holds of the steps after the one it was resumed from, to `left-...`.

    Later checkpoints would be resumed from, and make those to come count as old; so would one of the same step of
    another branch. Later snapshots and pictures would stand among those to come. Without a later checkpoint nothing
    was left: the same steps come again, and with them the same files.
    """
    later = [found for found in list_checkpoints(folder) if _step_of(found) >= step and not found.samefile(resumed)]
    for file in [*folder.glob("snapshots/step-*"), *folder.glob("samples/step-*")] if later else []:
        if _step_of(file) > step:
            os.replace(file, file.with_name(f"left-{file.name}"))
    # The newest first and last of all: killed in between, the run would still go on from a whole branch.
    for found in reversed(later):
        kept = set_aside(found, "left")
        warnings.warn(f"resuming from step {step}; {found.name} is kept as {kept.name}", stacklevel=3)


def _step_of(path: Path) -> int:
    """The step in `checkpoint-12`, `step-12.safetensors` or `step-12-clips.png`."""
    return int(re.split(r"[-.]", path.name)[1])


def _agreed_path(run: Run) -> Path | None:
    """The main process chooses and verifies; the others follow, also in its error."""
    found: list[Any] = [None, None]
    if run.accelerator.is_main_process:
        try:
            mend_folder(run.folder)
            found[0] = sound_checkpoint(run.folder, run.config.resume)
        except CheckpointError as error:
            found[1] = str(error)
    if run.accelerator.num_processes > 1:
        broadcast_object_list(found)
    if found[1] is not None:
        raise CheckpointError(found[1])
    return found[0]


def sound_checkpoint(folder: Path, resume: str) -> Path | None:
    """The checkpoint to go on from; with `auto`, damaged ones at the end are set aside with a warning.

    Raises:
        CheckpointError: the one that was named is damaged, or all are.
    """
    while True:
        path = resolve_resume(folder, resume)
        if path is None:
            return None
        try:
            verify_checkpoint(path)
            return path
        except CheckpointError as error:
            before = list_checkpoints(folder)[:-1]
            if resume != "auto" or not before:
                raise
            kept = set_aside(path)
            warnings.warn(f"{error}; it is kept as {kept.name}, resuming from {before[-1].name}", stacklevel=2)


def _restore_weights(run: Run, tensors: dict[str, Any], path: Path) -> None:
    own, saved = run.model.state_dict(), tensors["model"]
    if own.keys() != saved.keys():
        odd = sorted(own.keys() ^ saved.keys())[:3]
        raise CheckpointError(f"{path.name} must hold this model's weights, {odd} differ")
    for name, value in own.items():
        if value.shape != saved[name].shape:
            shapes = f"{tuple(value.shape)}, got {tuple(saved[name].shape)}"
            raise CheckpointError(f"{path.name} must hold {name} as {shapes}")
        fill(value, saved[name])


def _restore_generators(run: Run, tensors: dict[str, Any], state: dict[str, Any], path: Path) -> None:
    rank = run.accelerator.process_index
    if f"rng-{rank}" in tensors:
        scalars = load_rank_json(path, f"rng-{rank}")
        unpack_generators(tensors[f"rng-{rank}"], state["generators"] if scalars is None else scalars)


def _restore_position(run: Run, task: Task | None, state: dict[str, Any], path: Path) -> None:
    seek = getattr(task, "seek", None)
    saved = [load_rank_json(path, f"position-{rank}") for rank in range(state.get("world_size", 1))]
    if seek is None or all(position is None for position in saved):
        return
    merge = getattr(task, "merge_positions", None)
    if merge is not None:
        position = merge(saved)
    elif len(saved) == run.accelerator.num_processes:
        position = saved[run.accelerator.process_index]
    else:
        raise CheckpointError(
            f"{path.name} was made by {len(saved)} processes and its data is a stream that cannot be divided anew, "
            f"got {run.accelerator.num_processes}"
        )
    run.position = position
    seek(position)


def _set_schedule(run: Run, done: int) -> None:
    # The factor is a pure function of the step, so a longer `steps` on resume bends the rest of the curve.
    run.scheduler.last_epoch = done
    rates = [base * rule(done) for base, rule in zip(run.scheduler.base_lrs, run.scheduler.lr_lambdas, strict=True)]  # type: ignore[attr-defined]
    for group, rate in zip(run.optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    run.scheduler._last_lr = rates


def same_settings(config: LoopConfig, saved: dict[str, Any], path: Path) -> None:
    """Refuse to go on from a checkpoint of other settings, those that may change left aside.

    Raises:
        CheckpointError: names what differs.
    """
    now = json.loads(json.dumps(to_dict(config)))
    # A checkpoint from before a setting existed had its default.
    saved = {**json.loads(json.dumps(to_dict(type(config)()))), **saved}
    changed = [key for key in now if key not in FREE_ON_RESUME and now[key] != saved[key]]
    if changed:
        old, new = (flatten({key: settings.get(key) for key in changed}) for settings in (saved, now))
        names = [name for name in {**new, **old} if old.get(name) != new.get(name)]
        pairs = ", ".join(f"{name} {old.get(name)!r} -> {new.get(name)!r}" for name in names)
        raise CheckpointError(f"{path.name} was made with other settings ({pairs}); use them or another output_dir")
