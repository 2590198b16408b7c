# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import pytest
import torch
from torch import nn

from hf_vdrep.probes.attentive import AttentiveClassifier
from hf_vdrep.probes.standardise import standardise


def scrambled(module: nn.Module) -> nn.Module:
    """Every parameter random, so that no term hides behind a zero or a one."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)
    return module.double()


def test_folded_form_equals_the_plain_one():
    """ecosystem.md section 3: with a learned query the keys fold into a direction, the values into one pooled token."""
    torch.manual_seed(0)
    readout = scrambled(AttentiveClassifier(24, 5, 7, width=32, num_heads=4))
    values = torch.randn(3, 5, 4, 4, 24, dtype=torch.float64) * 5 + 2
    folded = readout(values)
    readout.folded = False
    torch.testing.assert_close(folded, readout(values), rtol=0, atol=1e-7)


def test_folded_form_has_the_same_gradients():
    torch.manual_seed(1)
    readout = scrambled(AttentiveClassifier(12, 3, 4, width=16, num_heads=2))
    values = torch.randn(2, 3, 2, 2, 12, dtype=torch.float64)
    gradients = []
    for folded in (True, False):
        readout.folded = folded
        readout.zero_grad()
        readout(values).square().sum().backward()
        gradients.append({name: p.grad for name, p in readout.named_parameters() if p.grad is not None})
    # The key bias adds the same to every token's score: the plain form's gradient is zero, the folded form has none.
    assert gradients[1].pop("to_k.bias").abs().max() < 1e-9
    gradients[0].pop("to_k.bias", None)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-7, atol=1e-8)


def test_plain_form_equals_torchs_own_attention():
    """nn.MultiheadAttention with the same weights, as an independent truth."""
    torch.manual_seed(2)
    readout = scrambled(AttentiveClassifier(16, 2, 5, width=16, num_heads=4, folded=False))
    values = torch.randn(3, 2, 3, 3, 16, dtype=torch.float64)
    stock = nn.MultiheadAttention(16, 4, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        stock.in_proj_weight.copy_(torch.cat([torch.eye(16), readout.to_k.weight, readout.to_v.weight]))
        stock.in_proj_bias.copy_(torch.cat([torch.zeros(16), readout.to_k.bias, readout.to_v.bias]))
        stock.out_proj.weight.copy_(readout.to_out.weight)
        stock.out_proj.bias.copy_(readout.to_out.bias)
    tokens = nn.functional.layer_norm(values, (16,), readout.norm_scale, readout.norm_shift, eps=1e-6)
    tokens = (tokens + readout.time_embedding[:, None, None]).flatten(1, 3)
    query = readout.query.expand(3, 1, -1)
    hidden = query[:, 0] + stock(query, tokens, tokens)[0][:, 0]
    hidden = hidden + readout.mlp(readout.mlp_norm(hidden))
    torch.testing.assert_close(readout(values), readout.head(hidden), rtol=1e-9, atol=1e-9)


def test_standardised_features_need_no_second_pass():
    readout = scrambled(AttentiveClassifier(8, 2, 3, width=8, num_heads=2))
    values = torch.randn(2, 2, 3, 3, 8, dtype=torch.float64) * 9 - 4
    again = readout(standardise(values), standardised=True)
    torch.testing.assert_close(readout(values), again, rtol=1e-9, atol=1e-9)


def test_order_in_time_matters_and_order_in_space_does_not():
    readout = scrambled(AttentiveClassifier(8, 4, 3, width=8, num_heads=2))
    values = torch.randn(2, 4, 3, 3, 8, dtype=torch.float64)
    torch.testing.assert_close(readout(values), readout(values.flip(2)))
    assert (readout(values) - readout(values.flip(1))).abs().max() > 1e-3


def test_wrong_features_are_named():
    with pytest.raises(ValueError, match=r"values must have shape \(B, 5, H', W', 8\)"):
        AttentiveClassifier(8, 5, 3, width=8)(torch.zeros(1, 4, 2, 2, 8))
    with pytest.raises(ValueError, match="multiple of num_heads"):
        AttentiveClassifier(8, 5, 3, width=10, num_heads=4)
