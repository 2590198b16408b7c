# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The snippets of docs/backbones.md run as they stand and print what their comments say."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from hf_vdrep.backbones.denoiser_coverage import WITHOUT_STEP
from hf_vdrep.backbones.denoiser_families import DENOISERS

DOCS = (Path(__file__).parents[2] / "docs" / "backbones.md").read_text(encoding="utf-8")
SNIPPETS = dict(re.findall(r"<!-- snippet: (\S+) -->\n```python\n(.*?)```", DOCS, re.DOTALL))


def test_every_block_of_python_is_a_snippet():
    assert set(SNIPPETS) == {"backbone", "cache", "denoiser", "encoder"}
    assert DOCS.count("```python") == len(SNIPPETS)


@pytest.mark.parametrize("name", sorted(SNIPPETS))
def test_a_snippet_of_the_page_prints_what_its_comments_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(SNIPPETS[name], f"snippet:{name}", "exec"), {})
    expected = [line[2:] for line in SNIPPETS[name].splitlines() if line.startswith("# ")]
    assert expected and printed.getvalue().splitlines() == expected


def test_the_page_counts_what_the_table_counts():
    assert f"For {len(DENOISERS) - len(WITHOUT_STEP)} of the {len(DENOISERS)} classes the whole call is tested" in DOCS
