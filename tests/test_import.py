# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Importing the package is cheap, and its rooms keep to their neighbours."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hf_vdrep

PACKAGE = Path(hf_vdrep.__file__).parent

# Rooms that a room may import from (architecture.md, "Rules of the house").
ALLOWED = {
    "data": set(),
    "models": set(),
    "probes": set(),
    "metrics": set(),
    "heads": {"models", "probes"},
    "backbones": {"models"},
    "features": {"backbones", "data"},
    "training": {"models", "data", "features", "backbones", "probes", "metrics", "heads"},
    "study": {"data", "models", "backbones", "features", "probes", "metrics", "training", "heads"},
    "hub": {"data", "models", "backbones", "features", "probes", "metrics", "training", "study", "heads"},
    "app": {"data", "models", "backbones", "features", "probes", "metrics", "training", "study", "hub", "heads"},
    "cli": {"data", "models", "backbones", "features", "probes", "metrics", "training", "study", "hub", "heads", "app"},
}


def test_import_takes_less_than_half_a_second_and_no_heavy_library():
    """Best of three fresh interpreters, so that a busy machine does not fail it."""
    script = (
        "import time; start = time.perf_counter(); import hf_vdrep; took = time.perf_counter() - start; import sys;"
        "heavy = {'torch', 'numpy', 'transformers', 'diffusers', 'datasets', 'evaluate', 'av'} & set(sys.modules);"
        "print(took, *heavy)"
    )
    times = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        took, *heavy = done.stdout.split()
        assert heavy == []
        times.append(float(took))
    assert min(times) < 0.5


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_from_the_rooms_before_it(room: str):
    for file in sorted((PACKAGE / room).rglob("*.py")):
        foreign = {target for target in rooms_imported(file) if target in ALLOWED and target != room}
        assert foreign <= ALLOWED[room], f"{file.relative_to(PACKAGE)} imports {sorted(foreign - ALLOWED[room])}"


def rooms_imported(file: Path) -> set[str]:
    """First component below hf_vdrep of everything that `file` imports, at the top or inside functions."""
    inside = ["hf_vdrep", *file.relative_to(PACKAGE).with_suffix("").parts]
    modules: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(inside[: len(inside) - node.level]) if node.level else ""
            base = f"{base}.{node.module}" if node.module and base else node.module or base
            modules += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    parts = [module.split(".") for module in modules]
    return {part[1] for part in parts if part[0] == "hf_vdrep" and len(part) > 1}


def test_every_public_name_can_be_had():
    """The lazy tables point at names that exist."""
    for name in dir(hf_vdrep):
        assert getattr(hf_vdrep, name) is not None or name == "__spec__"


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_every_public_name_of_a_room_can_be_had(room: str):
    import importlib

    module = importlib.import_module(f"hf_vdrep.{room}")
    for name in getattr(module, "_HOMES", {}):
        assert getattr(module, name) is not None
