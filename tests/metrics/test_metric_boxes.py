# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest

from hf_vdrep.metrics.boxes import box_track_scores, intersection_over_union, mean_box_scores


@pytest.fixture
def clip():
    """Two clips of three objects over six frames, all present; corners on a grid of 1/64, so that areas are exact."""
    rng = np.random.default_rng(0)
    low = rng.integers(0, 30, size=(2, 3, 6, 2)) / 64
    boxes = np.concatenate([low, low + rng.integers(4, 20, size=low.shape) / 64], axis=-1)
    return boxes, np.ones((2, 3, 6), bool)


def test_iou_against_counted_pixels():
    """Boxes on whole pixels: the quotient of two counts."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        low = rng.integers(0, 6, size=(2, 2))
        first, second = np.concatenate([low, low + rng.integers(1, 6, size=(2, 2))], axis=1)
        masks = np.zeros((2, 12, 12), bool)
        for mask, (x1, y1, x2, y2) in zip(masks, (first, second), strict=True):
            mask[y1:y2, x1:x2] = True
        expected = (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()
        np.testing.assert_allclose(intersection_over_union(first, second), expected)


def test_iou_of_a_box_moved_by_half_its_width_is_a_third():
    first = np.array([0.0, 0.0, 2.0, 1.0])
    np.testing.assert_allclose(intersection_over_union(first, np.array([1.0, 0.0, 3.0, 1.0])), 1 / 3)


def test_the_order_of_the_axes_has_no_part(clip):
    boxes, _ = clip
    moved = boxes + 0.03
    swapped = [b[..., [1, 0, 3, 2]] for b in (moved, boxes)]
    np.testing.assert_allclose(intersection_over_union(*swapped), intersection_over_union(moved, boxes))


def test_empty_and_inside_out_predictions_overlap_nothing():
    truth = np.array([0.2, 0.2, 0.6, 0.6])
    for wrong in ([0.4, 0.4, 0.4, 0.4], [0.6, 0.6, 0.2, 0.2], [0.2, 0.6, 0.6, 0.2], [0.3, 0.3, 0.5, 0.3]):
        assert intersection_over_union(np.array(wrong), truth) == 0
    assert np.isnan(intersection_over_union(np.zeros(4), np.ones(4)))


def test_perfect_boxes_score_one(clip):
    boxes, present = clip
    scores = box_track_scores(boxes, boxes, present)
    np.testing.assert_array_equal(scores["mean_iou"], 1.0)
    assert np.isnan(scores["iou_after_occlusion"]).all()  # nothing was ever away


def test_the_frame_of_the_query_and_those_before_never_count(clip):
    """papers.md section 10: first frame excluded; trap: the given box scored as if it were predicted."""
    boxes, present = clip
    wrong = boxes.copy()
    wrong[:, :, :3] = 0
    late = np.full((2, 3), 2)
    np.testing.assert_array_equal(box_track_scores(wrong, boxes, present, late)["mean_iou"], 1.0)
    given = np.zeros_like(boxes)
    given[:, :, 0] = boxes[:, :, 0]
    np.testing.assert_array_equal(box_track_scores(given, boxes, present)["mean_iou"], 0.0)


def test_absent_objects_do_not_count_whatever_their_boxes_hold(clip):
    boxes, present = clip
    wrong, truth = boxes.copy(), boxes.copy()
    present[:, 0, 2:4] = False
    wrong[:, 0, 2:4] = 7.0
    truth[:, 0, 2:4] = np.nan
    np.testing.assert_array_equal(box_track_scores(wrong, truth, present)["mean_iou"], 1.0)


def test_padded_objects_are_out(clip):
    """Trap: padding. Absent slots and queries past the end change nothing."""
    boxes, present = clip
    predicted = boxes + 0.02
    alone = box_track_scores(predicted, boxes, present)
    slots = np.zeros((2, 2, 6, 4))
    padded = [np.concatenate([b, slots], axis=1) for b in (predicted, boxes)]
    absent = np.concatenate([present, np.zeros((2, 2, 6), bool)], axis=1)
    np.testing.assert_allclose(box_track_scores(*padded, absent)["mean_iou"], alone["mean_iou"])
    queries = np.concatenate([np.zeros((2, 3), int), np.full((2, 2), 6)], axis=1)
    everywhere = np.ones((2, 5, 6), bool)
    np.testing.assert_allclose(box_track_scores(*padded, everywhere, queries)["mean_iou"], alone["mean_iou"])


def test_after_occlusion_counts_from_the_return_to_the_end(clip):
    """Object 1 is away in frames 2 and 3; its later boxes are half right, all others wrong."""
    boxes, present = clip
    present[:, 1, 2:4] = False
    predicted = np.zeros_like(boxes)
    predicted[:, 1, 4] = boxes[:, 1, 4]
    scores = box_track_scores(predicted, boxes, present)
    np.testing.assert_allclose(scores["iou_after_occlusion"], 1 / 2)
    np.testing.assert_allclose(scores["mean_iou"], 1 / (3 * 5 - 2))


def test_an_absence_before_the_query_is_no_occlusion(clip):
    boxes, present = clip
    present[:, :, 0] = False
    scores = box_track_scores(boxes, boxes, present, np.ones((2, 3), int))
    assert np.isnan(scores["iou_after_occlusion"]).all()
    np.testing.assert_array_equal(scores["mean_iou"], 1.0)


def test_the_three_ways_to_average():
    """Clip 1: object a is right in 5 of 5 frames, b wrong in its only one. Clip 2: one object, wrong in 2 frames."""
    truth = np.broadcast_to(np.array([0.0, 0.0, 1.0, 1.0]), (2, 2, 6, 4))
    predicted = np.zeros((2, 2, 6, 4))
    predicted[0, 0] = truth[0, 0]
    present = np.zeros((2, 2, 6), bool)
    present[0, 0] = True
    present[0, 1, 3] = present[1, 0, 1] = present[1, 0, 2] = True
    for aggregation, expected in (("clip", (5 / 6 + 0) / 2), ("track", (1 / 2 + 0) / 2), ("pooled", 5 / 8)):
        found = mean_box_scores(predicted, truth, present, aggregation=aggregation)
        assert found["mean_iou"] == pytest.approx(expected)


def test_other_clips_of_the_batch_change_nothing(clip):
    boxes, present = clip
    present[1, :, 3:] = False
    together = box_track_scores(boxes + 0.02, boxes, present)
    for index in range(2):
        one = slice(index, index + 1)
        alone = box_track_scores(boxes[one] + 0.02, boxes[one], present[one])
        np.testing.assert_array_equal(together["mean_iou"][one], alone["mean_iou"])


def test_zero_area_labels_do_not_count_and_a_clip_without_any_other_has_no_value(clip):
    boxes, present = clip
    flat = boxes.copy()
    flat[0, 0, :, 2] = flat[0, 0, :, 0]
    flat[1, ..., 3] = flat[1, ..., 1]
    scores = box_track_scores(boxes, flat, present)
    np.testing.assert_array_equal(scores["mean_iou"], [1.0, np.nan])
    assert mean_box_scores(boxes, flat, present)["mean_iou"] == 1.0


def test_nothing_present_gives_no_value_and_no_warning(clip, recwarn):
    boxes, present = clip
    for aggregation in ("clip", "track", "pooled"):
        found = mean_box_scores(boxes, boxes, np.zeros_like(present), aggregation=aggregation)
        assert np.isnan(found["mean_iou"])
    assert not recwarn.list


def test_boxes_outside_the_image_are_compared_where_they_lie(clip):
    boxes, present = clip
    np.testing.assert_allclose(box_track_scores(boxes + 5, boxes + 5, present)["mean_iou"], 1.0)
    np.testing.assert_array_equal(box_track_scores(boxes + 5, boxes, present)["mean_iou"], 0.0)


def test_bad_boxes_are_named(clip):
    boxes, present = clip
    broken = boxes.copy()
    broken[0, 0, 1, 0] = np.nan
    with pytest.raises(ValueError, match="predicted boxes must be finite"):
        box_track_scores(broken, boxes, present)
    with pytest.raises(ValueError, match="target boxes must be finite"):
        box_track_scores(boxes, broken, present)
    with pytest.raises(ValueError, match=r"present \(B, K, T\) expected"):
        box_track_scores(boxes, boxes, present[:, :, 1:])
    with pytest.raises(ValueError, match=r"query_frames must be \(B, K\)"):
        box_track_scores(boxes, boxes, present, np.zeros(3, int))
    with pytest.raises(ValueError, match="query_frames must be at least 0, got -1"):
        box_track_scores(boxes, boxes, present, np.full((2, 3), -1))
    with pytest.raises(ValueError, match="aggregation must be one of"):
        box_track_scores(boxes, boxes, present, aggregation="video")
