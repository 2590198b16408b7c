# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The snippets of README and docs run as they stand and print what their comments say."""

import contextlib
import io
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROBES = (ROOT / "docs" / "probes.md").read_text(encoding="utf-8")
SNIPPETS = dict(re.findall(r"<!-- snippet: (\S+) -->\n```python\n(.*?)```", README + PROBES, re.DOTALL))


def test_all_snippets_are_found():
    assert set(SNIPPETS) == {"pipeline", "transformers", "features", "head", "probe"}


@pytest.mark.parametrize("name", sorted(SNIPPETS))
def test_snippet_prints_what_its_comments_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(SNIPPETS[name], f"snippet:{name}", "exec"), {})
    expected = [line[2:] for line in SNIPPETS[name].splitlines() if line.startswith("# ")]
    assert expected
    assert printed.getvalue().splitlines() == expected


def test_every_make_target_in_the_readme_exists():
    targets = set(re.findall(r"^make (\S+)", README, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets and all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_linked_files_exist():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_constraints_and_uv_pins_agree():
    import tomllib

    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["uv"]["constraint-dependencies"] == pins


def test_no_registry_host_and_no_machine_path_is_committed():
    words = ["files.python" + "hosted", "pypi" + ".org", "/opt/" + "wheels", "/work/" + "main"]
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.fail("needs a git checkout")
    found = []
    for name in listed.split():
        path = ROOT / name
        if path.suffix in {".safetensors", ".png", ".mp4"} or not path.exists():
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        found += [(name, word) for word in words if word in text]
    assert found == []
