# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the owner of a server decides."""

from dataclasses import dataclass
from pathlib import Path

from .catalogue import SHIPPED, checkpoint_titles


@dataclass(frozen=True)
class AppSettings:
    """Limits and permissions of one server; visitors cannot change them.

    Attributes:
        models: names, folders or Hub ids that visitors may choose from.
        offer_checkpoints: also the shipped twins, where they are among the models, at earlier steps of their training.
        allow_remote_models: visitors may also type the id of any model of the Hub. Code of its repository is never
            run, whatever it asks for.
        examples: folder of photos and videos offered beside the built-in examples.
        max_upload_megabytes: larger uploads are refused before they are read.
        max_model_megabytes: larger repositories of the Hub are not downloaded.
        max_open_models: models kept in memory beside the twins; the one not used for longest goes first.
        queue_size: visitors who may wait; the next one is told to come back.
        concurrency: comparisons computed at the same time.
        time_limit: seconds after which a comparison is given up.
    """

    models: tuple[str, ...] = SHIPPED
    offer_checkpoints: bool = True
    allow_remote_models: bool = False
    examples: Path | None = None
    max_upload_megabytes: int = 32
    max_model_megabytes: int = 2000
    max_open_models: int = 4
    queue_size: int = 16
    concurrency: int = 1
    time_limit: float = 60.0

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("models must name at least one model, got none")
        for name in ("max_upload_megabytes", "max_model_megabytes", "max_open_models", "queue_size", "concurrency"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.time_limit > 0:
            raise ValueError(f"time_limit must be above 0 seconds, got {self.time_limit}")

    @property
    def offered(self) -> tuple[str, ...]:
        """Names that visitors may choose: the models, then their checkpoints."""
        early = checkpoint_titles() if self.offer_checkpoints else {}
        return *self.models, *(name for name in early if name.partition("@")[0] in self.models)

    @property
    def first_pair(self) -> tuple[str, str]:
        """The models that are chosen when the page opens."""
        pair = [name for name in ("i-walt", "v-walt") if name in self.models]
        others = [name for name in self.models if name not in pair]
        first, second, *_ = [*pair, *others, self.models[0]] if len(self.models) > 1 else [self.models[0]] * 2
        return first, second
