# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What is left to do of a run that is started again at its last step."""

from collections.abc import Sequence

from accelerate.utils import broadcast_object_list
from tqdm.auto import tqdm

from .config import read_yaml
from .log import read_log
from .processes import any_process
from .run import Run
from .run_file import read_run_file

Figures = dict[str, float]


def figures_before(run: Run) -> Figures | None:
    """The validation figures that the run logged at its last step, of the weights that are asked for now.

    Every process must call it, after `resume` and before the run's files are touched.

    Returns:
        None where steps or the validation are left to do.
    """
    found: list[Figures | None] = [None]
    if run.accelerator.is_main_process and run.step == run.config.steps and _same_weights(run):
        found[0] = _logged(run)
    if run.accelerator.num_processes > 1:
        broadcast_object_list(found)
    return found[0]


def is_done(run: Run, results: Sequence[str]) -> bool:
    """Whether the run has ended well and its results are there; says so. Every process must call it.

    Args:
        run: validated at its last step.
        results: names in its folder.
    """
    done = False
    if run.accelerator.is_main_process:
        about = read_run_file(run.folder)
        ended = about.get("state") == "done" and about.get("step") == run.step
        done = ended and all((run.folder / name).exists() for name in results)
        if done:
            tqdm.write(f"{run.folder} is done, all {run.step} steps; nothing was changed (--steps takes it further)")
    return any_process(run.accelerator, done)


def _same_weights(run: Run) -> bool:
    try:
        return read_yaml(run.folder / "config.yaml").get("weights", "ema") == run.config.weights
    except ValueError:  # missing or torn: validate again
        return False


def _logged(run: Run) -> Figures | None:
    file = run.folder / "log.jsonl"
    for record in reversed(read_log(file) if file.is_file() else []):
        if record.get("step") == run.step and not {"loss", "skipped"} & record.keys():
            return {key.removeprefix("eval/"): value for key, value in record.items() if key.startswith("eval/")}
    return None
