# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a user is told of a head whose readout no file holds."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from hf_vdrep.heads import WaltForVideoClassification
from hf_vdrep.models.folder import HEAD_NAME, INDEX_NAME


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What transformers says too, which it keeps from the root logger."""
    logger = logging.getLogger("transformers.modeling_utils")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_a_new_readout_is_told_of_in_one_line_and_a_loaded_one_not(
    folder: Path, tmp_path: Path, told: pytest.LogCaptureFixture
):
    fresh = WaltForVideoClassification.from_pretrained(folder, num_labels=16)
    (line,) = told.messages
    assert "WaltForVideoClassification" in line and "untrained" in line and str(folder) in line and "\n" not in line
    told.clear()
    fresh.save_pretrained(tmp_path / "saved")
    WaltForVideoClassification.from_pretrained(tmp_path / "saved")
    assert not told.messages


def test_a_readout_with_a_part_missing_gets_the_full_report(
    folder: Path, tmp_path: Path, told: pytest.LogCaptureFixture
):
    """The files of a head that lack one weight are damaged, not new."""
    WaltForVideoClassification.from_pretrained(folder).save_pretrained(tmp_path / "part")
    told.clear()
    file, index = tmp_path / "part" / HEAD_NAME, tmp_path / "part" / INDEX_NAME
    weights, table = load_file(file), json.loads(index.read_text())
    del weights["readout.head.bias"], table["weight_map"]["readout.head.bias"]
    save_file(weights, file, {"format": "pt"})
    index.write_text(json.dumps(table))
    WaltForVideoClassification.from_pretrained(tmp_path / "part")
    assert "readout.head.bias" in "".join(told.messages) and "untrained" not in "".join(told.messages)
