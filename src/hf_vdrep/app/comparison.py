# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A comparison from a choice and a clip: first the features, then what readouts say about them."""

from collections.abc import Iterator
from typing import Any

from .choices import Choice
from .colours import joint_colours
from .deadline import Deadline
from .footage import Footage
from .memo import Memory
from .model_view import features_of
from .payload import (
    base_payload,
    change_limit,
    corners,
    depth_range,
    model_payload,
    probes_payload,
    truth_payload,
)
from .probe_view import follow_box, probe_view
from .shelf import Shelf


class Comparer:
    """Compares, and remembers the last comparisons.

    Args:
        shelf: the models.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._pictures, self._readouts = Memory(32), Memory(64)

    def pictures(self, footage: Footage, choice: Choice, deadline: Deadline) -> dict[str, Any]:
        """The value that the player draws, without readouts.

        Raises:
            ValueError: a model, layer, noise level, site or clip that does not go together.
            TimeoutError: it took too long.
        """
        return self._pictures.get((footage.key, choice), lambda: self._draw(footage, choice, deadline))

    def readouts(self, footage: Footage, choice: Choice, deadline: Deadline) -> dict[str, Any]:
        """`pictures` with what the readouts of both models say; these have a place of their own, so that only the
        models and the clip matter."""
        value = dict(self.pictures(footage, choice, deadline))
        said, scale, truth = self._readouts.get(
            (footage.key, choice.models), lambda: self._ask(footage, choice.models, deadline)
        )
        models = [{**model, **extra} for model, extra in zip(value["models"], said, strict=True)]
        return {**value, "models": models, "depthScale": scale, "truth": truth, "ready": True}

    def follow(
        self, footage: Footage, models: tuple[str, ...], box: tuple[float, ...], deadline: Deadline
    ) -> dict[str, Any]:
        """Where the readouts of the models follow a box of frame 0, as the player takes it.

        Raises:
            TimeoutError: it took too long.
        """
        found = []
        for name in models:
            deadline.check()
            boxes, why = follow_box(self.shelf, name, footage, box)
            found.append({"boxes": None if boxes is None else corners(boxes), "missing": why})
        return {"key": footage.key, "names": list(models), "box": list(box), "models": found}

    def stages(self, footage: Footage, choice: Choice, deadline: Deadline) -> Iterator[dict[str, Any]]:
        """`pictures`, then `readouts`."""
        yield self.pictures(footage, choice, deadline)
        yield self.readouts(footage, choice, deadline)

    def _draw(self, footage: Footage, choice: Choice, deadline: Deadline) -> dict[str, Any]:
        found = []
        for name in choice.models:
            deadline.check()
            found.append(features_of(self.shelf, name, footage, choice))
        first, second = found
        colours, shares = joint_colours((first.values, second.values))
        limit = change_limit(found)
        models = [
            model_payload(name, features, colour, share, limit)
            for name, features, colour, share in zip(choice.models, found, colours, shares, strict=True)
        ]
        lag = max(features.lag for features in found)
        return {**base_payload(footage), "models": models, "changeLimit": limit, "lag": lag}

    def _ask(self, footage: Footage, models: tuple[str, str], deadline: Deadline) -> tuple[Any, Any, Any]:
        views = [probe_view(self.shelf, name, footage, deadline) for name in models]
        scale = depth_range([view.depth for view in views if view.depth is not None], footage)
        return probes_payload(views, footage), list(scale), truth_payload(views, footage)
