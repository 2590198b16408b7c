# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The published forms of the dense readout and its linear baseline, each against an independent truth."""

import copy
import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hf_vdrep.probes import (
    LinearDepthReadout,
    PatchDepthReadout,
    ProbeData,
    Readout,
    SourceDepthReadout,
    depth_loss,
    fit_readout,
    get_task,
    predict,
)
from hf_vdrep.probes.fourier import pixel_grid

SPANS = torch.tensor([[0, 1], [1, 5], [5, 9]])
SMALL = {"num_heads": 2, "head_width": 4, "mlp_width": 24, "num_blocks": 2, "octaves": 3}
OPTIONS = {
    "dense": {"width": 16, "num_heads": 2, "num_blocks": 1},
    "source": SMALL,
    "patches": {"width": 16, "num_heads": 2, "patch": [2, 4, 4]},
    "linear": {},
}


def scrambled(module: nn.Module, std: float = 0.3) -> nn.Module:
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=std)
    return module


def clips(count: int = 6) -> ProbeData:
    draw = torch.Generator().manual_seed(0)
    depth = 1 + torch.rand(count, 9, 16, 16, generator=draw)
    return ProbeData(torch.randn(count, 3, 4, 4, 6, generator=draw), {"depth": depth}, SPANS, 9)


def test_source_form_is_the_papers_arithmetic():
    """papers.md 8.2, written out for one pixel of one frame: [0 | Fourier] -> blocks -> norm -> linear, all by hand."""
    torch.manual_seed(0)
    readout = scrambled(SourceDepthReadout(6, SPANS, 9, (8, 12), time_mode="nearest", **SMALL)).double()
    values = torch.randn(1, 3, 2, 2, 6, dtype=torch.float64)
    row, column = 5, 7
    place = torch.tensor([[-1 + 2 * column / 11, -1 + 2 * row / 7]], dtype=torch.float64)
    angles = torch.stack([place[0, axis] * math.pi * 2**i for axis in (0, 1) for i in range(3)])
    x = torch.cat([torch.zeros(6), angles.sin(), (angles + math.pi / 2).sin()]).double()
    tokens = F.layer_norm(values[0, 1].flatten(0, 1), (6,), eps=1e-6)
    for block in readout.blocks:
        normed = F.layer_norm(x, (18,), block.norm.weight, eps=1e-6)
        found = []
        for head in range(2):
            part = slice(4 * head, 4 * head + 4)
            q = block.to_q.weight[part] @ normed
            k, v = tokens @ block.to_k.weight[part].T, tokens @ block.to_v.weight[part].T
            q = q / (q.square().mean() + 1e-6).sqrt() * block.q_norm.weight
            k = k / (k.square().mean(-1, keepdim=True) + 1e-6).sqrt() * block.k_norm.weight
            found.append((k @ q / 2).softmax(0) @ v)
        x = x + block.to_out(torch.cat(found))
        x = x + block.mlp(F.layer_norm(x, (18,), block.mlp_norm.weight, eps=1e-6))
    expected = readout.head(F.layer_norm(x, (18,), readout.norm.weight, eps=1e-6))
    pixel = torch.tensor([[(column + 0.5) / 12, (row + 0.5) / 8]], dtype=torch.float64)
    found_here = readout(values, pixel, torch.tensor([3]))
    torch.testing.assert_close(found_here[0, 0], expected, rtol=1e-5, atol=1e-5)


def test_source_form_has_the_sources_sizes_by_default():
    """3 blocks, 8 heads of 64, MLP 2048, 16 octaves: 64 numbers beside the zeros."""
    readout = SourceDepthReadout(32, SPANS, 9, (64, 64))
    assert len(readout.blocks) == 3
    assert readout.blocks[0].to_q.weight.shape == (512, 96)
    assert readout.blocks[0].to_k.weight.shape == (512, 32)
    assert readout.blocks[0].mlp[0].weight.shape == (2048, 96)


def test_the_source_grid_runs_from_the_first_pixels_centre_to_the_lasts():
    readout = SourceDepthReadout(6, SPANS, 9, (8, 12), **SMALL)
    grid = readout.coordinates(pixel_grid(8, 12))
    torch.testing.assert_close(grid[0, :, 0], torch.linspace(-1, 1, 12))
    torch.testing.assert_close(grid[:, 3, 1], torch.linspace(-1, 1, 8))


def test_patch_form_says_its_pixels_in_the_order_of_the_output():
    """4DS: 'B (t h w) (pt ph pw) -> B (t pt) (h ph) (w pw)', here by reshaping every query's answer at once."""
    torch.manual_seed(1)
    readout = scrambled(PatchDepthReadout(6, SPANS, 9, (16, 8), patch=(2, 4, 4), width=16, num_heads=2))
    values = torch.randn(2, 3, 4, 2, 6)
    every = readout._answer(readout.standardise(values), readout.query)
    every = every.view(2, 5, 4, 2, 2, 4, 4).permute(0, 1, 4, 2, 5, 3, 6).reshape(2, 10, 16, 8)[:, :9]
    found = readout(values, pixel_grid(16, 8).flatten(0, 1)).unflatten(2, (16, 8))
    torch.testing.assert_close(found, every, rtol=1e-4, atol=1e-4)
    some = readout(values, pixel_grid(16, 8)[2::5, 1::3].flatten(0, 1), torch.tensor([6, 1]))
    torch.testing.assert_close(some, every[:, [6, 1], 2::5, 1::3].flatten(2), rtol=1e-4, atol=1e-4)


def test_patch_form_equals_torchs_own_attention():
    """4DS AttentionReadout: y = q + Xattn(q, LN(x) + time); y + MLP(LN(y)); linear; here by nn.MultiheadAttention."""
    torch.manual_seed(2)
    spans = torch.tensor([[0, 1], [1, 2]])
    readout = scrambled(PatchDepthReadout(16, spans, 2, (8, 8), patch=(1, 8, 8), width=16, num_heads=4)).double()
    values = torch.randn(3, 2, 2, 2, 16, dtype=torch.float64)
    stock = nn.MultiheadAttention(16, 4, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        stock.in_proj_weight.copy_(torch.cat([torch.eye(16), readout.to_k.weight, readout.to_v.weight]))
        stock.in_proj_bias.copy_(torch.cat([torch.zeros(16), readout.to_k.bias, readout.to_v.bias]))
        stock.out_proj.load_state_dict(readout.to_out.state_dict())
    tokens = F.layer_norm(values, (16,), readout.norm_scale, readout.norm_shift, eps=1e-6)
    tokens = (tokens + readout.time_embedding[:, None, None]).flatten(1, 3)
    queries = readout.query.expand(3, -1, -1)
    hidden = queries + stock(queries, tokens, tokens)[0]
    expected = readout.head(hidden + readout.mlp(readout.mlp_norm(hidden)))
    torch.testing.assert_close(readout._answer(readout.standardise(values), readout.query), expected)


def test_linear_form_is_a_bilinear_picture_of_the_tokens():
    """Against F.interpolate, which holds the ends and aligns no corners as we do."""
    torch.manual_seed(3)
    spans = torch.arange(5)[:, None] + torch.tensor([0, 1])
    readout = scrambled(LinearDepthReadout(6, spans, 5, statistics=True))
    values = torch.randn(2, 5, 4, 4, 6)
    maps = readout.head(readout.standardise(values))[..., 0]
    expected = F.interpolate(maps, (16, 24), mode="bilinear", align_corners=False)
    found = readout(values, pixel_grid(16, 24).flatten(0, 1)).unflatten(2, (16, 24))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", sorted(OPTIONS))
def test_every_form_trains_is_saved_and_starts_at_the_median(form, tmp_path):
    task, data = get_task("depth"), clips()
    options = {"readout": form, **OPTIONS[form]}
    fresh = task.make(data, **options)
    start = float(data.labels["depth"].median())
    said = fresh(data.features, torch.rand(7, 2)).exp()
    torch.testing.assert_close(said, torch.full((6, 9, 7), start), rtol=1e-3, atol=0)
    config = dataclasses.replace(task.fit, steps=2, batch_size=4)
    readout = fit_readout(task, data, data, config=config, options=options).best.readout
    readout.save_pretrained(tmp_path)
    columns = predict(task, Readout.from_pretrained(tmp_path), data)
    assert (columns["predictions"] == predict(task, readout, data)["predictions"]).all()
    assert columns["predictions"].std() > 0


@pytest.mark.parametrize("form", sorted(OPTIONS))
def test_clips_without_any_depth_teach_nothing_and_break_nothing(form):
    """Depth that is 0 or NaN everywhere: no loss, no gradient, and the other clips count as if alone."""
    task, data = get_task("depth"), clips()
    readout = scrambled(task.make(data, readout=form, **OPTIONS[form]))
    values, depth = readout.standardise(data.features), data.labels["depth"]

    def loss(rows: slice, labels: torch.Tensor) -> torch.Tensor:
        return task.loss(readout, values[rows], {"depth": labels}, torch.Generator().manual_seed(0))

    hollow = depth.clone()
    hollow[3] = 0
    hollow[4:] = math.nan
    torch.testing.assert_close(loss(slice(None), hollow), loss(slice(0, 3), depth[:3]), rtol=1e-4, atol=1e-5)
    nothing = loss(slice(3, None), hollow[3:])
    assert nothing.item() == 0
    nothing.backward()
    assert all(p.grad is None or (p.grad == 0).all() for p in readout.parameters())
    assert depth_loss(torch.zeros(2, 3), torch.full((2, 3), math.inf)).item() == 0


@pytest.mark.parametrize("form", sorted(OPTIONS))
def test_every_form_runs_in_half_precision(form):
    torch.manual_seed(0)
    readout = scrambled(get_task("depth").make(clips(), readout=form, **OPTIONS[form]), std=0.1)
    values, pixels = clips().features, torch.rand(5, 2)
    whole = readout(values, pixels)
    half = copy.deepcopy(readout).bfloat16()(values.bfloat16(), pixels)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), whole, rtol=0.1, atol=0.1)


def test_an_unknown_form_is_named():
    with pytest.raises(ValueError, match=r"readout must be one of .* got 'dpt'"):
        get_task("depth").make(clips(), readout="dpt")
