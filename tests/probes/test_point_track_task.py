# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the point task does with labels that are not as one would wish."""

import numpy as np
import torch

from hf_vdrep.metrics.tracking import tracking_scores
from hf_vdrep.probes import FitConfig, ProbeData, fit_readout, get_task, predict

OPTIONS = {"width": 16, "num_heads": 2, "match_width": 8}
CONFIG = FitConfig(steps=2, batch_size=8, learning_rates=(1e-3,))


def clips(tracks: torch.Tensor, visible: torch.Tensor) -> ProbeData:
    torch.manual_seed(0)
    spans = torch.arange(5)[:, None] + torch.tensor([0, 1])
    return ProbeData(torch.randn(len(tracks), 5, 4, 4, 8), {"tracks": tracks, "visible": visible}, spans, 5)


def scores(columns: dict) -> np.ndarray:
    names = ("predictions", "predicted_visible", "references", "visible", "query_frames")
    return tracking_scores(*[columns[name] for name in names])["average_jaccard"]


def test_clips_whose_points_are_all_hidden_teach_nothing_and_have_no_score():
    data = clips(torch.rand(8, 6, 5, 2), torch.zeros(8, 6, 5, dtype=torch.bool))
    fit = fit_readout(get_task("point_tracks"), data, data, config=CONFIG, options=OPTIONS)
    assert fit.best.train_loss == 0
    columns = predict(get_task("point_tracks"), fit.best.readout, data)
    assert np.isfinite(columns["predictions"]).all()
    assert np.isnan(scores(columns)).all()


def test_points_outside_the_frame_or_unknown_leave_training_finite():
    """A point that is hidden in frame 0 may be anywhere, or nowhere."""
    tracks, visible = torch.rand(8, 6, 5, 2), torch.ones(8, 6, 5, dtype=torch.bool)
    tracks[:, 0], visible[:, 0] = float("nan"), False
    tracks[:, 1, 2:], visible[:, 1, 2:] = 7.0, False
    tracks[:, 2], visible[:, 2] = -40.0, False
    data = clips(tracks, visible)
    fit = fit_readout(get_task("point_tracks"), data, data, config=CONFIG, options=OPTIONS)
    assert all(torch.isfinite(parameter).all() for parameter in fit.best.readout.parameters())
    columns = predict(get_task("point_tracks"), fit.best.readout, data)
    assert columns["query_frames"][0].tolist() == [5, 0, 5, 0, 0, 0]
    assert np.isfinite(columns["predictions"]).all()
    assert np.isfinite(scores({**columns, "references": np.nan_to_num(columns["references"])})).all()
