# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest

from hf_vdrep.metrics.tracking import evaluated_pairs, tracking_scores

PIXEL = 1 / 256


@pytest.fixture
def clip():
    """Two clips of 5 points over 16 frames, all visible, queries in frame 0."""
    rng = np.random.default_rng(0)
    tracks = rng.integers(50, 200, size=(2, 5, 16, 2)) / 256  # on whole pixels, so that "exactly 4 px" is exact
    return tracks, np.ones((2, 5, 16), bool), np.zeros((2, 5), int)


def test_perfect_tracks_score_one(clip):
    """papers.md section 10, oracle 1."""
    tracks, visible, query = clip
    scores = tracking_scores(tracks, visible, tracks, visible, query)
    for name in ("average_jaccard", "delta_avg", "occlusion_accuracy"):
        np.testing.assert_array_equal(scores[name], 1.0)


@pytest.mark.parametrize(("pixels", "expected"), [(3.0, 0.6), (4.0, 0.4)])
def test_a_constant_offset_passes_the_thresholds_above_it_strictly(clip, pixels, expected):
    """papers.md section 10, oracles 2 and 3: 3 px passes d in {4, 8, 16}; exactly 4 px passes {8, 16} only."""
    tracks, visible, query = clip
    scores = tracking_scores(tracks + np.array([pixels * PIXEL, 0]), visible, tracks, visible, query)
    np.testing.assert_allclose(scores["average_jaccard"], expected)
    np.testing.assert_allclose(scores["delta_avg"], expected)


def test_an_offset_counts_by_its_length_not_by_its_axes(clip):
    """Distance is Euclidean: (3, 3) px is 4.24 px, outside 4."""
    tracks, visible, query = clip
    scores = tracking_scores(tracks + 3 * PIXEL, visible, tracks, visible, query)
    np.testing.assert_allclose(scores["average_jaccard"], 0.4)


def test_all_said_hidden_scores_no_jaccard_but_full_delta(clip):
    """papers.md section 10, oracle 4."""
    tracks, visible, query = clip
    scores = tracking_scores(tracks, ~visible, tracks, visible, query)
    np.testing.assert_array_equal(scores["average_jaccard"], 0.0)
    np.testing.assert_array_equal(scores["delta_avg"], 1.0)
    np.testing.assert_array_equal(scores["occlusion_accuracy"], 0.0)


def test_hidden_half_said_visible_costs_eight_fifteenths(clip):
    """papers.md section 10, oracle 5: frames 1..7 of 15 are right."""
    tracks, visible, query = clip
    truth = visible.copy()
    truth[:, :, 8:] = False
    scores = tracking_scores(tracks, visible, tracks, truth, query)
    np.testing.assert_allclose(scores["average_jaccard"], 7 / 15)
    np.testing.assert_allclose(scores["occlusion_accuracy"], 7 / 15)


def test_frames_before_the_query_never_count(clip):
    """The older copy in the Perception Test evaluator counts them as false positives."""
    tracks, visible, _ = clip
    query = np.full((2, 5), 6)
    truth, said = visible.copy(), visible.copy()
    truth[:, :, :6] = False
    wrong = tracks.copy()
    wrong[:, :, :6] += 0.5
    scores = tracking_scores(wrong, said, tracks, truth, query)
    np.testing.assert_array_equal(scores["average_jaccard"], 1.0)
    np.testing.assert_array_equal(scores["occlusion_accuracy"], 1.0)


def test_strided_mode_counts_all_frames_but_the_query():
    """TAP-Vid section 3: queried strided evaluates both directions in time."""
    first = evaluated_pairs(np.array([[2]]), 5, "first")
    strided = evaluated_pairs(np.array([[2]]), 5, "strided")
    np.testing.assert_array_equal(first[0, 0], [False, False, False, True, True])
    np.testing.assert_array_equal(strided[0, 0], [True, True, False, True, True])


def test_strided_mode_sees_errors_before_the_query(clip):
    tracks, visible, _ = clip
    query = np.full((2, 5), 8)
    wrong = tracks.copy()
    wrong[:, :, :8] += 0.5
    assert (tracking_scores(wrong, visible, tracks, visible, query)["average_jaccard"] == 1).all()
    strided = tracking_scores(wrong, visible, tracks, visible, query, query_mode="strided")
    # 7 of 15 frames right, 8 wrong: each wrong one is a miss and a false alarm.
    np.testing.assert_allclose(strided["average_jaccard"], 7 / (15 + 8))


def test_other_clips_of_the_batch_change_nothing():
    """Trap: occlusion accuracy divided by the batch's points instead of the clip's."""
    rng = np.random.default_rng(1)
    tracks = rng.random((6, 4, 9, 2))
    predicted = tracks + rng.normal(size=tracks.shape) * 0.02
    visible, said = rng.random((2, 6, 4, 9)) < 0.6
    query = rng.integers(0, 5, size=(6, 4))
    together = tracking_scores(predicted, said, tracks, visible, query)
    for index in range(6):
        one = slice(index, index + 1)
        alone = tracking_scores(predicted[one], said[one], tracks[one], visible[one], query[one])
        for name, values in together.items():
            np.testing.assert_array_equal(values[one], alone[name])


def test_jaccard_against_sets_written_out(clip):
    """The definition on sets of (track, frame) pairs, in plain Python."""
    rng = np.random.default_rng(2)
    tracks = rng.random((1, 3, 6, 2))
    predicted = tracks + rng.normal(size=tracks.shape) * 6 * PIXEL
    visible, said = rng.random((2, 1, 3, 6)) < 0.7
    pairs = [(n, t) for n in range(3) for t in range(1, 6)]
    jaccards = []
    for d in (1, 2, 4, 8, 16):
        near = {p for p in pairs if np.linalg.norm((predicted[0][p] - tracks[0][p]) * 256) < d}
        seen, claimed = {p for p in pairs if visible[0][p]}, {p for p in pairs if said[0][p]}
        hits = seen & claimed & near
        misses, alarms = seen - hits, claimed - hits
        jaccards.append(len(hits) / (len(hits) + len(misses) + len(alarms)))
    scores = tracking_scores(predicted, said, tracks, visible, np.zeros((1, 3), int))
    np.testing.assert_allclose(scores["average_jaccard"], np.mean(jaccards))


def test_a_query_past_the_end_takes_a_track_out(clip):
    tracks, visible, query = clip
    wrong = tracks.copy()
    wrong[:, 0] += 0.5
    query[:, 0] = 16
    assert (tracking_scores(wrong, visible, tracks, visible, query)["average_jaccard"] == 1).all()


def test_wrong_shapes_and_modes_are_named(clip):
    tracks, visible, query = clip
    with pytest.raises(ValueError, match="query_frames"):
        tracking_scores(tracks, visible, tracks, visible, query[:, :2])
    with pytest.raises(ValueError, match="query_mode"):
        tracking_scores(tracks, visible, tracks, visible, query, query_mode="last")


def test_points_that_are_never_visible_have_no_positions_to_score(clip):
    """Nothing said: no Jaccard at all. Anything said visible: a false alarm, 0. Occlusion is judged in both."""
    tracks, visible, query = clip
    hidden = np.zeros_like(visible)
    silent = tracking_scores(tracks, hidden, tracks, hidden, query)
    assert np.isnan(silent["average_jaccard"]).all() and np.isnan(silent["delta_avg"]).all()
    np.testing.assert_array_equal(silent["occlusion_accuracy"], 1.0)
    loud = tracking_scores(tracks, visible, tracks, hidden, query)
    np.testing.assert_array_equal(loud["average_jaccard"], 0.0)
    assert np.isnan(loud["delta_avg"]).all()


def test_hidden_labels_may_hold_anything(clip):
    tracks, visible, query = clip
    truth = tracks.copy()
    visible[:, :, 5:9] = False
    truth[:, :, 5:9] = np.nan
    scores = tracking_scores(tracks, visible, truth, visible, query)
    np.testing.assert_array_equal(scores["average_jaccard"], 1.0)


def test_tracks_outside_the_image_are_compared_where_they_lie(clip):
    """Clipping either to the frame would move errors."""
    tracks, visible, query = clip
    far = tracks + 2
    assert (tracking_scores(far, visible, far, visible, query)["average_jaccard"] == 1).all()
    assert (tracking_scores(far + 3 * PIXEL, visible, far, visible, query)["average_jaccard"] == 0.4).all()
    assert (tracking_scores(np.clip(far, 0, 1), visible, far, visible, query)["average_jaccard"] == 0).all()


def test_padded_tracks_and_frames_change_nothing(clip):
    """Trap: padding. Tracks with a query past the end, whatever they hold."""
    tracks, visible, query = clip
    predicted = tracks + np.array([3 * PIXEL, 0])
    alone = tracking_scores(predicted, visible, tracks, visible, query)
    more = [np.concatenate([x, np.zeros_like(x)], axis=1) for x in (predicted, visible, tracks, visible)]
    padded = tracking_scores(*more, np.concatenate([query, np.full_like(query, 16)], axis=1))
    for name, values in alone.items():
        np.testing.assert_array_equal(padded[name], values)


def test_bad_positions_and_queries_are_named(clip):
    tracks, visible, query = clip
    broken = tracks.copy()
    broken[0, 0, 3, 0] = np.nan
    with pytest.raises(ValueError, match="predicted must be finite where the point is visible"):
        tracking_scores(broken, visible, tracks, visible, query)
    with pytest.raises(ValueError, match="tracks must be finite where the point is visible"):
        tracking_scores(tracks, visible, broken, visible, query)
    with pytest.raises(ValueError, match="query_frames must be at least 0, got -1"):
        tracking_scores(tracks, visible, tracks, visible, query - 1)
