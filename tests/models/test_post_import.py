# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Actions that wait for an import."""

import sys
from pathlib import Path

import pytest

from hf_vdrep.models.post_import import after_import


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "waited_for.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "waited_for"
    sys.modules.pop("waited_for", None)


def test_an_action_waits_for_the_body_of_its_module(module: str):
    seen: list[int] = []
    after_import(module, lambda: seen.append(sys.modules[module].VALUE))
    assert seen == []
    import waited_for

    assert seen == [1] and waited_for.VALUE == 1
    import importlib

    importlib.reload(waited_for)
    assert seen == [1]


def test_an_action_runs_at_once_if_its_module_is_there(module: str):
    __import__(module)
    seen: list[int] = []
    after_import(module, lambda: seen.append(1))
    assert seen == [1]


def test_the_source_of_a_watched_module_is_still_found(module: str):
    """Tracebacks and inspect ask the loader, which is the original one."""
    import inspect

    after_import(module, lambda: None)
    assert inspect.getsource(__import__(module)) == "VALUE = 1\n"


def test_several_actions_wait_for_one_module(module: str):
    """They run in the order in which they were given."""
    ran: list[str] = []
    after_import(module, lambda: ran.append("first"))
    after_import(module, lambda: ran.append("second"))
    __import__(module)
    assert ran == ["first", "second"]
