# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What each dtype on disk loses, and that nothing else is lost."""

import pytest
import torch
from safetensors import safe_open

from hf_vdrep.features.estimate import estimate
from hf_vdrep.features.storage_dtype import decode, encode

# Significant bits, the hidden one counted: rounding to nearest loses at most half of the last.
BITS = {"float32": 24, "float16": 11, "bfloat16": 8}


@pytest.fixture
def rows():
    """Channels of very different sizes; one of zeros, one with a single large value."""
    values = torch.randn(6, 2, 4, 4, 8, generator=torch.Generator().manual_seed(0))
    values *= 10.0 ** torch.linspace(-3, 3, 8)
    values[..., 2] = 0
    values[:, 0, 0, 0, 5] = 3e4
    return values


@pytest.mark.parametrize("dtype", BITS)
def test_floats_round_to_nearest(rows, dtype):
    back = decode(encode(rows, dtype))
    assert back.dtype == torch.float32
    # float16 is subnormal below 2 ** -14, where its steps stay 2 ** -24.
    bound = torch.clamp(rows.abs() * 2.0 ** -BITS[dtype], min=2.0**-25 if dtype == "float16" else 0)
    assert ((back - rows).abs() <= bound).all()
    assert torch.equal(back[..., 2], rows[..., 2])


def test_int8_is_off_by_half_a_step_of_its_own_channel(rows):
    """Symmetric: 127 steps up to the largest magnitude of the sample's channel."""
    back = decode(encode(rows, "int8"))
    step = rows.abs().amax(dim=(1, 2, 3), keepdim=True) / 127
    assert ((back - rows).abs() <= step / 2 * (1 + 1e-5)).all()
    assert torch.equal(back[..., 2], rows[..., 2])
    assert ((back - rows).abs().amax(dim=(1, 2, 3)) > step.squeeze() / 8)[:, [0, 1, 3, 4, 6, 7]].all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16", "int8"])
def test_a_row_is_stored_alike_in_any_batch(rows, dtype):
    whole = decode(encode(rows, dtype))
    assert torch.equal(torch.cat([decode(encode(row[None], dtype)) for row in rows]), whole)


@pytest.mark.parametrize("dtype", ["float16", "float32", "bfloat16", "int8"])
def test_what_is_not_finite_is_refused(rows, dtype):
    rows[1, 0, 0, 0, 0] = float("nan")
    with pytest.raises(ValueError, match="must be finite"):
        encode(rows, dtype)


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
def test_extracted_features_come_back_as_encoded(extract, dtype):
    exact = extract()[1, 200][:]
    array = extract(dtype=dtype)[1, 200]
    assert torch.equal(array[:], decode(encode(exact, dtype)))
    assert torch.equal(array[[9, 0, 4]], array[:][[9, 0, 4]])
    assert array.shards[0].dtype == dtype and array[0].dtype == torch.float32


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
def test_shards_open_with_safetensors_itself(extract, tmp_path, dtype):
    """The library's own reader is the reference of the file format."""
    array = extract(dtype=dtype)[1, 200]
    parts = []
    for path in sorted((tmp_path / "cache").rglob("shard-*.safetensors")):
        with safe_open(path, framework="pt") as file:
            values = file.get_tensor("values")
            if values.dtype == getattr(torch, dtype):
                scales = file.get_tensor("scales")[:, None, None, None] if "scales" in file.keys() else 1.0  # noqa: SIM118
                parts.append(values.float() * scales)
    assert torch.equal(torch.cat(parts), array[:])


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
def test_the_estimate_counts_the_scales(extract, backbone, clips, dtype):
    planned = estimate(backbone, clips.pixels[:1], 10, layers=[1], timesteps=[200], dtype=dtype)
    assert planned[0].num_bytes == sum(shard.nbytes for shard in extract(dtype=dtype)[1, 200].shards)
