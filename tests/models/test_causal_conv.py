# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The causal convolution and the per-frame norms, against written-out definitions."""

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from hf_vdrep.models.causal_conv import (
    AdaptiveFrameGroupNorm,
    CausalConv3d,
    FrameGroupNorm,
    latent_step_of_frame,
)


def test_causal_convolution_sums_the_present_and_the_past_frames():
    """WALT §4.1: output frame f is sum_d W[d] * x[f - (k - 1) + d], with zeros before the clip."""
    torch.manual_seed(0)
    conv = CausalConv3d(2, 3, (3, 3, 3))
    x = torch.randn(1, 2, 5, 6, 6)
    for frame in range(5):
        expected = conv.bias.view(1, -1, 1, 1)
        for tap in range(3):
            if (source := frame - 2 + tap) >= 0:
                expected = expected + F.conv2d(x[:, :, source], conv.weight[:, :, tap], padding=1)
        torch.testing.assert_close(conv(x)[0][:, :, frame], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("frames", "steps"), [(1, 1), (3, 2), (5, 3), (17, 9)])
def test_temporal_stride_keeps_the_first_frame_to_itself(frames: int, steps: int):
    """papers.md §1.3: 17 -> 9 -> 5 and 1 -> 1 with stride 2 and two frames of padding in front."""
    conv = CausalConv3d(1, 1, (3, 3, 3), (2, 2, 2))
    x = torch.randn(1, 1, frames, 4, 4)
    out, _ = conv(x)
    assert out.shape == (1, 1, steps, 2, 2)
    torch.testing.assert_close(out[:, :, :1], conv(x[:, :, :1])[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (4, 2), (5, 1), (1, 1)])
def test_a_convolution_in_chunks_is_the_convolution(kernel: int, stride: int):
    """The cache is what is left of the past: the last k_t - s_t frames, in memory of their own."""
    torch.manual_seed(0)
    conv = CausalConv3d(2, 3, (kernel, 3, 3), (stride, 1, 1))
    x = torch.randn(1, 2, 13, 4, 4)
    whole, nothing = conv(x)
    cache, parts = {}, []
    for piece in x.split([1, 2, 4, 6], dim=2):
        part, cache = conv(piece, cache)
        parts.append(part)
        assert cache["past"] is None if kernel == stride else cache["past"].shape[2] == kernel - stride
    assert nothing is None
    torch.testing.assert_close(torch.cat(parts, dim=2), whole, rtol=1e-5, atol=1e-5)
    if kernel > stride:
        torch.testing.assert_close(cache["past"], x[:, :, stride - kernel :], rtol=0, atol=0)
        assert cache["past"].untyped_storage().nbytes() == cache["past"].nbytes


@pytest.mark.parametrize("shape", [(8, 16, 1, 6, 5), (8, 16, 3, 16, 16), (64, 8, 6, 32, 8)])
def test_a_single_clip_takes_the_fast_road_to_the_same_place(shape: tuple[int, ...]):
    """On the CPU torch computes small batches of one by a slow path; gradients and what counts FLOPs agree."""
    torch.manual_seed(0)
    channels, out, *size = shape
    conv = CausalConv3d(channels, out, (3, 3, 3), (1, 2, 2))
    x = torch.randn(1, channels, *size, requires_grad=True)
    expected = F.conv3d(F.pad(x, (0, 0, 0, 0, 2, 0)), conv.weight, conv.bias, (1, 2, 2), (0, 1, 1))
    found, _ = conv(x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    slopes = [torch.autograd.grad(y.sin().sum(), [x, conv.weight, conv.bias]) for y in (found, expected)]
    torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-4, atol=1e-3)
    with FlopCounterMode(display=False) as counter:
        conv(x)
    frames = 1 if size[0] == 1 else 3  # taps that are computed
    assert counter.get_total_flops() == 2 * found.numel() * channels * 9 * frames
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert conv(x)[0].dtype == torch.bfloat16


def test_group_norm_normalises_each_frame_by_itself():
    """papers.md §1.3, the GroupNorm pitfall: statistics over time would let the future leak into frame 0."""
    torch.manual_seed(0)
    norm = FrameGroupNorm(2, 4, eps=1e-6)
    x = torch.randn(2, 4, 3, 5, 5) * torch.tensor([1.0, 10.0, 100.0]).view(1, 1, 3, 1, 1)
    groups = norm(x).reshape(2, 2, 2, 3, 25).transpose(2, 3).flatten(3)
    torch.testing.assert_close(groups.mean(-1), torch.zeros(2, 2, 3), rtol=0, atol=1e-5)
    torch.testing.assert_close(groups.var(-1, correction=0), torch.ones(2, 2, 3), rtol=0, atol=1e-4)


@pytest.mark.parametrize("affine", [True, False])
def test_the_norm_as_one_scale_and_shift_per_frame(affine: bool):
    """GroupNorm is an affine map once its statistics are known; tiles use it in this form."""
    torch.manual_seed(0)
    norm = FrameGroupNorm(2, 4, eps=1e-6, affine=affine)
    if affine:
        torch.nn.init.normal_(norm.weight)
        torch.nn.init.normal_(norm.bias)
    x = torch.randn(2, 4, 3, 150, 6) * 3 + torch.randn(4, 1, 1, 1) * 10
    scale, shift = norm.affine_of(x)
    torch.testing.assert_close(scale * x + shift, norm(x), rtol=1e-5, atol=1e-5)


def test_adaptive_norm_scales_by_the_spread_and_shifts_by_the_mean_of_the_latent_frame():
    """papers.md §1.3, AdaGN per latent frame: y = Linear(std z) * GroupNorm(x) + Linear(mean z)."""
    torch.manual_seed(0)
    module = AdaptiveFrameGroupNorm(2, 4, latent_channels=3)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    x, z = torch.randn(1, 4, 5, 6, 6), torch.randn(1, 3, 2, 3, 3)
    out = module(x, z)
    for frame, step in enumerate([0, 1, 1, 1, 1]):
        latent = z[:, :, step].flatten(2)
        scale = module.scale(((latent - latent.mean(-1, keepdim=True)) ** 2).mean(-1).sqrt())
        shift = module.shift(latent.mean(-1))
        normed = F.group_norm(x[:, :, frame], 2, eps=1e-6)
        expected = scale[..., None, None] * normed + shift[..., None, None]
        torch.testing.assert_close(out[:, :, frame], expected, rtol=1e-5, atol=1e-5)


def test_latent_steps_cover_the_first_frame_alone_and_then_equal_runs():
    """17 frames in 5 steps: 0 | 1-4 | 5-8 | 9-12 | 13-16."""
    steps = latent_step_of_frame(5, 17, torch.device("cpu"))
    assert steps.tolist() == [0] + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4
    assert latent_step_of_frame(1, 1, torch.device("cpu")).tolist() == [0]
    assert latent_step_of_frame(2, 8, torch.device("cpu"), first=False).tolist() == [0] * 4 + [1] * 4
