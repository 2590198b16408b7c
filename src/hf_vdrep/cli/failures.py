# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Failures as one line and an exit code."""


class UsageError(ValueError):
    """A command line that cannot be run."""


class Terminated(BaseException):
    """The process was told to end (SIGTERM)."""


_MISTAKES = (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError)


_EXTRAS = {"gradio": "space", "peft": "lora", "trackio": "trackers", "tensorboard": "trackers"}


def describe(error: BaseException) -> tuple[str, int]:
    """The line to print after "hf-vdrep: ", and the exit code.

    2 is for what the user can put right (an argument, a file, a model folder), 1 for the machine (disk, memory) and
    for our own bugs, 130 for Ctrl-C, 143 for `kill`.
    """
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", 130
    if isinstance(error, Terminated):
        return "terminated", 143
    if isinstance(error, BrokenPipeError):
        return "", 1
    if isinstance(error, OSError):
        return f"error: {_os_words(error)}", 2 if isinstance(error, _MISTAKES) or error.errno is None else 1
    if isinstance(error, ValueError) or type(error).__name__ == "SafetensorError":
        return f"error: {_one_line(error)}", 2
    if isinstance(error, MemoryError) or "out of memory" in str(error):
        return "error: out of memory; fewer frames or a smaller resolution or batch may do", 1
    if isinstance(error, ModuleNotFoundError):
        extra = _EXTRAS.get(str(error.name))
        how = f" (pip install 'hf_vdrep[{extra}]')" if extra else ""
        return f"error: the Python package {error.name!r} is needed and not installed{how}", 1
    return f"internal error: {type(error).__name__}: {_one_line(error)} (--debug shows where)", 1


def _os_words(error: OSError) -> str:
    if error.strerror:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return _one_line(error)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
