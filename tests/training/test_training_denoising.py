# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""v-prediction against the formulae of Salimans & Ho (2202.00512), written out here."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from hf_vdrep.models import clean_from_velocity, make_scheduler
from hf_vdrep.training.denoising import DenoisingObjective


def signal_levels() -> np.ndarray:
    """g(t): linear betas, then s' = (s - s_T) s_1 / (s_1 - s_T) with s = sqrt(g) (Lin et al. §3.1)."""
    s = np.sqrt(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))
    return ((s - s[-1]) * s[0] / (s[0] - s[-1])) ** 2


class Recorder(nn.Module):
    """Answers with a fixed velocity and keeps what it was asked."""

    def __init__(self, answer: float = 0.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(answer))
        self.calls: list[dict] = []

    def forward(self, hidden_states, timestep, class_labels=None, self_condition=None):
        self.calls.append({"x": hidden_states.detach(), "t": timestep, "self": self_condition, "label": class_labels})
        return type("Output", (), {"sample": self.scale.expand_as(hidden_states)})


def batch(kind="video", size=4, frames=5, chosen=False, seed=0):
    rng = torch.Generator().manual_seed(seed)
    shape = (size, 3, frames if kind == "video" else 1, 2, 2)
    return {
        kind: torch.randn(shape, generator=rng),
        f"{kind}_noise": torch.randn(shape, generator=rng),
        f"{kind}_timestep": torch.tensor([0, 200, 500, 999][:size]),
        f"{kind}_self": torch.full((size,), chosen),
    }


def test_last_timestep_is_pure_noise():
    """WALT §5.2: zero terminal SNR; and the table of papers: g(200) = .654, g(500) = .075."""
    levels = make_scheduler().alphas_cumprod.double().numpy()
    np.testing.assert_allclose(levels, signal_levels(), atol=2e-6)
    assert levels[-1] == 0
    np.testing.assert_allclose(levels[[200, 500]], [0.654, 0.075], atol=1e-3)


def test_loss_is_the_squared_distance_to_salimans_ho_velocity():
    """x_t = sqrt(g) x0 + sqrt(1-g) e and v = sqrt(g) e - sqrt(1-g) x0."""
    data, model = batch(), Recorder(0.3)
    loss, figures = DenoisingObjective(model, make_scheduler())(data)
    g = torch.from_numpy(signal_levels()[data["video_timestep"].numpy()]).float().view(-1, 1, 1, 1, 1)
    clean, noise = data["video"], data["video_noise"]
    torch.testing.assert_close(model.calls[0]["x"], g.sqrt() * clean + (1 - g).sqrt() * noise, rtol=1e-4, atol=1e-5)
    velocity = g.sqrt() * noise - (1 - g).sqrt() * clean
    torch.testing.assert_close(loss, (0.3 - velocity).square().mean(), rtol=1e-4, atol=1e-5)
    assert torch.equal(figures["loss_video"], loss.detach())


def test_true_velocity_gives_the_clean_latents_back():
    data, scheduler = batch(), make_scheduler()
    args = (data["video"], data["video_noise"], data["video_timestep"])
    noisy, velocity = scheduler.add_noise(*args), scheduler.get_velocity(*args)
    estimate = clean_from_velocity(noisy, velocity, data["video_timestep"], scheduler.alphas_cumprod)
    torch.testing.assert_close(estimate, data["video"], rtol=1e-4, atol=1e-5)


def test_self_conditioning_feeds_the_first_estimate_and_no_gradient():
    """WALT §4.3: z0 = f(z_t; 0) without gradient, then the loss on f(z_t; z0)."""
    data, model = batch(chosen=True), Recorder(0.3)
    data["video_self"][1] = False
    DenoisingObjective(model, make_scheduler())(data)
    first, second = model.calls
    assert first["self"] is None and len(first["x"]) == 3
    assert not second["self"].requires_grad
    g = torch.from_numpy(signal_levels()[data["video_timestep"].numpy()]).float().view(-1, 1, 1, 1, 1)
    expected = g.sqrt() * second["x"] - (1 - g).sqrt() * 0.3
    expected[1] = 0
    torch.testing.assert_close(second["self"], expected, rtol=1e-4, atol=1e-5)


def test_no_self_conditioning_is_a_single_pass():
    model = Recorder()
    DenoisingObjective(model, make_scheduler())(batch(chosen=False))
    assert len(model.calls) == 1 and model.calls[0]["self"] is None


def test_a_model_without_self_conditioning_is_not_asked_for_an_estimate():
    """The first pass would cost a third of the step for nothing."""
    model = Recorder()
    model.config = SimpleNamespace(self_condition=False)
    DenoisingObjective(model, make_scheduler())(batch(chosen=True))
    assert len(model.calls) == 1 and model.calls[0]["self"] is None


def test_videos_and_images_count_by_their_tokens():
    """One clip of 5 latent frames weighs as much as 5 images."""
    video, images = batch("video", 1), batch("image", 4, seed=1)
    objective = DenoisingObjective(Recorder(0.1), make_scheduler())
    both = objective({**video, **images})[0]
    expected = (5 * objective(video)[0] + 4 * objective(images)[0]) / 9
    torch.testing.assert_close(both, expected)


def test_hidden_labels_become_the_null_class_in_both_passes():
    """Classifier-free guidance: the null class is label `num_classes`, for the first estimate too (WALT §4.3)."""
    model = Recorder()
    model.config = type("Config", (), {"num_classes": 7})
    hidden = torch.tensor([True, False, False, True])
    data = {**batch(chosen=True), "video_label": torch.arange(4), "video_hidden": hidden}
    DenoisingObjective(model, make_scheduler())(data)
    assert [call["label"].tolist() for call in model.calls] == [[7, 1, 2, 7]] * 2
