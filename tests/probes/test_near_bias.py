# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The prior of nearness in readouts' attention."""

import math

import torch

from hf_vdrep.probes.cross_attention import CrossAttentionBlock, NearBias


def test_near_bias_is_a_gaussian_of_the_distance():
    """The bias of a head with reach r is -d^2 / (2 r^2), computed here point by point."""
    near = NearBias(3)
    queries, tokens = torch.rand(4, 2), torch.rand(5, 2)
    found = near(queries, tokens)
    reaches = [0.08 ** (1 - head / 2) for head in range(3)]
    for head, reach in enumerate(reaches):
        for q in range(4):
            for n in range(5):
                distance = math.dist(queries[q].tolist(), tokens[n].tolist())
                assert math.isclose(float(found[head, q, n]), -(distance**2) / (2 * reach**2), rel_tol=1e-4)


def test_a_sharp_head_reads_the_token_under_the_query():
    """With equal keys, attention follows the bias alone: the value found is that of the nearest token."""
    block = CrossAttentionBlock(4, 1, mlp_ratio=1)
    for parameter in (*block.mlp.parameters(), *block.to_out.parameters()):
        torch.nn.init.zeros_(parameter)
    torch.nn.init.eye_(block.to_out.weight)
    places = torch.tensor([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]])
    content = torch.randn(1, 3, 4)
    keys = torch.zeros(1, 4, 3)
    near = NearBias(1)
    torch.nn.init.constant_(near.log_sharpness, math.log(1e4))
    found = block(torch.zeros(3, 4), keys, content, near(places, places))
    torch.testing.assert_close(found, content[0])
