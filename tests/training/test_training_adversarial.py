# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The adversarial loss: closed forms, the discriminator's shapes, and whose parameters move when."""

import copy
import math

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from hf_vdrep.training.adversarial import Adversary
from hf_vdrep.training.adversarial_losses import LeCam, discriminator_loss, generator_loss, r1_penalty
from hf_vdrep.training.discriminator import BlurPool3d, VideoDiscriminator


def test_non_saturating_losses_at_known_logits():
    """Goodfellow et al. 2014: -log s(x); at 0 both sides cost log 2."""
    zero = torch.zeros(3)
    assert float(generator_loss(zero)) == pytest.approx(math.log(2))
    assert float(discriminator_loss(zero, zero)) == pytest.approx(2 * math.log(2))
    logits = torch.tensor([2.0, -1.0])
    expected = sum(-math.log(1 / (1 + math.exp(-x))) for x in (2, -1)) / 2
    assert float(generator_loss(logits)) == pytest.approx(expected, rel=1e-6)
    assert float(discriminator_loss(logits, -logits)) == pytest.approx(2 * expected, rel=1e-6)


def test_a_confident_discriminator_leaves_the_generator_a_slope():
    """What "non-saturating" is for: the slope at D(fake) = -20 is -1, where log(1 - s) has 2e-9."""
    logit = torch.tensor([-20.0], requires_grad=True)
    generator_loss(logit).backward()
    assert float(logit.grad) == pytest.approx(-1, abs=1e-6)


def test_r1_of_a_linear_discriminator_is_its_squared_norm():
    """D(x) = w.x has slope w everywhere; the penalty's own gradient is 2w."""
    weight = torch.tensor([3.0, -4.0], requires_grad=True)
    penalty = r1_penalty(lambda clips: clips @ weight, torch.randn(5, 2))
    assert penalty.item() == pytest.approx(25)
    penalty.backward()
    torch.testing.assert_close(weight.grad, torch.tensor([6.0, -8.0]))


def test_r1_of_a_quadratic_discriminator():
    """D(x) = |x|^2 / 2 has slope x."""
    clips = torch.randn(4, 3, 2)
    penalty = r1_penalty(lambda x: x.square().flatten(1).sum(1) / 2, clips)
    assert penalty.item() == pytest.approx(float(clips.square().sum() / 4), rel=1e-5)


def test_lecam_is_the_formula():
    """papers.md §1.2: mean relu(D(real) - ema_fake)^2 + mean relu(ema_real - D(fake))^2."""
    lecam = LeCam(decay=0.9)
    with pytest.raises(RuntimeError, match="penalty must come after update"):
        lecam.penalty(torch.zeros(1), torch.zeros(1))
    lecam.update(1.0, -1.0)
    lecam.update(2.0, -2.0)
    assert (lecam.real, lecam.fake) == pytest.approx((1.1, -1.1))
    penalty = lecam.penalty(torch.tensor([0.9, -2.0]), torch.tensor([-0.9, 3.0]))
    assert float(penalty) == pytest.approx((0.9 + 1.1) ** 2 / 2 + (1.1 + 0.9) ** 2 / 2, rel=1e-6)


def test_blur_pool_weighs_one_two_one():
    x = torch.zeros(1, 1, 1, 5, 1)
    x[0, 0, 0, 2] = 1
    assert BlurPool3d()(x).flatten().tolist() == [0, 0.5, 0]
    x = torch.arange(6.0).view(1, 1, 6, 1, 1)
    assert BlurPool3d()(x).flatten().tolist() == [0.25, 2, 4]


@pytest.mark.parametrize(("shape", "halved"), [((17, 8, 6), (9, 4, 3)), ((1, 5, 5), (1, 3, 3)), ((2, 1, 1), (1, 1, 1))])
def test_blur_pool_keeps_constants_and_halves_what_is_there(shape: tuple, halved: tuple):
    out = BlurPool3d()(torch.full((2, 3, *shape), 0.7))
    assert out.shape == (2, 3, *halved)
    torch.testing.assert_close(out, torch.full_like(out, 0.7))


def test_blur_pool_shifts_gently():
    """What the blur is for: a one-pixel stripe does not vanish when it moves by one."""
    stripe = torch.zeros(1, 1, 1, 1, 8)
    sums = [float(BlurPool3d()(stripe.roll(shift, -1) + torch.eye(8)[2 + shift]).sum()) for shift in (0, 1)]
    assert sums == [0.5, 0.5]


@pytest.mark.parametrize("frames", [1, 5, 9, 17])
def test_one_logit_per_clip_of_any_length(frames: int):
    torch.manual_seed(0)
    model = VideoDiscriminator(20, base_channels=4, multipliers=(2, 4, 4))
    assert model(torch.randn(2, 3, frames, 20, 20)).shape == (2,)
    assert [block.conv2.out_channels for block in model.blocks] == [8, 16, 16]


def test_another_size_is_named():
    with pytest.raises(ValueError, match="pixels must be 16x16, got 16x8"):
        VideoDiscriminator(16, base_channels=2, multipliers=(1,))(torch.zeros(1, 3, 1, 16, 8))


class Linear(nn.Module):
    """D(x) = w * mean(x)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.weight * pixels.flatten(1).mean(1)


@pytest.fixture
def accelerator() -> Accelerator:
    return Accelerator(cpu=True)


def test_the_generator_is_taught_and_the_discriminator_left_alone(accelerator: Accelerator):
    adversary = Adversary(Linear(), accelerator, r1_weight=0)
    fake = torch.zeros(2, 3, 1, 2, 2, requires_grad=True)
    loss = adversary.challenge(torch.ones(2, 3, 1, 2, 2), fake)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2)) and fake.grad.lt(0).all()
    weight = adversary.discriminator.weight
    assert weight.grad is None and weight.requires_grad


def test_a_step_of_the_discriminator_is_adam_on_its_loss(accelerator: Accelerator):
    """Adam's first step moves by lr towards a lower loss; with R1 the loss gains weight/2 * slope^2."""
    adversary = Adversary(Linear(), accelerator, lr=0.1, r1_weight=4.0)
    adversary.challenge(torch.ones(2, 3, 1, 2, 2), -torch.ones(2, 3, 1, 2, 2))
    figures = adversary.step(0.5)
    cost = math.log(1 + math.exp(-0.5))
    assert figures["d_loss"] == pytest.approx(2 * cost, rel=1e-5)
    assert (figures["d_real"], figures["d_fake"]) == pytest.approx((0.5, -0.5))
    assert figures["d_r1"] == pytest.approx(12 * (0.5 / 12) ** 2, rel=1e-5)
    assert float(adversary.discriminator.weight.detach()) == pytest.approx(0.5 + 0.1 * 0.5, rel=1e-4)


def test_micro_batches_are_one_step(accelerator: Accelerator):
    clips = torch.randn(4, 3, 1, 2, 2), torch.randn(4, 3, 1, 2, 2)
    weights = []
    for pieces in (1, 2):
        adversary = Adversary(Linear(), accelerator, lr=0.1, betas=(0.0, 0.0))
        adversary.optimizer = torch.optim.SGD(adversary.discriminator.parameters(), lr=0.1)
        for real, fake in zip(*(part.chunk(pieces) for part in clips), strict=True):
            adversary.challenge(real, fake)
        adversary.step(1.0)
        weights.append(float(adversary.discriminator.weight.detach()))
    assert weights[0] == pytest.approx(weights[1], rel=1e-5)


def test_start_and_lazy_r1_count_optimiser_steps(accelerator: Accelerator):
    adversary = Adversary(Linear(), accelerator, start=2, r1_weight=2.0, r1_every=3, lecam_weight=0.1)
    seen = []
    for _ in range(7):
        if adversary.active:
            adversary.challenge(torch.ones(1, 3, 1, 2, 2), torch.zeros(1, 3, 1, 2, 2))
        figures = adversary.step(1.0)
        seen.append(("d_loss" in figures, "d_r1" in figures, "d_lecam" in figures))
    on = (True, False, True)
    assert seen == [(False,) * 3] * 2 + [on, (True, True, True), on, on, (True, True, True)]


def test_an_adversary_comes_back_as_it_was(accelerator: Accelerator):
    torch.manual_seed(0)
    made = [Adversary(Linear(), accelerator, lr=0.1, lecam_weight=0.5) for _ in range(2)]
    clips = torch.ones(2, 3, 1, 2, 2), torch.zeros(2, 3, 1, 2, 2)
    for _ in range(3):
        made[0].challenge(*clips)
        made[0].step(1.0)
    made[1].load(copy.deepcopy(made[0].tensors()), made[0].state())
    for adversary in made:
        adversary.challenge(*clips)
        adversary.step(1.0)
    assert torch.equal(made[0].discriminator.weight, made[1].discriminator.weight)
    assert made[0].state() == made[1].state() and made[1].steps == 4


def test_a_skipped_step_leaves_no_trace_but_its_count(accelerator: Accelerator):
    """Pairs gathered for a step that the generator does not take are not learnt from later."""
    clean, skipping = (Adversary(Linear(), accelerator, lr=0.1, lecam_weight=0.1) for _ in range(2))
    ones = torch.ones(2, 3, 1, 2, 2)
    skipping.challenge(math.nan * ones, ones)
    skipping.skip()
    assert skipping.steps == 1 and skipping.discriminator.weight.grad is None
    assert not skipping.optimizer.state and skipping.lecam.real is None
    clean.step(1.0)  # an inactive step counts as well
    for adversary in (clean, skipping):
        adversary.challenge(ones, -ones)
        adversary.step(1.0)
    assert torch.equal(clean.discriminator.weight, skipping.discriminator.weight)
    assert clean.state() == skipping.state()


def test_a_gradient_that_is_not_finite_is_dropped(accelerator: Accelerator):
    """A NaN that only the discriminator sees would otherwise stay in its weights and moments for good."""
    adversary = Adversary(Linear(), accelerator, lr=0.1, lecam_weight=0.1)
    ones = torch.ones(2, 3, 1, 2, 2)
    adversary.challenge(ones, -ones)
    adversary.step(1.0)
    before = copy.deepcopy((adversary.tensors(), adversary.state()))
    adversary.challenge(math.nan * ones, -ones)
    figures = adversary.step(1.0)
    after = (adversary.tensors(), adversary.state())
    assert figures["d_skipped"] == 1 and all(math.isfinite(value) for value in figures.values())
    for stem, named in before[0].items():
        assert all(torch.equal(value, after[0][stem][name]) for name, value in named.items())
    assert after[1]["lecam"] == before[1]["lecam"] and after[1]["steps"] == 2


def test_micro_batches_do_not_hasten_lecam(accelerator: Accelerator):
    """The running means move once a step, by the mean over all of its logits."""
    clips = torch.randn(4, 3, 1, 2, 2), torch.randn(4, 3, 1, 2, 2)
    made = []
    for pieces in (1, 2):
        made.append(Adversary(Linear(), accelerator, r1_weight=0, lecam_weight=0.5, lecam_decay=0.9))
        made[-1].optimizer = torch.optim.SGD(made[-1].discriminator.parameters(), lr=0.1)
        for _ in range(3):
            for real, fake in zip(*(part.chunk(pieces) for part in clips), strict=True):
                made[-1].challenge(real, fake)
            made[-1].step(1.0)
    one, other = made
    assert (one.lecam.real, one.lecam.fake) == pytest.approx((other.lecam.real, other.lecam.fake), rel=1e-5)
    torch.testing.assert_close(one.discriminator.weight, other.discriminator.weight, rtol=1e-5, atol=0)
