# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep world calibrate`: floors as a table or as JSON."""

import dataclasses
import json
from typing import Any

_CLIPS = 96
_COLUMNS = ("chance", "middle", "some", "shuffled", "clip")
_HEADS = ("chance", "middle", "any one", "shuffled", "clip")


def calibrate(train: int, test: int, as_json: bool, progress: bool) -> int:
    """Measure, print."""
    from ..data.probeworld import ProbeWorld, ProbeWorldConfig
    from ..data.probeworld.calibrate import class_floors
    from ..data.probeworld.calibrate_space import space_floors, world_facts

    config = ProbeWorldConfig()
    rows = [dataclasses.asdict(row) for row in class_floors(train, test, config, progress)]
    clips = min(_CLIPS, test)
    samples = ProbeWorld("test", clips, config).batch(range(clips))
    result = {"classes": rows, "space": space_floors(samples), "world": world_facts(samples)}
    print(json.dumps(result, indent=2) if as_json else "\n".join(_table(result)))
    return 0


def _table(result: dict[str, Any]) -> list[str]:
    lines = ["Accuracy in %, ridge on raw pixels of 16 x 16; what exceeds chance by more than ± lies open there."]
    lines.append(f"{'task':<16}{'classes':>8}{'clips':>7}" + "".join(f"{head:>10}" for head in _HEADS) + f"{'±':>7}")
    for row in result["classes"]:
        scores = "".join(f"{100 * row[name]:>10.1f}" for name in _COLUMNS)
        lines.append(f"{row['task']:<16}{row['classes']:>8}{row['clips']:>7}{scores}{100 * row['half_width']:>7.1f}")
    lines += ["", "Constant answers, and what there is to see."]
    space, world = result["space"], result["world"]
    facts = {
        "depth: AbsRel of the median": space["depth"]["abs_rel"],
        "camera pose: degrees turned, median": space["camera_pose"]["rotation"],
        "camera pose: metres moved, median": space["camera_pose"]["translation"],
        "point tracks: within 1/64 standing still": space["point_tracks"]["still_within_1_64"],
        "point tracks: lost at some time": world["tracks_lost_at_some_time"],
        "box tracks: IoU standing still": space["box_tracks"]["still_iou"],
        "box tracks: unseen at some time": world["boxes_unseen_at_some_time"],
        "height of the main object, median": world["main_height_median"],
        "height of the main object, 10 %": world["main_height_tenth"],
        "solids per clip": world["solids_per_clip"],
        "least depth in metres": world["depth_least"],
        "largest depth in metres": world["depth_most"],
    }
    return lines + [f"{words:<44}{value:>7.3f}" for words, value in facts.items()]
