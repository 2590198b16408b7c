# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the page's buttons do. Failures become sentences on the page; what is unexpected is logged and stays here."""

import html
import logging
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from ..data.untrusted import UploadError
from .choices import Choice, box_of, model_name
from .comparison import Comparer
from .deadline import Workers
from .footage import Footage, open_example, open_world
from .memo import Memory
from .settings import AppSettings
from .shelf import Shelf
from .uploads import Uploads

EXAMPLE, UPLOAD, WORLD = "Example", "Your own", "ProbeWorld"
SOURCES = (EXAMPLE, UPLOAD, WORLD)
_WARM_UP = 600.0  # seconds; models are read from disk, and nobody is waiting yet
_LOG = logging.getLogger(__name__)


class Handlers:
    """The work behind one page.

    Args:
        settings: of the server.
    """

    def __init__(self, settings: AppSettings) -> None:
        self.settings = settings
        self.comparer = Comparer(Shelf(settings))
        self.workers = Workers(settings.concurrency, settings.time_limit)
        self.uploads = Uploads(settings.max_upload_megabytes)
        self._shown = Memory(64)  # clips by key, for what is asked about a picture that is on a page already

    def compare(
        self,
        source: str,
        example: str,
        upload: str | None,
        clip: float,
        first: str,
        second: str,
        depth: float,
        noise: float,
        site: str,
        detail: int,
        keep_position: bool,
    ) -> Iterator[tuple[Any, str]]:
        """Compare two models on a clip or photo.

        Args:
            source: "Example", "Your own" or "ProbeWorld".
            example: name of an example.
            upload: a photo or video.
            clip: number of a ProbeWorld clip, in [0, 99999].
            first: model.
            second: model.
            depth: relative depth of the block in per cent, in [1, 100].
            noise: noise level in [0, 999].
            site: "block", "norm", "middle", "attention" or "mlp" of a WALT; others have no "middle".
            detail: 1, 2 or 4 times the models' own grid.
            keep_position: leave in what features hold because of their place alone.

        Returns:
            The comparison, twice: pictures first, then with what the readouts say. Beside it, a line about it.
        """
        started = time.monotonic()
        try:
            # Whatever else was chosen, an upload is decoded first: its file must not wait for a better choice.
            opened = self.workers.run(lambda _: self._footage(source, example, upload, clip))
            choice = Choice.checked(first, second, depth, noise, site, detail, keep_position)
            for name in choice.models:
                self.comparer.shelf.check(name)
            footage = self._shown.get(opened.key, lambda: opened)
            value = self.workers.run(lambda deadline: self.comparer.pictures(footage, choice, deadline))
            yield value, good("Asking the readouts …")
            value = self.workers.run(lambda deadline: self.comparer.readouts(footage, choice, deadline))
            yield value, good(f"Done in {time.monotonic() - started:.1f} s.")
        except Exception as error:
            words = sentence(error)
            gr.Warning(words, duration=8)  # the line of status may be out of sight on a phone
            yield gr.skip(), bad(words)

    def follow(self, event: gr.EventData) -> tuple[Any, str]:
        """Follow a box that the visitor drew in the clip that is shown.

        Args:
            event: `key` of the clip, `names` of the models, `box` in frame 0.

        Returns:
            The boxes as a change of the player, and a line about them.
        """
        started = time.monotonic()
        try:
            asked = event._data if isinstance(event._data, dict) else {}
            box, names = box_of(asked.get("box")), asked.get("names")
            if not isinstance(names, list) or len(names) != 2:
                raise ValueError("The box can be followed by two models.")
            models = tuple(model_name(name, "model") for name in names)
            for name in models:
                self.comparer.shelf.check(name)
            footage = self._shown.peek(str(asked.get("key")))
            if footage is None:
                raise ValueError("This clip is no longer kept here; please compare again.")
            found = self.workers.run(lambda deadline: self.comparer.follow(footage, models, box, deadline))
            return gr.update(followed=found), good(f"Box followed in {time.monotonic() - started:.1f} s.")
        except Exception as error:
            words = sentence(error)
            gr.Warning(words, duration=8)
            return gr.update(followed={"failed": words}), bad(words)

    def first_page(self) -> Iterator[tuple[Any, str]]:
        """What is shown when the page opens: the first example, by the first pair."""
        first, second = self.settings.first_pair
        yield from self.compare(EXAMPLE, "hourglass", None, 0, first, second, 67, 50, "block", 2, False)

    def warm_up(self) -> None:
        """Load the first pair and compute the first page, so that no visitor waits for it."""
        first, second = self.settings.first_pair
        footage, choice = open_example("hourglass"), Choice((first, second))
        try:
            self.workers.run(lambda deadline: self.comparer.readouts(footage, choice, deadline), _WARM_UP)
        except Exception as error:  # the page tells the visitor; the server stays up for other models
            _LOG.warning("the first page could not be prepared: %s", sentence(error))

    def _footage(self, source: Any, example: Any, upload: Any, clip: Any) -> Footage:
        if source == UPLOAD:
            return self.uploads.open(upload)
        self.uploads.forget(upload)
        if source == EXAMPLE:
            return open_example(example, self.settings.examples)
        if source == WORLD:
            return open_world(clip)
        raise ValueError(f"The source must be one of {', '.join(SOURCES)}.")


def sentence(error: Exception) -> str:
    """What the visitor is told; nothing of the server's inside."""
    if isinstance(error, (UploadError, TimeoutError)):
        return str(error)
    if isinstance(error, ValueError):
        return " ".join(str(error).split())[:300]
    if isinstance(error, OSError):
        _LOG.warning("a model could not be opened", exc_info=error)
        return "That model could not be opened: it does not exist, or holds nothing that can be loaded."
    _LOG.exception("a comparison failed", exc_info=error)
    return "Something went wrong on the server. It has been noted; please try another choice."


def good(words: str) -> str:
    """A line of status, as markup."""
    return f'<p role="status">{html.escape(words)}</p>'


def bad(words: str) -> str:
    """A line of failure, as markup."""
    return f'<p class="vp-bad" role="alert">{html.escape(words)}</p>'
