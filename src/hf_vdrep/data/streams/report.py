# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a stream left out, and when that is too much."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

_LOG = logging.getLogger(__name__)
_KEPT = 100


class CorruptSample(ValueError):
    """A sample that cannot be what its data set promises: broken files, labels out of range, wrong annotations."""


class NothingToSee(ValueError):
    """A sound sample without the label that the task needs, such as a crop with no box in it."""


class TooManyCorrupt(ValueError):
    """A stream that was stopped, because more of it is corrupt than the limit allows."""


@dataclass(frozen=True)
class SkipLimit:
    """How many corrupt samples a run bears.

    Attributes:
        count: at most so many; None for any number.
        share: at most this share of the samples read, in [0, 1]; None for any.
        grace: samples read before the share counts.
    """

    count: int | None = None
    share: float | None = 0.05
    grace: int = 100

    def __post_init__(self) -> None:
        if (self.count is not None and self.count < 0) or (self.share is not None and not 0 <= self.share <= 1):
            raise ValueError(f"limit must have count >= 0 and share in [0, 1], got {self}")

    def exceeded(self, corrupt: int, read: int) -> str:
        """The limit that is passed, in words; empty if none is."""
        if self.count is not None and corrupt > self.count:
            return f"at most {self.count} are allowed"
        if self.share is not None and read >= self.grace and corrupt > self.share * read:
            return f"at most {self.share:.1%} are allowed"
        return ""


@dataclass
class StreamReport:
    """Counts of one stream in one process.

    Attributes:
        read: samples that were tried.
        given: samples (or views of them) that came out.
        corrupt: samples that could not be read; named in `problems` and in the log.
        short: videos left out because they are shorter than the clip.
        empty: sound samples left out because they lack what the task needs.
        missing: files that the annotations name and the disk lacks, found when the stream was opened.
        problems: (sample, reason), the first hundred.
    """

    read: int = 0
    given: int = 0
    corrupt: int = 0
    short: int = 0
    empty: int = 0
    missing: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, identifier: str, reason: str, limit: SkipLimit) -> None:
        """Count a corrupt sample, name it in the log, and stop where there are too many.

        Raises:
            TooManyCorrupt: the limit is passed.
        """
        self.corrupt += 1
        self._name(identifier, reason)
        _LOG.warning("skipped corrupt sample %s: %s", identifier, reason)
        passed = limit.exceeded(self.corrupt, self.read)
        if passed:
            raise TooManyCorrupt(f"{self.corrupt} of {self.read} samples are corrupt, {passed}; {self._examples()}")

    def finish(self) -> None:
        """At the end of a pass.

        Raises:
            TooManyCorrupt: there were samples, and every one was corrupt.
        """
        if self.corrupt and not (self.given or self.short or self.empty):
            raise TooManyCorrupt(f"all {self.corrupt} samples are corrupt; {self._examples()}")

    def merge(self, other: StreamReport) -> StreamReport:
        """Both together: the report of a run over several processes."""
        counts = Counter(self._counts())
        counts.update(other._counts())
        problems = (self.problems + other.problems)[:_KEPT]
        # Every process finds the same files missing when it opens the stream.
        return StreamReport(**counts, missing=max(self.missing, other.missing), problems=problems)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**self._counts(), "missing": self.missing, "problems": [list(pair) for pair in self.problems]}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> StreamReport:
        """The inverse of `to_dict`."""
        return cls(**{**state, "problems": [(pair[0], pair[1]) for pair in state["problems"]]})

    def __str__(self) -> str:
        words = f"{self.read} read, {self.given} given, {self.corrupt} corrupt, {self.short} too short"
        return f"{words}, {self.empty} without labels, {self.missing} files missing"

    def _counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("read", "given", "corrupt", "short", "empty")}

    def _name(self, identifier: str, reason: str) -> None:
        if len(self.problems) < _KEPT:
            self.problems.append((identifier, reason))

    def _examples(self) -> str:
        return "; ".join(f"{name}: {reason}" for name, reason in self.problems[:3])
