# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A small training loop on Accelerate: build -> step -> evaluate -> save, exact on resume, equal on any process count.

An objective is a module whose `forward(batch)` returns `(loss, figures)`; a task says where batches come from. Batches
are pure functions of (step, part), so that neither resuming nor the number of processes changes what is learnt.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, gather_object
from diffusers.optimization import get_scheduler
from safetensors.torch import save_file
from torch import nn
from tqdm.auto import tqdm

from .checkpoint import CheckpointError, load_checkpoint, resolve_resume, save_checkpoint
from .config import save_config, to_dict
from .ema import Ema
from .log import JsonlLog
from .loop_config import FREE_ON_RESUME, LoopConfig
from .state import pack_generators, pack_optimizer, unpack_generators, unpack_optimizer
from .stop import Interrupted, StopSignal
from .stream import prefetch

Batch = dict[str, Any]


class Task(Protocol):
    """What a training brings to the loop."""

    def batch(self, step: int, part: int, parts: int) -> Batch:
        """Elements `part::parts` of the batch of optimiser step `step` (from 0), on the CPU; runs in a thread.

        `ids` (optional) names its samples in error messages; `items` and `tokens` (optional) are counted in the log.
        """
        ...

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Validation figures of the averaged weights."""
        ...


class Companion(Protocol):
    """A network that trains beside the model with its own optimiser, such as a discriminator."""

    def step(self, schedule: float) -> dict[str, float]:
        """One step after the model's; `schedule` is the factor of the peak learning rate. Returns figures."""
        ...

    def tensors(self) -> dict[str, dict[str, torch.Tensor]]:
        """What a checkpoint needs, as file stem -> named tensors."""
        ...

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs, as JSON scalars."""
        ...

    def load(self, tensors: dict[str, dict[str, torch.Tensor]], state: dict[str, Any]) -> None:
        """Inverse of `tensors` and `state`."""
        ...


@dataclass
class Run:
    """Everything that changes while training."""

    config: LoopConfig
    accelerator: Accelerator
    objective: nn.Module  # as prepared: what is called
    model: nn.Module  # the network inside: what is averaged and saved
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    ema: Ema
    companion: Companion | None = None
    step: int = 0
    items: int = 0
    tokens: int = 0
    seconds: float = 0.0

    @property
    def folder(self) -> Path:
        return Path(self.config.output_dir)


def make_accelerator(config: LoopConfig, *, find_unused: bool = False) -> Accelerator:
    """The Accelerator for a config; also sets the thread count.

    Args:
        config: its `mixed_precision`, `cpu` and `threads` count.
        find_unused: some parameters may get no gradient in some steps.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    # Accelerate keeps the precision process-wide; a second training in the process may choose another.
    AcceleratorState._reset_state()
    kwargs = DistributedDataParallelKwargs(find_unused_parameters=find_unused)
    return Accelerator(mixed_precision=config.mixed_precision, cpu=config.cpu, kwargs_handlers=[kwargs])


def build(
    config: LoopConfig,
    objective: nn.Module,
    model: nn.Module,
    accelerator: Accelerator,
    *,
    companion: Companion | None = None,
) -> Run:
    """Wrap an objective and the model inside it for training."""
    config.check(accelerator.num_processes * config.accumulation)
    model.to(accelerator.device)
    ema = Ema(model, config.ema_decay)
    optimizer = make_optimizer(model, config)
    objective, optimizer = accelerator.prepare(objective, optimizer)
    scheduler = get_scheduler(
        config.lr_schedule, optimizer.optimizer, num_warmup_steps=config.warmup_steps, num_training_steps=config.steps
    )
    return Run(config, accelerator, objective, model, optimizer.optimizer, scheduler, ema, companion)


def make_optimizer(model: nn.Module, config: LoopConfig) -> torch.optim.Optimizer:
    """Fused AdamW; biases, norms and other vectors are not decayed."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(config.betas[0], config.betas[1]), fused=True)


def fit(run: Run, task: Task) -> dict[str, float]:
    """Train from the run's present step to the end.

    Returns:
        The last validation figures.

    Raises:
        Interrupted: SIGTERM or Ctrl-C came; a checkpoint was written first.
        FloatingPointError: loss or gradient became NaN or infinite; names the step and the samples.
    """
    resume(run)
    if run.accelerator.is_main_process:
        save_config(run.config, run.folder / "config.yaml")
    log = JsonlLog(run.folder / "log.jsonl", step=run.step, enabled=run.accelerator.is_main_process)
    figures: dict[str, float] | None = None
    with StopSignal() as stop, _progress(run) as bar:
        clock = time.monotonic()
        for batches in _batches(run, task):
            record = step(run, batches)
            run.seconds += time.monotonic() - clock
            bar.update()
            _report(run, log, bar, record)
            if _due(run, run.config.eval_every):
                figures = _evaluate(run, task, log)
            _snapshot(run)
            stopping = _any_process(run, stop.requested)
            if stopping or _due(run, run.config.save_every):
                save(run)
            if stopping and run.step < run.config.steps:
                raise Interrupted(f"stopped after step {run.step}; continue with --resume auto")
            clock = time.monotonic()
    return _evaluate(run, task, log) if figures is None else figures


def step(run: Run, batches: list[Batch]) -> dict[str, float]:
    """One optimiser step over this process's micro-batches; returns the mean loss and figures, as floats."""
    run.objective.train()
    totals: dict[str, float] = {}
    for number, batch in enumerate(batches):
        last = number == len(batches) - 1
        with nullcontext() if last else run.accelerator.no_sync(run.objective):
            loss, figures = run.objective(_to_device(batch, run.accelerator.device))
            run.accelerator.backward(loss / len(batches))
        for name, value in {"loss": loss.detach(), **figures}.items():
            totals[name] = totals.get(name, 0.0) + float(value) / len(batches)
        run.items += int(batch.get("items", 0)) * run.accelerator.num_processes
        run.tokens += int(batch.get("tokens", 0)) * run.accelerator.num_processes
    limit = run.config.clip_norm or float("inf")
    totals["grad_norm"] = float(torch.nn.utils.clip_grad_norm_(run.model.parameters(), limit))
    _guard(run, totals, batches)
    totals["lr"] = float(run.scheduler.get_last_lr()[0])
    run.optimizer.step()
    if run.companion is not None:
        totals.update(run.companion.step(totals["lr"] / run.config.lr if run.config.lr else 1.0))
    run.scheduler.step()
    run.optimizer.zero_grad(set_to_none=True)
    run.ema.update(run.model)
    run.step += 1
    return totals


def save(run: Run) -> Path:
    """Write `checkpoint-<step>`; every process calls it."""
    moments, groups = pack_optimizer(run.optimizer)
    generators, scalars = pack_generators()
    rank = run.accelerator.process_index
    tensors = {
        "model": dict(run.model.state_dict()),
        "ema": run.ema.shadow,
        "optimizer": moments,
        f"rng-{rank}": generators,
    }
    state = {
        "config": to_dict(run.config),
        "counters": {"items": run.items, "tokens": run.tokens, "seconds": run.seconds, "ema": run.ema.updates},
        "optimizer_groups": groups,
        "scheduler_step": run.scheduler.last_epoch,
        "generators": scalars,
    }
    if run.companion is not None:
        tensors.update(run.companion.tensors())
        state["companion"] = run.companion.state()
    barrier = run.accelerator.wait_for_everyone
    return save_checkpoint(run.folder, run.step, tensors, state, keep=run.config.keep, rank=rank, barrier=barrier)


def resume(run: Run) -> None:
    """Restore the checkpoint that `config.resume` names, if there is one.

    Raises:
        CheckpointError: it is damaged, or was made with other settings.
    """
    path = resolve_resume(run.folder, run.config.resume)
    run.folder.mkdir(parents=True, exist_ok=True)
    if path is None:
        return
    tensors, state = load_checkpoint(path)
    _same_settings(run.config, state["config"], path)
    run.model.load_state_dict(tensors["model"])
    counters = state["counters"]
    run.ema.load(tensors["ema"], counters["ema"])
    unpack_optimizer(run.optimizer, tensors["optimizer"], state["optimizer_groups"])
    _set_schedule(run, state["scheduler_step"])
    if run.companion is not None:
        run.companion.load(tensors, state["companion"])
    generators = tensors.get(f"rng-{run.accelerator.process_index}")
    if generators is not None:
        unpack_generators(generators, state["generators"])
    run.step, run.items, run.tokens, run.seconds = state["step"], *(counters[k] for k in ("items", "tokens", "seconds"))


def leave(accelerator: Accelerator) -> None:
    """Wait for the other processes and part from them; a single process may train again."""
    if accelerator.num_processes > 1:
        accelerator.wait_for_everyone()
        accelerator.end_training()


def write_summary(folder: Path, content: dict[str, Any]) -> None:
    """`summary.json`: the run's final figures, atomically."""
    temporary = folder / f".summary.{os.getpid()}"
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(temporary, folder / "summary.json")


def _set_schedule(run: Run, done: int) -> None:
    # The factor is a pure function of the step, so a longer `steps` on resume bends the rest of the curve.
    run.scheduler.last_epoch = done
    rates = [base * rule(done) for base, rule in zip(run.scheduler.base_lrs, run.scheduler.lr_lambdas, strict=True)]  # type: ignore[attr-defined]
    for group, rate in zip(run.optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    run.scheduler._last_lr = rates


def _same_settings(config: LoopConfig, saved: dict[str, Any], path: Path) -> None:
    now = json.loads(json.dumps(to_dict(config)))
    # A checkpoint from before a setting existed had its default.
    saved = {**json.loads(json.dumps(to_dict(type(config)()))), **saved}
    changed = [key for key in now if key not in FREE_ON_RESUME and now[key] != saved[key]]
    if changed:
        pairs = ", ".join(f"{key} {saved.get(key)!r} -> {now[key]!r}" for key in changed)
        raise CheckpointError(f"{path.name} was made with other settings ({pairs}); use them or another output_dir")


def _batches(run: Run, task: Task) -> Iterator[list[Batch]]:
    accumulation = run.config.accumulation
    parts = run.accelerator.num_processes * accumulation
    first = run.accelerator.process_index * accumulation

    def produce(step: int) -> list[Batch]:
        return [task.batch(step, first + number, parts) for number in range(accumulation)]

    return prefetch(produce, range(run.step, run.config.steps))


def _to_device(batch: Batch, device: torch.device) -> Batch:
    return {k: v.to(device, non_blocking=True) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}


def _guard(run: Run, totals: dict[str, float], batches: list[Batch]) -> None:
    if all(torch.isfinite(torch.tensor(totals[name])) for name in ("loss", "grad_norm")):
        return
    ids = [str(name) for batch in batches for name in batch.get("ids", ())]
    raise FloatingPointError(
        f"loss must stay finite, got loss {totals['loss']} and gradient norm {totals['grad_norm']} "
        f"at step {run.step} on samples {ids[:16]}{'...' if len(ids) > 16 else ''}"
    )


def _evaluate(run: Run, task: Task, log: JsonlLog) -> dict[str, float]:
    figures: dict[str, float] = {}
    if run.accelerator.is_main_process:
        run.model.eval()
        with run.ema.applied(run.model), torch.no_grad():
            figures = task.evaluate(run.model)
        run.model.train()
        log.write({"step": run.step, "seconds": round(run.seconds, 1), **{f"eval/{k}": v for k, v in figures.items()}})
        tqdm.write(f"step {run.step}: " + ", ".join(f"{k} {v:.4g}" for k, v in figures.items()))
    run.accelerator.wait_for_everyone()
    return figures


def _report(run: Run, log: JsonlLog, bar: Any, record: dict[str, float]) -> None:
    if run.step % max(run.config.log_every, 1) and run.step != run.config.steps:
        return
    record = _mean_over_processes(run, record)
    bar.set_postfix({"loss": f"{record['loss']:.4f}", "items/s": f"{run.items / max(run.seconds, 1e-9):.1f}"})
    counts = {"items": run.items, "tokens": run.tokens, "seconds": round(run.seconds, 2)}
    log.write({"step": run.step, **{name: float(f"{value:.6g}") for name, value in record.items()}, **counts})


def _mean_over_processes(run: Run, record: dict[str, float]) -> dict[str, float]:
    if run.accelerator.num_processes == 1:
        return record
    # A part of a mixed batch may lack one kind of sample, so each figure has its own number of contributors.
    names = sorted({name for names in gather_object([list(record)]) for name in names})
    values = torch.tensor([[record.get(name, 0.0), float(name in record)] for name in names])
    total = run.accelerator.reduce(values.to(run.accelerator.device), "sum").cpu()
    return dict(zip(names, (total[:, 0] / total[:, 1]).tolist(), strict=True))


def _snapshot(run: Run) -> None:
    due = {max(1, round(fraction * run.config.steps)) for fraction in run.config.snapshots}
    if run.step not in due or not run.accelerator.is_main_process:
        return
    folder = run.folder / "snapshots"
    folder.mkdir(exist_ok=True)
    temporary = folder / f".step-{run.step}"
    save_file({name: value.to(torch.bfloat16).cpu() for name, value in run.ema.shadow.items()}, temporary)
    os.replace(temporary, folder / f"step-{run.step}.safetensors")


def _progress(run: Run) -> Any:
    quiet = os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS", "").upper() in {"1", "ON", "YES", "TRUE"}
    disable = quiet or not run.accelerator.is_local_main_process
    return tqdm(total=run.config.steps, initial=run.step, desc="training", unit="step", disable=disable)


def _due(run: Run, every: int) -> bool:
    return run.step == run.config.steps or (every > 0 and run.step % every == 0)


def _any_process(run: Run, flag: bool) -> bool:
    if run.accelerator.num_processes == 1:
        return flag
    votes = torch.tensor([float(flag)], device=run.accelerator.device)
    return bool(run.accelerator.reduce(votes, "sum").item() > 0)
