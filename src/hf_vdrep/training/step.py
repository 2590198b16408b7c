# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""One optimiser step: gradients of all micro-batches, one verdict of all processes, then the update or none."""

import math
import warnings
from contextlib import nullcontext
from typing import Any

import torch

from .processes import add_up, collect
from .run import Run
from .task import Batch


def step(run: Run, batches: list[Batch]) -> dict[str, Any]:
    """One step over this process's micro-batches.

    Returns:
        The mean loss and figures as floats; with `skip`, the reason, where the step was not taken.

    Raises:
        FloatingPointError: too many steps in a row had NaN or infinity; names the step and the samples.
    """
    totals = _gradients(run, batches)
    totals["grad_norm"] = _clip(run)
    totals["lr"] = float(run.scheduler.get_last_lr()[0])
    reason = _verdict(run, totals, batches)
    if reason is None:
        _update(run, totals)
    else:
        totals["skip"] = reason
        if run.zero is not None:
            run.zero.drop()
        totals["ids"] = collect(run.accelerator, _ids(batches))
    # Data and schedule are functions of the step, taken or not.
    with warnings.catch_warnings():
        # Torch warns where the very first step is skipped; it is skipped on purpose.
        warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
        run.scheduler.step()
    run.optimizer.zero_grad(set_to_none=True)
    run.step += 1
    run.position = batches[-1].get("position", run.position)
    return totals


def _gradients(run: Run, batches: list[Batch]) -> dict[str, Any]:
    run.objective.train()
    totals: dict[str, Any] = {}
    for number, batch in enumerate(batches):
        last = number == len(batches) - 1
        with nullcontext() if last or run.zero is not None else run.accelerator.no_sync(run.objective):
            if run.zero is not None:
                run.zero.expect(last=last)
            loss, figures = run.objective(_to_device(batch, run.accelerator.device))
            _backward(run, loss / len(batches))
        for name, value in {"loss": loss.detach(), **figures}.items():
            totals[name] = totals.get(name, 0.0) + float(value) / len(batches)
        run.items += int(batch.get("items", 0)) * run.accelerator.num_processes
        run.tokens += int(batch.get("tokens", 0)) * run.accelerator.num_processes
    if run.scaler is not None:
        run.scaler.unscale_(run.optimizer)
    return totals


def _clip(run: Run) -> float:
    """The norm of the whole gradient, which is clipped now, or in ZeRO's own step."""
    if run.zero is not None:
        return run.zero.norm()
    norm = torch.nn.utils.clip_grad_norm_(run.model.parameters(), run.config.clip_norm or float("inf"))
    return float(norm.full_tensor() if hasattr(norm, "full_tensor") else norm)


def _backward(run: Run, loss: torch.Tensor) -> None:
    if run.zero is not None:
        run.zero.backward(loss)
        return
    (loss if run.scaler is None else run.scaler.scale(loss)).backward()


def _verdict(run: Run, totals: dict[str, Any], batches: list[Batch]) -> str | None:
    """Why the step must be skipped; from the mean loss of all processes, so that they agree."""
    loss = add_up(run.accelerator, [totals["loss"]])[0] / run.accelerator.num_processes
    norm = totals["grad_norm"]
    scale = 1.0 if run.scaler is None else run.scaler.get_scale()
    if math.isfinite(loss) and not math.isfinite(norm) and run.scaler is not None and scale > 1:
        _lower_scale(run.scaler)
        run.guard.skipped += 1
        reason: str | None = f"gradients overflowed in fp16 at loss scale {scale:g}"
    else:
        reason = run.guard.judge(loss, norm)
        if reason is not None and run.scaler is not None:
            run.scaler.update(scale)
    skip = getattr(run.companion, "skip", None)
    if run.guard.exhausted or (reason is not None and run.companion is not None and skip is None):
        ids = collect(run.accelerator, _ids(batches))
        raise FloatingPointError(f"{reason} at step {run.step} on samples {shorten(ids)}")
    if reason is not None and skip is not None:
        skip()
    return reason


def _lower_scale(scaler: torch.amp.GradScaler) -> None:
    # What update() does after an overflow, but from the norm, which every process has alike.
    scaler.update(scaler.get_scale() * scaler.get_backoff_factor())
    scaler.load_state_dict({**scaler.state_dict(), "_growth_tracker": 0})


def _update(run: Run, totals: dict[str, Any]) -> None:
    if run.zero is not None:
        run.zero.step()
    elif run.scaler is None:
        run.optimizer.step()
    else:
        run.scaler.step(run.optimizer)
        run.scaler.update()
    if run.companion is not None:
        totals.update(run.companion.step(totals["lr"] / run.config.lr if run.config.lr else 1.0))
    run.ema.update(run.model)


def shorten(ids: list[str], most: int = 16) -> str:
    """The first samples of a list, for a message."""
    return f"{ids[:most]}{'...' if len(ids) > most else ''}"


def _ids(batches: list[Batch]) -> list[str]:
    return [str(name) for batch in batches for name in batch.get("ids", ())]


def _to_device(batch: Batch, device: torch.device) -> Batch:
    return {k: v.to(device, non_blocking=True) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}


def check_batch(batch: Batch, step: int) -> Batch:
    """The batch, if it holds a sample.

    Raises:
        ValueError: it is empty.
    """
    tensors = [value for value in batch.values() if isinstance(value, torch.Tensor) and value.ndim]
    empty = batch.get("items", 1) == 0 or any(len(value) == 0 for value in tensors)
    if not batch or empty:
        raise ValueError(f"batch must hold at least one sample, got none at step {step}")
    return batch
