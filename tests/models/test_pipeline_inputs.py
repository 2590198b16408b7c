# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Labels per sample, and telling a folder from a Hub id."""

from pathlib import Path

import pytest
import torch

from hf_vdrep.models.pipeline_inputs import class_label_tensor, local_folder

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("labels", "batch_size", "repeats", "expected"),
    [(None, None, 1, None), (2, 3, 1, [2, 2, 2]), ([1, 2], None, 2, [1, 1, 2, 2]), (torch.tensor([4]), None, 1, [4])],
)
def test_every_sample_gets_its_label(labels: object, batch_size: int | None, repeats: int, expected: list | None):
    tensor, total = class_label_tensor(labels, batch_size, repeats, CPU)
    assert (tensor if tensor is None else tensor.tolist()) == expected
    assert total == (len(expected) if expected else 1)


def test_a_wrong_number_of_labels_is_named():
    with pytest.raises(ValueError, match=r"class_labels must be one, or one per sample \(3\), got 2"):
        class_label_tensor([0, 1], 3, 1, CPU)


def test_paths_are_told_from_hub_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for text in ("./walt", "/nowhere/walt", "runs/tiny/walt", "../x"):
        assert local_folder(text) == Path(text)
    assert local_folder(Path("walt")) == Path("walt")
    assert local_folder("walt") is None and local_folder("user/walt") is None
    (tmp_path / "user" / "walt").mkdir(parents=True)
    assert local_folder("user/walt") == Path("user/walt")
