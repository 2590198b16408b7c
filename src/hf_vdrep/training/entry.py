# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Entry point shared by the training scripts: parse, run, one clear line and an exit code when it fails."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .processes import LostProcess
from .stop import Interrupted, at_once


def run_entry(train: Callable[[Any], object], parse: Callable[[Sequence[str]], Any], argv: Sequence[str] | None) -> int:
    """Run a training from the command line.

    Args:
        train: takes the config.
        parse: command line -> config.
        argv: arguments after the program's name; None reads `sys.argv`.

    Returns:
        0, also after SIGTERM, when what was done is saved; 2 for a user's mistake or a full disk; 1 when the training
        itself broke down or lost a process; 130 after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        with at_once():
            train(parse([argument for argument in arguments if argument != "--debug"]))
    except Interrupted as stopped:
        if os.environ.get("RANK", "0") == "0":  # all processes stop together; one says so
            print(stopped, file=sys.stderr)
        return stopped.exit_code
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except (ValueError, OSError, FloatingPointError, LostProcess) as error:
        if debug:
            raise
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1 if isinstance(error, (FloatingPointError, LostProcess, ChildProcessError)) else 2
    return 0
