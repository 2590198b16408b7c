# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Labels per sample, and telling a folder from a Hub id."""

from pathlib import Path

import pytest
import torch

from hf_vdrep.models.pipeline_conditions import Conditions
from hf_vdrep.models.pipeline_inputs import local_folder, sample_count, spread
from hf_vdrep.models.pipeline_text import TextStates

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("labels", "batch_size", "repeats", "expected"),
    [(None, None, 1, None), (2, 3, 1, [2, 2, 2]), ([1, 2], None, 2, [1, 1, 2, 2]), (torch.tensor([4]), None, 1, [4])],
)
def test_every_sample_gets_its_label(labels: object, batch_size: int | None, repeats: int, expected: list | None):
    total = sample_count(batch_size, repeats, class_labels=labels)
    tensor = spread(Conditions(), labels, None, None, total, repeats, CPU).class_labels
    assert (tensor if tensor is None else tensor.tolist()) == expected
    assert total == (len(expected) if expected else 1)


def test_a_wrong_number_of_labels_is_named():
    with pytest.raises(ValueError, match=r"class_labels must be one, or one per sample \(3\), got 2"):
        sample_count(3, 1, class_labels=[0, 1])


def test_texts_follow_their_prompt():
    """Two prompts, three samples each: rows of a prompt stand together."""
    text = TextStates(torch.arange(2.0).view(2, 1, 1).expand(2, 4, 3), torch.ones(2, 4, dtype=torch.bool))
    total = sample_count(None, 3, prompt=text)
    told = spread(Conditions(), None, text, None, total, 3, CPU)
    assert told.encoder_hidden_states[:, 0, 0].tolist() == [0, 0, 0, 1, 1, 1]
    assert told.encoder_attention_mask.shape == (6, 4)
    with pytest.raises(ValueError, match=r"negative_prompt must be one, or one per sample \(2\), got 3"):
        spread(Conditions(), None, text, TextStates(torch.ones(3, 4, 3), torch.ones(3, 4)), 2, 1, CPU)


def test_paths_are_told_from_hub_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for text in ("./walt", "/nowhere/walt", "runs/tiny/walt", "../x"):
        assert local_folder(text) == Path(text)
    assert local_folder(Path("walt")) == Path("walt")
    assert local_folder("walt") is None and local_folder("user/walt") is None
    (tmp_path / "user" / "walt").mkdir(parents=True)
    assert local_folder("user/walt") == Path("user/walt")
