# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Weight averaging."""

import pytest
import torch
from torch import nn

from hf_vdrep.training.ema import Ema


def constant(value: float) -> nn.Module:
    layer = nn.Linear(3, 2)
    for parameter in layer.parameters():
        nn.init.constant_(parameter, value)
    return layer


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.999])
def test_average_of_a_jump_has_the_closed_form(decay):
    """From weights 0, then constantly 1: shadow = 1 - prod_n min(decay, (1+n)/(10+n))."""
    model = constant(0.0)
    ema = Ema(model, decay)
    for parameter in model.parameters():
        nn.init.constant_(parameter, 1.0)
    left = 1.0
    for n in range(1, 8):
        ema.update(model)
        left *= min(decay, (1 + n) / (10 + n))
    for shadow in ema.shadow.values():
        torch.testing.assert_close(shadow, torch.full_like(shadow, 1 - left), rtol=1e-6, atol=1e-6)


def test_shadow_is_fp32_whatever_the_model_is():
    model = constant(1.0).bfloat16()
    ema = Ema(model, 0.9)
    ema.update(model)
    assert {shadow.dtype for shadow in ema.shadow.values()} == {torch.float32}


def test_own_weights_return_after_the_block_even_on_error():
    model = constant(0.0)
    ema = Ema(model, 0.5)
    nn.init.constant_(model.weight, 5.0)
    with pytest.raises(RuntimeError), ema.applied(model):
        assert model.weight.eq(0).all()
        raise RuntimeError
    assert model.weight.eq(5).all()


def test_a_decay_of_one_is_refused():
    with pytest.raises(ValueError, match=r"ema_decay must lie in \[0, 1\), got 1"):
        Ema(constant(0.0), 1)


def test_weights_of_another_model_are_refused():
    with pytest.raises(ValueError, match="do not belong"):
        Ema(constant(0.0), 0.5).load({"other": torch.zeros(1)}, 3)
