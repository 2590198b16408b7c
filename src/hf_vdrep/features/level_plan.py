# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which noise levels a run reads in one pass, noted beside the cells.

A sample's features depend on the batch by rounding, so a run that is resumed, and every process of a run, must put the
same levels together for the same bits. What was decided once stands in `levels.json` of each cell's folder: the levels
of the pass that its features come from, none where it has a pass of its own.
"""

import json
import os
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from .cell import Cell

NAME = "levels.json"
Levels = tuple[int | None, ...]


class LevelPlan:
    """The passes over one batch.

    Args:
        cells: all that the run fills.
        stacking: "on" or "off", or "auto": undecided where a trial is to tell and none has told before.
        can_stack: whether the backbone takes several levels in one pass.
        worth_a_trial: whether enough batches are to come.
    """

    def __init__(self, cells: Sequence[Cell], stacking: str, *, can_stack: bool, worth_a_trial: bool) -> None:
        self._levels: dict[Cell, Levels | None] = dict.fromkeys(cells, ())
        if stacking == "off" or not can_stack:
            return
        self._levels = {cell: read_levels(cell.folder) for cell in cells}
        for note in dict.fromkeys(levels for levels in self._levels.values() if levels is not None):
            self._close(note, partly=True)
        if len(self._open_levels) < 2 or (stacking == "auto" and not worth_a_trial):
            self._close(())
        elif stacking == "on":
            self.settle(True)

    @property
    def undecided(self) -> list[Cell]:
        """Cells that wait for a trial."""
        return [cell for cell, levels in self._levels.items() if levels is None]

    @property
    def _open_levels(self) -> Levels:
        return tuple(dict.fromkeys(cell.key.timestep for cell in self.undecided))

    def settle(self, together: bool) -> None:
        """Note the decision, or take over that of a process that was quicker."""
        cells = self.undecided
        self._close(_claim([cell.folder for cell in cells], self._open_levels if together else ()))

    def passes(self, cells: Sequence[Cell]) -> list[tuple[Levels, list[Cell]]]:
        """The levels of each pass, and those of `cells` that it gives."""
        found: dict[Levels, list[Cell]] = {}
        for cell in cells:
            levels = self._levels[cell] or ()
            found.setdefault(levels if cell.key.timestep in levels else (cell.key.timestep,), []).append(cell)
        return list(found.items())

    def _close(self, levels: Levels, *, partly: bool = False) -> None:
        """Decide what is undecided; cells whose level is not among `levels` go alone, or stay undecided if `partly`."""
        for cell in self.undecided:
            if not levels or cell.key.timestep in levels:
                self._levels[cell] = levels
            elif not partly:
                self._levels[cell] = ()


def read_levels(folder: Path) -> Levels | None:
    """What was noted for a cell, None if nothing was."""
    try:
        return tuple(json.loads((folder / NAME).read_bytes())["together"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _claim(folders: Sequence[Path], levels: Levels) -> Levels:
    """Note `levels` in all the folders; where the first has a note already, that one."""
    for place, folder in enumerate(folders):
        temporary = folder / f".{NAME}.{uuid.uuid4().hex}.tmp"
        try:
            temporary.write_text(json.dumps({"together": levels}))
            if place:
                os.replace(temporary, folder / NAME)
            elif not _claimed(temporary, folder / NAME):
                levels = read_levels(folder) or ()
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
    return levels


def _claimed(temporary: Path, path: Path) -> bool:
    """Whether `path` was still free; it then has the content of `temporary`."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links: the last one wins
        os.replace(temporary, path)
    return True
