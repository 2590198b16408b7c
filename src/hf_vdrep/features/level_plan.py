# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which noise levels a run reads in one pass, noted beside the cells.

A sample's features depend by rounding on what else is in its pass, so a cell has one kind of pass for good, whoever
fills it and whenever: `levels.json` in its folder, written before its first shard by the first who comes, says which.
"""

import json
import os
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .cell import Cell

NAME = "levels.json"
Levels = tuple[int | None, ...]


@dataclass(frozen=True)
class Decision:
    """Whether the noise levels `levels` go through the model together, or each alone."""

    levels: Levels
    together: bool


class LevelPlan:
    """The passes over one batch.

    Args:
        cells: all that the run fills. What was noted for one stands; so does a pass of its own where shards lie without
            a note.
        stacking: for the others. "off": each level alone; "on": together, in a pass that was noted for another cell or
            in one of theirs; "auto": as was noted for another cell, else as a trial tells.
        can_stack: whether the backbone takes several levels in one pass; if not, nothing is noted.
        worth_a_trial: whether enough batches are to come.

    Raises:
        OSError: a note cannot be written.
    """

    def __init__(self, cells: Sequence[Cell], stacking: str, *, can_stack: bool, worth_a_trial: bool) -> None:
        find = _standing if can_stack else _alone
        self._found: dict[Cell, Decision | None] = {cell: find(cell) for cell in cells}
        if stacking != "off":
            for noted in dict.fromkeys(found for found in self._found.values() if found is not None):
                if noted.together or stacking == "auto":
                    self._decide(noted, [cell for cell in self.undecided if cell.key.timestep in noted.levels])
        if stacking == "off" or len(self._open_levels) < 2 or (stacking == "auto" and not worth_a_trial):
            self.settle(False)

    @property
    def undecided(self) -> list[Cell]:
        """Cells that wait for `settle`."""
        return [cell for cell, found in self._found.items() if found is None]

    @property
    def _open_levels(self) -> Levels:
        return tuple(sorted({cell.key.timestep for cell in self.undecided}, key=lambda level: level or 0))

    def settle(self, together: bool) -> None:
        """Decide for the undecided; where another process was quicker, its decision stands."""
        self._decide(Decision(self._open_levels, together), self.undecided)

    def passes(self, cells: Sequence[Cell]) -> list[tuple[Levels, list[Cell]]]:
        """The levels of each pass, and those of `cells` that it gives."""
        passes: dict[Levels, list[Cell]] = {}
        for cell in cells:
            found = self._found[cell]
            shared = found is not None and found.together and cell.key.timestep in found.levels
            passes.setdefault(found.levels if found and shared else (cell.key.timestep,), []).append(cell)
        return list(passes.items())

    def _decide(self, decision: Decision, cells: Sequence[Cell]) -> None:
        for cell in cells:
            # A quicker process has begun with the same cell: what it says of the first, it says of all.
            decision = self._found[cell] = _note(cell.folder, decision)


def read_decision(folder: Path) -> Decision | None:
    """What was noted for a cell, None if nothing was."""
    try:
        note = json.loads((folder / NAME).read_bytes())
        together = tuple(note.get("together", ()))
        return Decision(together or tuple(note.get("alone", ())), bool(together))
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def _alone(cell: Cell) -> Decision:
    return Decision((cell.key.timestep,), False)


def _standing(cell: Cell) -> Decision | None:
    """What holds for a cell already."""
    # Looked for first: the note of a process at work is there before its shards are.
    begun = any(cell.folder.glob("shard-*.safetensors"))
    return read_decision(cell.folder) or (_note(cell.folder, _alone(cell)) if begun else None)


def _note(folder: Path, decision: Decision) -> Decision:
    """Note `decision` unless another was noted before; the one that stands."""
    temporary = folder / f".{NAME}.{uuid.uuid4().hex}.tmp"
    try:
        temporary.write_text(json.dumps({"together" if decision.together else "alone": decision.levels}))
        try:
            os.link(temporary, folder / NAME)
        except OSError:  # there is one, or the file system has no links
            if read_decision(folder) is None:
                os.replace(temporary, folder / NAME)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    return read_decision(folder) or decision
