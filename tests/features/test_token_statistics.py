# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Statistics kept beside the features: those of the stored values, verified, counted, made without the model."""

import pytest
import torch
import torch.nn.functional as F

from hf_vdrep.features import list_cells
from hf_vdrep.features.estimate import estimate
from hf_vdrep.features.quota import bytes_in
from hf_vdrep.probes import AttentiveClassifier
from hf_vdrep.probes.standardise import standardise


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int8"])
def test_standardised_features_are_those_of_a_layer_norm(extract, dtype):
    """Within 1e-6 of the largest value of what a readout would compute from the values that are read."""
    array = extract(dtype=dtype, statistics=True)[1, 200]
    rows = [7, 0, 9]
    expected = standardise(array[rows])
    torch.testing.assert_close(array.standardised(rows), expected, rtol=1e-6, atol=1e-6 * float(expected.abs().max()))
    mean, rstd = array.moments(rows)
    torch.testing.assert_close(mean, array[rows].mean(-1), rtol=1e-6, atol=1e-6)
    assert rstd.shape == (3, *array.shape[1:4])


def test_a_folded_look_needs_no_normalised_token(extract):
    """LN(x) @ w = rstd (x @ w - mean sum(w)), and a readout answers alike either way."""
    array = extract(statistics=True)[1, 200]
    values, (mean, rstd) = array[:], array.moments(slice(None))
    direction = torch.randn(16, generator=torch.Generator().manual_seed(0))
    folded = rstd * (values @ direction - mean * direction.sum())
    torch.testing.assert_close(folded, F.layer_norm(values, (16,), eps=1e-6) @ direction, rtol=1e-5, atol=1e-5)
    readout = AttentiveClassifier(16, array.shape[1], 3, width=8, num_heads=2)
    told = readout(array.standardised(slice(None)), standardised=True)
    torch.testing.assert_close(told, readout(values), rtol=0, atol=1e-6)


def test_statistics_come_later_without_the_model(extract, backbone, monkeypatch, tmp_path):
    """From the stored features alone; a damaged file is made again, the features stay."""
    extract()
    monkeypatch.setattr(backbone.transformer, "forward_intermediates", None)
    with pytest.raises(ValueError, match="statistics must have been kept"):
        extract()[1, 200].moments([0])
    first = extract(statistics=True)[1, 200].standardised([0, 5])
    (cell,) = [cell for cell in list_cells(tmp_path / "cache") if cell.statistics]
    content = bytearray(cell.statistics[0].read_bytes())
    content[-1] ^= 1
    cell.statistics[0].write_bytes(content)
    assert [fault is None for _, fault in cell.verify()] == [True, True, True, False, True, True]
    assert torch.equal(extract(statistics=True)[1, 200].standardised([0, 5]), first)


def test_their_bytes_are_estimated_and_count_for_the_quota(extract, backbone, clips, tmp_path):
    """Eight bytes a token."""
    options = {"layers": [1], "timesteps": [200], "dtype": "float16"}
    bare, full = (estimate(backbone, clips.pixels[:1], 10, statistics=kept, **options)[0] for kept in (False, True))
    tokens = 10 * bare.shape[0] * bare.shape[1] * bare.shape[2]
    assert full.num_bytes - bare.num_bytes == 8 * tokens
    extract(statistics=True)
    held, files = bytes_in(tmp_path / "cache"), len(list(tmp_path.glob("cache/*/*-*.safetensors")))
    with pytest.raises(OSError, match="quota must leave room"):
        extract(cache_dir=tmp_path / "b", statistics=True, quota=held - 1)
    extract(cache_dir=tmp_path / "c", statistics=True, quota=held + 4096 * files)
    assert bytes_in(tmp_path / "c") == held
