# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Module attributes that import their home on first use (PEP 562), so that `import hf_vdrep` stays cheap."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_exports(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Build `__getattr__` and `__dir__` for a package.

    Args:
        package: the package's `__name__`.
        homes: public name -> module that defines it, relative to the package (`".noise"`).

    Returns:
        The two functions, to be bound at module level.
    """

    def __getattr__(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(homes[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return __getattr__, __dir__
