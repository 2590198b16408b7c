# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The CPU paths compute what the plain ones do."""

import pytest
import torch
import torch.nn.functional as F

from hf_vdrep.models.walt_feed_forward import WaltFeedForward, gelu_tanh_
from hf_vdrep.models.walt_linear import WaltLinear, as_walt_linear

torch.set_num_threads(1)


@pytest.mark.parametrize("shape", [(2, 160, 64), (320, 64), (3, 5, 64), (0, 64), (130, 64), (64,)])
@pytest.mark.parametrize("bias", [True, False])
def test_product_and_gradients_are_those_of_a_linear_layer(shape: tuple[int, ...], bias: bool):
    torch.manual_seed(0)
    layer = WaltLinear(64, 96, bias=bias)
    x = torch.randn(shape, requires_grad=True)
    expected = F.linear(x, layer.weight, layer.bias)
    weights = torch.randn_like(expected)
    wanted = torch.autograd.grad((expected * weights).sum(), [x, *layer.parameters()])
    found = layer(x)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    got = torch.autograd.grad((found * weights).sum(), [x, *layer.parameters()])
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:TF32")
def test_other_precisions_and_no_onednn_take_the_plain_path():
    layer = WaltLinear(64, 96).to(torch.bfloat16)
    x = torch.randn(160, 64, dtype=torch.bfloat16)
    torch.testing.assert_close(layer(x), F.linear(x, layer.weight, layer.bias), rtol=0, atol=0)
    layer, x = layer.float(), x.float()
    with torch.backends.mkldnn.flags(enabled=False):
        torch.testing.assert_close(layer(x), F.linear(x, layer.weight, layer.bias), rtol=0, atol=0)


def test_a_layer_is_taken_over_with_its_parameters():
    plain = torch.nn.Linear(8, 4)
    taken = as_walt_linear(plain)
    assert taken.weight is plain.weight and taken.bias is plain.bias and isinstance(taken, torch.nn.Linear)


def test_gelu_by_the_logistic_function_is_gelu():
    x = torch.linspace(-12, 12, 4001)
    torch.testing.assert_close(gelu_tanh_(x.clone()), F.gelu(x, approximate="tanh"), rtol=1e-5, atol=1e-6)


def test_the_mlp_in_pieces_is_the_mlp():
    torch.manual_seed(0)
    mlp = WaltFeedForward(64, 4.0)
    x = torch.randn(3, 2000, 64)
    with_gradients = mlp(x)
    with torch.no_grad():
        torch.testing.assert_close(mlp(x), with_gradients, rtol=1e-4, atol=1e-5)
    assert set(mlp.state_dict()) == {f"net.{i}.{kind}" for i in ("0.proj", "2") for kind in ("weight", "bias")}
