# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The main job: how much do frozen features of an image and of a video diffusion model know?

Stages, in order; a row that the ledger holds is not measured again:
1. search: short readouts on every cell, scored on validation; the best cell per task and system is kept.
2. final: readouts of full length on the kept cells, once per seed.
3. test: only now is the test split rendered; every final readout is scored on it, once.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from huggingface_hub.utils import are_progress_bars_disabled
from tqdm.auto import tqdm

from ...data import atomic_output
from ...data.probeworld import ProbeWorldConfig
from ...training.config import save_config
from . import examples, plan, reference, trials
from .aggregate import summarise
from .config import CompareConfig
from .features import ExtractJob
from .figure import save_figure
from .pool import WorkPool
from .report import save_report
from .results import CompareResults
from .rows import Ledger, ResultRow
from .setting import Setting
from .systems import TWINS
from .table import format_table
from .tasks import STUDY_TASKS
from .trials import Trial

PHASES = (
    "render train, validation",
    "search: features",
    "search: readouts",
    "search: learning rates",
    "final: features",
    "final: readouts",
    "render test",
    "test: features",
    "test: reference",
    "test: readouts",
    "report: examples",
)

J = TypeVar("J")
Cell = tuple[str, str]  # task, system


def run(config: CompareConfig, *, quiet: bool = False) -> CompareResults:
    """Compare the twins; write rows, table, figure and report to `config.output_dir`.

    Args:
        config: the settings.
        quiet: no progress bars.

    Returns:
        What the table shows. Equal settings give equal results, whatever the number of workers.

    Raises:
        ValueError: a setting that cannot be run, found before any work.
        OSError: a model folder cannot be read, or the disk is full.
    """
    config.check()
    setting = open_setting(config)
    with Comparison(setting, quiet) as comparison:
        results = comparison.run()
    write_outputs(results, setting, comparison.shown)
    return results


def open_setting(config: CompareConfig) -> Setting:
    """Resolve the world and open every model, so that what is wrong with them shows before any work."""
    from ...data import ProbeWorld

    world = ProbeWorld("train", 1, ProbeWorldConfig(seed=config.seed, resolution=config.resolution)).config
    setting = Setting(config, world)
    for system in plan.systems_of(config):
        cells = setting.cells(system)
        setting.backbone(system).check_timesteps([timestep for _, timestep in cells])
    if config.reference:
        reference.reference_revision()
    return setting


def write_outputs(results: CompareResults, setting: Setting, shown: Sequence[Trial] = ()) -> None:
    """table.json, table.txt, figure.png, report.html and config.yaml, each whole or not at all.

    Args:
        results: the comparison.
        setting: gives the folder.
        shown: readouts whose answers on the example clips are kept.
    """
    folder = Path(setting.config.output_dir)
    save_config(setting.config, folder / "config.yaml")
    for name, text in (("table.json", to_json(results)), ("table.txt", format_table(results))):
        with atomic_output(folder / name) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    save_figure(results, folder / "figure.png")
    save_report(results, examples.load(setting, shown), folder / "report.html")


def to_json(results: CompareResults) -> str:
    """The machine-readable table; equal for equal results."""
    return json.dumps(results.to_json(), indent=2, ensure_ascii=False, allow_nan=False)


class Comparison:
    """The stages of one run, over one pool of processes that is opened when there is work.

    Args:
        setting: what is compared.
        quiet: no progress bars.
    """

    def __init__(self, setting: Setting, quiet: bool = False) -> None:
        self.setting, self.quiet = setting, quiet or are_progress_bars_disabled()
        self.ledger = Ledger(setting.config.output_dir)
        self.shown: list[Trial] = []
        self._pool: WorkPool | None = None

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._pool is not None:
            self._pool.__exit__(*error)

    @property
    def pool(self) -> WorkPool:
        """The processes."""
        if self._pool is None:
            self._pool = WorkPool(self.setting.config.workers).__enter__()
        return self._pool

    def run(self) -> CompareResults:
        """Search, train, test, summarise."""
        cells = self._candidates()
        chosen = self._search(cells, "search: readouts")
        rates = {cell: plan.rate_trials(trial) for cell, trial in chosen.items()}
        chosen = self._search(rates, "search: learning rates")
        finals = {cell: plan.final_trials(trial) for cell, trial in chosen.items()}
        self._train([t for group in finals.values() for t in group], "final: readouts", keep=True)
        tested = self._test(finals)
        return summarise(
            self.setting,
            {cell: tested[cell] for cell in self._ordered(tested)},
            chosen,
            {cell: float(np.mean([self._row(t, "validation").value for t in group])) for cell, group in finals.items()},
            {task: self._sweep(task, cells, rates) for task in self.setting.config.tasks},
        )

    def _search(self, candidates: dict[Cell, list[Trial]], phase: str) -> dict[Cell, Trial]:
        """The best candidate of each task and system on validation; where there is one only, it needs no training."""
        contested = [group for group in candidates.values() if len(group) > 1]
        self._train([trial for group in contested for trial in group], phase, keep=False)
        return {cell: plan.choose(group, self._rows(group)) for cell, group in candidates.items()}

    def _candidates(self) -> dict[Cell, list[Trial]]:
        return {
            (task, system): plan.search_trials(self.setting, task, system)
            for task in self.setting.config.tasks
            for system in plan.systems_of(self.setting.config)
        }

    def _train(self, wanted: Sequence[Trial], phase: str, keep: bool) -> None:
        """Train the trials that have no row yet; those of one cell and seed side by side."""
        missing = [
            t
            for t in wanted
            if self.ledger.find(t.key("validation")) is None
            or (keep and self._untested(t) and not t.readout_path().exists())
        ]
        if not missing:
            return
        self._render(("train", "validation"))
        jobs = plan.features_for(missing, "train")
        jobs += plan.features_for(missing, "validation", self.setting.config.validation_size)
        self._extract(jobs, f"{phase.split(':')[0]}: features")
        groups: dict[tuple, list[Trial]] = {}
        for t in missing:
            groups.setdefault((t.task, t.system, t.reading, t.layer, t.timestep, t.seed), []).append(t)
        ordered = sorted(groups.values(), key=_cost, reverse=True)
        batches = [(tuple(group), keep) for group in ordered]
        for _, rows in self._each(_train, batches, phase, "readout"):
            for row in rows:
                self.ledger.append(row)

    def _test(self, finals: dict[Cell, list[Trial]]) -> dict[Cell, list[ResultRow]]:
        """Score what has no row on the test split yet, the reference included."""
        config = self.setting.config
        missing = [t for group in finals.values() for t in group if self._untested(t)]
        keys = {task: reference.reference_key(self.setting, task) for task in config.tasks if config.reference}
        unscored = [task for task, key in keys.items() if self.ledger.find(key) is None]
        if missing or unscored:
            self._render(("test",))
            self._extract(plan.features_for(missing, "test", config.test_size), "test: features")
            self._test_reference(unscored)
            longest_first = sorted(missing, key=lambda t: _cost([t]), reverse=True)
            for _, row in self._each(trials.test, longest_first, "test: readouts", "readout"):
                self.ledger.append(row)
        self._show(finals)
        tested = {cell: [self._row(t, "test") for t in group] for cell, group in finals.items()}
        return tested | {(task, "reference"): [self._found(key)] for task, key in keys.items()}

    def _test_reference(self, tasks: Sequence[str]) -> None:
        """Score the reference on the test split."""
        begin = time.perf_counter()
        jobs = reference.reference_jobs(self.setting, tasks) if tasks else []
        parts = dict(self._each(reference.ReferenceJob.run, jobs, "test: reference", "part"))
        for task in tasks:
            columns = [parts[index][task] for index in range(len(jobs))]
            whole = {name: np.concatenate([part[name] for part in columns]) for name in columns[0]}
            seconds = (time.perf_counter() - begin) / len(tasks)
            self.ledger.append(reference.reference_row(self.setting, task, whole, seconds))

    def _show(self, finals: dict[Cell, list[Trial]]) -> None:
        """Answers of the twins' first readouts on the example clips, for the report."""
        if not self.setting.config.examples:
            return
        self.shown = [group[0] for (_, system), group in finals.items() if system in TWINS]
        missing = examples.missing(self.setting, self.shown)
        if missing:
            self._render(("test",))
            for _ in self._each(examples.answer, missing, "report: examples", "task"):
                pass
            examples.save_truth(self.setting)

    def _render(self, names: Sequence[str]) -> None:
        splits = [split for split in map(self.setting.split, names) if not split.is_rendered]
        if splits:
            with self._bar(sum(split.size for split in splits), f"render {', '.join(names)}", "clip") as bar:
                for split in splits:
                    split.render(self.pool, bar)

    def _extract(self, jobs: list[ExtractJob], name: str) -> None:
        if not jobs:
            return
        with self._bar(sum(job.stop - job.start for job in jobs), name, "clip") as bar:
            for stage in plan.in_stages(jobs):
                for _, rows in self.pool.map(ExtractJob.run, stage):
                    bar.update(rows)

    def _each(self, function: Callable[[J], Any], jobs: Sequence[J], name: str, unit: str) -> Iterator[tuple[int, Any]]:
        """(index of the job, result) as each is done, under a bar."""
        if jobs:
            with self._bar(len(jobs), name, unit) as bar:
                for index, result in self.pool.map(function, jobs):
                    yield index, result
                    bar.update()

    def _bar(self, total: int, name: str, unit: str) -> tqdm:
        place = f"[{PHASES.index(name) + 1:>2}/{len(PHASES)}]"
        desc = f"{place} {name:<24}"
        return tqdm(total=total, desc=desc, unit=unit, disable=self.quiet, file=sys.stderr, smoothing=0.1)

    def _untested(self, trial: Trial) -> bool:
        return self.ledger.find(trial.key("test")) is None

    def _rows(self, group: Sequence[Trial]) -> dict[str, ResultRow]:
        keys = [trial.key("validation") for trial in group] if len(group) > 1 else []
        return {key: self._found(key) for key in keys}

    def _row(self, trial: Trial, split: str) -> ResultRow:
        return self._found(trial.key(split))

    def _found(self, key: str) -> ResultRow:
        row = self.ledger.find(key)
        assert row is not None
        return row

    def _sweep(self, task: str, *searched: dict[Cell, list[Trial]]) -> list[ResultRow]:
        """Every row that a choice was made from, once."""
        groups = [group for stage in searched for (name, _), group in stage.items() if name == task and len(group) > 1]
        return [self._found(key) for key in dict.fromkeys(t.key("validation") for group in groups for t in group)]

    def _ordered(self, tested: dict[Cell, list[ResultRow]]) -> list[Cell]:
        order = [*plan.systems_of(self.setting.config), "reference"]
        return sorted(tested, key=lambda cell: (list(STUDY_TASKS).index(cell[0]), order.index(cell[1])))


def _train(batch: tuple[tuple[Trial, ...], bool]) -> list[ResultRow]:
    return trials.train(*batch)


def _cost(group: Sequence[Trial]) -> float:
    """Rough relative cost, to start the longest first."""
    return group[0].study_task.cost * len(group) * group[0].steps
