# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A small training loop on Accelerate: build -> step -> evaluate -> save, exact on resume, equal on any process count.

An objective is a module whose `forward(batch)` returns `(loss, figures)`; a task says where batches come from. Batches
are pure functions of (step, part), or say their stream's position, so that neither resuming nor the number of
processes changes what is learnt.
"""

import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from tqdm.auto import tqdm

from .config import save_config
from .done import figures_before, is_done
from .prepare import build, make_accelerator, make_optimizer
from .processes import LostProcess, add_up, lost
from .report import Reporter, due, progress, snapshot
from .resume import resume, save
from .run import Run, chosen_copy
from .step import check_batch, step
from .stop import Interrupted, StopSignal
from .stream import prefetch
from .task import Batch, Companion, Task

__all__ = [
    "Batch",
    "Companion",
    "Run",
    "Task",
    "build",
    "chosen_copy",
    "fit",
    "leave",
    "make_accelerator",
    "make_optimizer",
    "resume",
    "save",
    "step",
    "write_summary",
]


def fit(
    run: Run,
    task: Task,
    finish: Callable[[dict[str, float]], None] | None = None,
    results: Sequence[str] = (),
) -> dict[str, float]:
    """Train from the run's present step to the end; a run that is done is left as it is.

    Args:
        run: what `build` made.
        task: where batches come from.
        finish: takes the last validation figures and saves what the training was for; every process calls it. A run
            is done only after it, so that one that was killed meanwhile finishes when it is started again.
        results: what `finish` leaves in the run's folder; where one is missing, the run is not done.

    Returns:
        The last validation figures.

    Raises:
        Interrupted: SIGTERM or Ctrl-C came, after the last step too; a checkpoint was written first. The next start
            does what is left, be it only `finish`.
        FloatingPointError: loss or gradient was NaN or infinite too often in a row; names the step and the samples.
        OSError: a checkpoint could not be written; the one before is untouched.
        LostProcess: another process of the training died or is silent.
    """
    resume(run, task)
    before = figures_before(run)
    if before is not None and is_done(run, results):
        return before
    if run.accelerator.is_main_process:
        # Without the way it was resumed: who starts the run again from this file wants its newest checkpoint.
        save_config(dataclasses.replace(run.config, resume="auto"), run.folder / "config.yaml")
    reporter = Reporter(run, task)
    try:
        figures = _train(run, task, reporter) if before is None else before
        if finish is not None:
            finish(figures)
    except KeyboardInterrupt as error:
        reporter.close("interrupted", error)
        raise
    except BaseException as error:
        told = _of_another(run, error)
        reporter.close("failed", told or error)
        if told is not None:
            raise told from error
        raise
    reporter.close("done")
    if run.accelerator.is_main_process:
        tqdm.write(" ".join(["done:", *(str(run.folder / name) for name in results or ["log.jsonl"])]))
    return figures


def _of_another(run: Run, error: BaseException) -> LostProcess | None:
    """What to say where the error is only the echo of another process's death."""
    if not isinstance(error, RuntimeError) or not lost(run.accelerator, error):
        return None
    return LostProcess(
        f"every process must stay alive, got none of another's answers after step {run.step} "
        f"({' '.join(str(error).split())[:200]}); start again with --resume auto"
    )


def _train(run: Run, task: Task, reporter: Reporter) -> dict[str, float]:
    figures: dict[str, float] | None = None
    with StopSignal() as stop, progress(run) as bar:
        clock = time.monotonic()
        for batches in _batches(run, task):
            record = step(run, batches)
            run.seconds += time.monotonic() - clock
            reporter.after_step(bar, record, batches)
            if due(run, run.config.eval_every):
                figures = reporter.evaluate()
            if run.config.sample_every and due(run, run.config.sample_every):
                reporter.sample()
            snapshot(run)
            asked = _asked_to_stop(run, stop)
            if asked or due(run, run.config.save_every):
                save(run)
            _stop(run, asked)
            clock = time.monotonic()
        # The last checkpoint takes its time too.
        _stop(run, _asked_to_stop(run, stop))
    return reporter.evaluate() if figures is None else figures


def _asked_to_stop(run: Run, stop: StopSignal) -> int:
    """0, or the signal that any process got; Ctrl-C weighs more than SIGTERM."""
    votes = add_up(run.accelerator, [float(stop.number == number) for number in (signal.SIGINT, signal.SIGTERM)])
    return int(signal.SIGINT) if votes[0] else int(signal.SIGTERM) if votes[1] else 0


def _stop(run: Run, asked: int) -> None:
    if asked:
        raise Interrupted(f"stopped after step {run.step}; continue with --resume auto", signal_number=asked)


def _batches(run: Run, task: Task) -> Iterator[list[Batch]]:
    accumulation = run.config.accumulation
    parts = run.accelerator.num_processes * accumulation
    first = run.accelerator.process_index * accumulation

    def produce(step: int) -> list[Batch]:
        return [check_batch(task.batch(step, first + number, parts), step) for number in range(accumulation)]

    return prefetch(produce, range(run.step, run.config.steps))


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
