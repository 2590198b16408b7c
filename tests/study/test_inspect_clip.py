# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Principal components and feature change, against numpy and against cases that are known by construction."""

import numpy as np
import pytest
import torch

from hf_vdrep.backbones import FeatureMap, PixelBackbone, causal_frame_spans
from hf_vdrep.backbones.base import Backbone
from hf_vdrep.data import Clip
from hf_vdrep.study.inspect_clip import feature_change, frame_steps, inspect_clip
from hf_vdrep.study.inspect_dense import Tap
from hf_vdrep.study.inspect_examples import EXAMPLES, make_example
from hf_vdrep.study.pca import PrincipalComponents, match_signs, to_colours


class Rows(Backbone):
    """Features that are known: the frame's mean colour on a 2 x 2 grid, plus noise that follows the seed."""

    uses_timestep = True
    num_layers = 4

    def __init__(self, ratio=4, noise=0.0, bad=False):
        self.name, self.ratio, self.noise, self.bad = f"rows-{ratio}", ratio, noise, bad

    @property
    def fingerprint(self):
        return self.name

    def prepare(self, videos):
        return videos.float(), causal_frame_spans(videos.shape[1], self.ratio)

    def extract(self, inputs, *, sample_ids, layers, timesteps, seed=0):
        videos, spans = inputs
        (layer,) = self.resolve_layers(layers)
        means = videos[:, spans[:, 1] - 1].mean((2, 3))[:, :, None, None, :].expand(-1, -1, 2, 2, -1)
        noise = torch.randn(means.shape, generator=torch.Generator().manual_seed(seed))
        values = means + self.noise * noise + torch.linspace(0, 1, 12).reshape(2, 2, 3)
        return [FeatureMap(values / (0.0 if self.bad else 1.0), layer, timesteps[0], spans, 8)]


def clip(count=17, side=16):
    ramp = torch.arange(count, dtype=torch.float).mul(5).to(torch.uint8)
    frames = ramp[:, None, None, None].expand(count, side, side, 3).contiguous()
    return Clip(frames, tuple(i / 8 for i in range(count)), 8.0, (side, side))


def test_components_agree_with_numpys_singular_vectors():
    values = torch.randn(5, 6, 7, 10, generator=torch.Generator().manual_seed(0)) * torch.linspace(0.2, 3, 10)
    basis = PrincipalComponents.fit(values, components=3)
    flat = values.reshape(-1, 10).double().numpy()
    centred = flat - flat.mean(0)
    _, singular, rows = np.linalg.svd(centred, full_matrices=False)
    shares = singular**2 / (singular**2).sum()
    np.testing.assert_allclose(basis.explained, shares[:3], rtol=1e-9)
    expected = np.abs(centred @ rows[:3].T)
    np.testing.assert_allclose(basis.transform(values).abs().reshape(-1, 3).numpy(), expected, atol=1e-9)


def test_sign_of_a_component_is_fixed():
    values = torch.randn(40, 8, generator=torch.Generator().manual_seed(1))
    one, other = PrincipalComponents.fit(values), PrincipalComponents.fit(-values)
    torch.testing.assert_close(one.axes, other.axes)
    assert (one.axes.gather(0, one.axes.abs().argmax(0, keepdim=True)) > 0).all()


def test_fewer_channels_or_places_than_components_still_give_colours():
    for values in (torch.randn(4, 2), torch.randn(1, 6), torch.zeros(5, 5), torch.full((2, 3), 7.0)):
        colours = to_colours(PrincipalComponents.fit(values).transform(values))
        assert colours.shape == (len(values), 3)
        assert torch.isfinite(colours).all()
    assert (to_colours(torch.zeros(9, 3)) == 0.5).all()


def test_not_finite_features_are_refused():
    with pytest.raises(ValueError, match="finite"):
        PrincipalComponents.fit(torch.tensor([[1.0, float("nan")], [0.0, 1.0]]))
    with pytest.raises(ValueError, match="rows-4 at block 3 hold NaN"):
        inspect_clip(clip(), [Rows(bad=True)], Tap(layer=2), title="x")


def test_an_outlier_does_not_wash_out_the_colours():
    scores = torch.linspace(0, 1, 1000)[:, None].repeat(1, 3)
    scores[-1] = 1e6
    assert to_colours(scores)[500].sub(0.5).abs().max() < 0.02


def test_signs_follow_the_reference_and_nothing_else_changes():
    reference = torch.randn(50, 3, generator=torch.Generator().manual_seed(2))
    flipped = reference * torch.tensor([1.0, -1.0, -1.0]) * 4 + 3
    matched = match_signs(flipped, reference)
    torch.testing.assert_close(matched.abs(), flipped.abs())
    assert all(np.corrcoef(matched[:, k], reference[:, k])[0, 1] > 0.99 for k in range(3))


def test_change_of_independent_places_is_one_and_of_a_still_clip_zero():
    """Two independent draws lie sqrt(2) standard deviations apart: the unit of the scale."""
    random = torch.randn(9, 30, 30, 64, generator=torch.Generator().manual_seed(3)) * 7 + 5
    change = feature_change(random, torch.arange(9), lag=1)
    assert change[0].isnan().all()
    assert abs(float(change[1:].mean()) - 1) < 0.02
    assert feature_change(random, torch.zeros(9, dtype=torch.int64), lag=1)[1:].max() == 0


def test_change_does_not_depend_on_scale_and_origin_of_the_features():
    values = torch.randn(5, 4, 4, 6, generator=torch.Generator().manual_seed(4))
    one, other = (feature_change(scaled, torch.arange(5), 2) for scaled in (values, values * 100 + 40))
    torch.testing.assert_close(one[1:], other[1:], rtol=1e-4, atol=0)


def test_change_is_measured_over_the_lag_for_fine_and_coarse_steps_alike():
    """Features that are a straight line in time move equally far over 4 frames, however often they are sampled."""
    inspection = inspect_clip(clip(), [Rows(ratio=4), Rows(ratio=1)], Tap(), title="x")
    coarse, fine = inspection.views
    assert (inspection.lag, inspection.columns) == (4, (0, 4, 8, 12, 16))
    steps = [view.change[frame].mean() for view in (coarse, fine) for frame in inspection.columns[1:]]
    spread = torch.stack(steps[:4]).std() / torch.stack(steps[:4]).mean()
    assert spread < 1e-5 and (torch.stack(steps[4:]).std() / torch.stack(steps[4:]).mean()) < 1e-5


def test_frames_find_the_step_that_covers_them():
    """WALT §4.1: step 0 covers frame 0, step k the four frames up to 4k."""
    assert frame_steps(causal_frame_spans(9, 4), 9).tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert frame_steps(causal_frame_spans(5, 1), 5).tolist() == [0, 1, 2, 3, 4]


def test_draws_average_the_noise_away():
    one, many = (inspect_clip(clip(), [Rows(noise=30.0)], Tap(draws=count), title="x").views[0] for count in (1, 64))
    clean = inspect_clip(clip(), [Rows()], Tap(), title="x").views[0]
    assert (many.change - clean.change)[1:].abs().mean() < 0.5 * (one.change - clean.change)[1:].abs().mean()
    with pytest.raises(ValueError, match="draws must be at least 1, got 0"):
        Tap(draws=0)


def test_settings_reach_the_view_and_a_backbone_without_noise_gets_none():
    inspection = inspect_clip(clip(), [Rows(), PixelBackbone()], Tap(0.99, 321, seed=5), title="x")
    assert [(v.layer, v.timestep) for v in inspection.views] == [(3, 321), (0, None)]
    assert inspection.views[1].colours.shape == (17, 2, 2, 3)
    with pytest.raises(ValueError, match="layer"):
        inspect_clip(clip(), [Rows()], Tap(layer=9), title="x")


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_reproducible_clips(name):
    one, two = (make_example(name, num_frames=5, resolution=32) for _ in range(2))
    assert torch.equal(one.frames, two.frames)
    assert one.frames.shape == (1 if name == "photo" else 5, 32, 32, 3)
    assert name == "photo" or (one.frames[0] != one.frames[4]).any()


def test_brick_wall_is_uniform_and_moves_faster_where_it_is_nearer():
    """A wall at a slant: every part looks alike; the near side (left) runs over more pixels a frame than the far."""
    frames = make_example("brick-wall", num_frames=2, fps=16, resolution=192).frames.float().mean(-1)
    quarters = [float(part.mean()) for part in frames[0].chunk(4, dim=1)]
    assert max(quarters) - min(quarters) < 12

    def shift(columns):
        errors = []
        for pixels in range(12):
            ahead = frames[0][40:150, columns.start + pixels : columns.stop + pixels]
            errors.append(float((ahead - frames[1][40:150, columns]).square().mean()))
        return int(np.argmin(errors))

    assert shift(slice(10, 50)) > shift(slice(120, 160)) > 0
    with pytest.raises(ValueError, match="example must be one of"):
        make_example("none")
