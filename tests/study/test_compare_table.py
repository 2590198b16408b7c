# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The table in plain text."""

import dataclasses
import json

from hf_vdrep.study.compare.comparison import to_json
from hf_vdrep.study.compare.table import format_table

EXPECTED = """\
task            metric     pixels   I-WALT   V-WALT   end to end      gain   95 % interval  paper
─────────────────────────────────────────────────────────────────────────────────────────────────
motion actions  top-1 % ↑    12.3     44.0     58.0*        93.0   +31.8 %  [+27.8, +35.8]  +42 %
depth           AbsRel ↓        –    0.145    0.140            –    +3.4 %    [−0.6, +7.4]  +16 %
─────────────────────────────────────────────────────────────────────────────────────────────────
Of 2 tasks, V-WALT is better on 1, I-WALT on 0; 1 undecided.
* the paired 95 % interval of the gain, over test clips and readout seeds, excludes 0.
gain: 100·(V/I − 1) for scores; 100·(1 − V/I) for depth (as 100·(I/V − 1): +3.6 % [−0.6, +8.0])
paper: gain on the real benchmark of the task (Vélez et al. 2025, arXiv 2502.07001)"""


def test_figures_stand_in_columns_and_the_winner_is_starred(made_up):
    assert format_table(made_up) == EXPECTED


def test_both_forms_of_an_error_gain_are_told(made_up):
    text = format_table(made_up)
    assert "100·(1 − V/I)" in text and "100·(I/V − 1)" in text


def test_no_gain_is_claimed_where_none_can_be_computed(made_up):
    tasks = tuple(dataclasses.replace(task, gain=None, other_gain=None) for task in made_up.tasks)
    text = format_table(dataclasses.replace(made_up, tasks=tasks))
    assert "gain: " not in text and "better on" not in text and "*" not in text
    assert "no gain can be told as a part of 0" in text
    alone = tuple(dataclasses.replace(task, systems=task.systems[:1]) for task in tasks)
    assert "One twin alone took part" in format_table(dataclasses.replace(made_up, tasks=alone))


def test_the_json_names_the_winner_and_reads_back(made_up):
    found = json.loads(to_json(made_up))
    assert [task["winner"] for task in found["tasks"]] == ["v-walt", None]
    assert found["tasks"][0]["paper"] == {
        "task": "action_motion",
        "benchmark": "Something-Something v2",
        "gain": 42.0,
        "is_error": False,
    }
    assert found["tasks"][1]["other_gain"]["form"] == "100·(I/V − 1)"
    assert found["tasks"][0]["systems"][1]["score"] == {"value": 0.44, "low": 0.42, "high": 0.46}
