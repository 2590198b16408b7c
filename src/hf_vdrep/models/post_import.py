# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Doing something to a module once somebody imports it, without importing it.

transformers and diffusers have no entry points for plug-ins, and importing them here to register our classes would
cost every `import hf_vdrep` seconds.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

Action = Callable[[], None]


class _PostImportFinder:
    """Finds nothing itself: lets the other finders find the modules it waits for, and lengthens their execution."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Action]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.waiting:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(fullname, path, target) for finder in others if hasattr(finder, "find_spec"))
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            self._lengthen(spec, self.waiting.pop(fullname))
        return spec

    def _lengthen(self, spec: ModuleSpec, actions: list[Action]) -> None:
        loader = spec.loader
        assert loader is not None
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            for action in actions:
                action()

        loader.exec_module = exec_module  # type: ignore[method-assign]


_FINDER = _PostImportFinder()


def after_import(module: str, action: Action) -> None:
    """Run `action` once `module` is imported: now if it is already, else right after its body has run.

    Several actions for one module run in the order in which they were given.
    """
    if module in sys.modules:
        action()
        return
    _FINDER.waiting.setdefault(module, []).append(action)
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
