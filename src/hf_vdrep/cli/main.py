# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep COMMAND …`: finds the command, runs it, and turns every failure into one line and an exit code.

A command is a module of this package with `configure(parser)`, which adds its arguments, and `run(args) -> int`,
which does the work and returns the exit code. Modules are imported only when their command is called, and import
what is heavy only in `run`, so that help is quick. A command whose module is not installed is not listed.

Exit codes: 0 done, 1 failure of the machine or of the program, 2 the user's mistake, 130 Ctrl-C,
143 `kill`.
"""

import argparse
import importlib
import importlib.util
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .. import __version__
from .._hub_reach import reach_hub
from .._spelling import did_you_mean
from .failures import Terminated, UsageError, describe

COMMANDS = {
    "compare": "the main result: I-WALT against V-WALT on every task",
    "inspect": "see what the models see in your own photos and videos",
    "generate": "draw images or videos from a WALT model",
    "world": "look at ProbeWorld, the embedded world, with its labels",
    "sizes": "the published WALT models, their parameters and their work",
    "data": "the real data sets that are read; check a copy on disk",
    "layers": "the layers that a model offers, their shapes and cost",
    "reconstruct": "measure what a tokenizer loses, and see it",
    "features": "extract features of a data set",
    "cache": "look into a feature cache, check it, make room in it",
    "study": "run a grid of backbones, tasks, layers and noise levels; make its report",
    "quality": "measure how good generated images and videos are",
    "plan": "what a training or an extraction will cost, before it starts",
    "runs": "list training runs, look into one, plot them",
    "push": "publish models, probes, the world, metrics and the Space on the Hub",
    "demo": "the comparison Space, on this machine",
}
"""Command -> what it does; the module has the command's name."""

_EPILOG = """examples:
  hf-vdrep compare
  hf-vdrep inspect holiday.mp4 cat.jpg
  hf-vdrep inspect --example brick-wall

`hf-vdrep COMMAND --help` explains a command.
"""


# Commands that open models of the Hub, user/name, late or not by `open_backbone`, which asks for itself.
_TAKE_HUB_IDS = ("demo", "inspect", "plan", "quality")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

_COMMON = {
    ("-q", "--quiet"): "no progress bars, nothing but the result",
    ("--debug",): "show the traceback of an error",
}


class _Parser(argparse.ArgumentParser):
    """Raises where argparse would print and exit, so that a wrong argument ends like any other mistake."""

    def error(self, message: str) -> None:  # type: ignore[override]
        refused = re.search(r"invalid choice: '([^']+)' \(choose from (.*)\)", message)
        near = did_you_mean(refused[1], re.findall(r"[\w-]+", refused[2])) if refused else ""
        raise UsageError(f"{message}{near} (see `{self.prog} --help`)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own) and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with _terminable():
            return _run(arguments)
    except SystemExit as stop:  # argparse, after printing help or the version
        return int(stop.code or 0)
    except BaseException as error:
        if "--debug" in arguments and isinstance(error, Exception):
            traceback.print_exc()
        line, code = describe(error)
        if isinstance(error, BrokenPipeError):  # the reader has gone; Python would complain again at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        elif line:
            print(f"hf-vdrep: {line}", file=sys.stderr)
        return code


@contextmanager
def _terminable() -> Iterator[None]:
    """Lets `kill` unwind the stack as Ctrl-C does, so that temporary files go."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _run(arguments: list[str]) -> int:
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    parser, commands = _parsers()
    if chosen == "help":
        parser.print_help()
        return 0
    if chosen in commands:
        module = importlib.import_module(f".{chosen}", __package__)
        module.configure(commands[chosen])
        _add_common(commands[chosen])
        common = argparse.Namespace(quiet=False, debug=False)
        args = parser.parse_args(arguments, common)
        _check_reach(chosen, args)
        return int(module.run(args))
    parser.parse_args(arguments)
    parser.print_help()
    return 2


def _check_reach(command: str, args: argparse.Namespace) -> None:
    """A model of the Hub that cannot be had is told of before the libraries try for a minute to get it."""
    given = getattr(args, "models", None) or [getattr(args, "model", None)]
    for name in given if command in _TAKE_HUB_IDS else ():
        if name and _HUB_ID.fullmatch(name) and not os.path.exists(name):
            reach_hub(name, getattr(args, "revision", None))


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(
        prog="hf-vdrep",
        description="Representations of image and video diffusion models, side by side.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hf_vdrep {__version__}")
    for flags in _COMMON:  # before the command as well as after it
        parser.add_argument(*flags, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    group = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    commands = {
        name: group.add_parser(
            name, help=words, formatter_class=argparse.RawDescriptionHelpFormatter, description=f"{_sentence(words)}."
        )
        for name, words in COMMANDS.items()
        if importlib.util.find_spec(f"{__package__}.{name}") is not None
    }
    return parser, commands


def _add_common(parser: argparse.ArgumentParser) -> None:
    for flags, words in _COMMON.items():
        # A default would undo what stood before the command.
        parser.add_argument(*flags, action="store_true", default=argparse.SUPPRESS, help=words)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


if __name__ == "__main__":
    sys.exit(main())
