# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a training says while it runs: log lines, trackers, validation, snapshots, the progress bar."""

import contextlib
import os
from typing import Any

import torch
from safetensors.torch import save_file
from tqdm.auto import tqdm

from .config import to_dict
from .log import JsonlLog
from .processes import add_up, mean_figures
from .run import Run
from .run_file import RunFile
from .samples import draw_samples, judged
from .sharding import whole
from .step import shorten
from .task import Batch, Task
from .throughput import Throughput, peak_of
from .trackers import finish_trackers, log_pictures, log_scalars, start_trackers


class Reporter:
    """Everything that `fit` tells the outside of one run."""

    def __init__(self, run: Run, task: Task) -> None:
        self.run, self.task = run, task
        main = run.accelerator.is_main_process
        self.log = JsonlLog(run.folder / "log.jsonl", step=run.step, enabled=main)
        flops = getattr(task, "flops_per_item", None)
        self.file = RunFile(run, flops)
        peak = peak_of(run.config, run.accelerator.device) if flops and main else None
        self.throughput = Throughput(flops, peak, run.accelerator.num_processes)
        self.throughput.start(run.step, run.items, run.seconds)
        start_trackers(run.accelerator, run.config.project, to_dict(run.config), step=run.step)
        self.file.begin()

    def after_step(self, bar: Any, record: dict[str, Any], batches: list[Batch]) -> None:
        """Every step: count it on the bar, and write its line if it is due or was skipped."""
        bar.update()
        self.file.beat()
        if "skip" in record:
            self._skipped(record)
        elif due(self.run, self.run.config.log_every):
            self._line(bar, record, batches)

    def _skipped(self, record: dict[str, Any]) -> None:
        ids = [str(name) for name in record["ids"]]
        self.log.write({"step": self.run.step, "skipped": record["skip"], "ids": ids[:64]})
        if self.run.accelerator.is_main_process:
            tqdm.write(f"skipped step {self.run.step - 1}: {record['skip']}, on samples {shorten(ids)}")

    def _line(self, bar: Any, record: dict[str, Any], batches: list[Batch]) -> None:
        run = self.run
        figures = mean_figures(run.accelerator, record)
        rates = self.throughput.read(run.step, run.items, run.seconds, steps=run.config.steps)
        counts: dict[str, Any] = {"items": run.items, "tokens": run.tokens, "seconds": round(run.seconds, 2)}
        if run.guard.skipped:
            counts["skipped_steps"] = run.guard.skipped
        if "skipped" in batches[-1]:
            counts["skipped_samples"] = int(add_up(run.accelerator, [batches[-1]["skipped"]])[0])
        numbers = {name: float(f"{value:.6g}") for name, value in {**figures, **rates}.items()}
        line = {"step": run.step, **numbers, **counts}
        self.log.write(line)
        log_scalars(run.accelerator, line, run.step)
        mfu = {"mfu": f"{rates['mfu']:.0%}"} if "mfu" in rates else {}
        words = {"loss": f"{figures['loss']:.4f}", "items/s": f"{rates['items_per_second']:.1f}", **mfu}
        bar.set_postfix({**words, "eta": tqdm.format_interval(rates["eta"])})

    def evaluate(self) -> dict[str, float]:
        """Validation figures of the chosen weights, on the main process; every process calls it."""
        figures: dict[str, float] = {}
        run = self.run
        with judged(run) as model:
            if model is not None:
                figures = self.task.evaluate(model)
        if run.accelerator.is_main_process:
            line = {"step": run.step, "seconds": round(run.seconds, 1), **{f"eval/{k}": v for k, v in figures.items()}}
            self.log.write(line)
            log_scalars(run.accelerator, {k: v for k, v in line.items() if k != "seconds"}, run.step)
            tqdm.write(f"step {run.step}: " + ", ".join(f"{k} {v:.4g}" for k, v in figures.items()))
        run.accelerator.wait_for_everyone()
        return figures

    def sample(self) -> None:
        """Pictures of the chosen weights, where the task draws any; every process calls it."""
        if not hasattr(self.task, "sample"):
            return
        pictures = draw_samples(self.run, self.task)
        if pictures and self.run.accelerator.is_main_process:
            log_pictures(self.run.accelerator, pictures, self.run.step)
        self.run.accelerator.wait_for_everyone()

    def close(self, state: str, error: BaseException | None = None) -> None:
        """The run's last state, and the trackers' end."""
        # A full disk must not hide the error that it caused first.
        with contextlib.suppress(OSError) if error is not None else contextlib.nullcontext():
            self.file.end(state, None if error is None else " ".join(f"{type(error).__name__}: {error}".split()))
        finish_trackers(self.run.accelerator)


def snapshot(run: Run) -> None:
    """The averaged weights as bf16, at the fractions of the run that the config asks for."""
    due_at = {max(1, round(fraction * run.config.steps)) for fraction in run.config.snapshots}
    if run.step not in due_at:
        return
    shadow = whole(run.ema.shadow, keep=run.accelerator.is_main_process)
    if not run.accelerator.is_main_process:
        return
    folder = run.folder / "snapshots"
    folder.mkdir(exist_ok=True)
    temporary = folder / f".step-{run.step}"
    save_file({name: value.to(torch.bfloat16).contiguous() for name, value in shadow.items()}, temporary)
    os.replace(temporary, folder / f"step-{run.step}.safetensors")


def due(run: Run, every: int, *, at_end: bool = True) -> bool:
    """Whether something that happens every so many steps happens now; 0: only at the end."""
    return (at_end and run.step == run.config.steps) or (every > 0 and run.step % every == 0)


def progress(run: Run) -> Any:
    """The bar of optimiser steps."""
    quiet = os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS", "").upper() in {"1", "ON", "YES", "TRUE"}
    disable = quiet or not run.accelerator.is_local_main_process
    return tqdm(total=run.config.steps, initial=run.step, desc="training", unit="step", disable=disable)
