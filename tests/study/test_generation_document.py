# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Generation quality in the card: what stands there is what was measured."""

import json
from pathlib import Path

import pytest

from hf_vdrep.study.generation.document import TABLE_NAME, quality_table

CARDS = Path(__file__).resolve().parents[2] / "model_cards"


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.5, "high": value + 0.5}


def measured(model: str, kind: str, network: str = "probeworld", **changes) -> dict:
    names = ("frechet_distance", "kernel_distance", "precision", "recall")
    row = {"model": model, "kind": kind, "network": network, "real": "probeworld", "num": 32, "num_real": 32,
           "seed": 0, "steps": 4, "floor": {name: interval(0.25) for name in names}}  # fmt: skip
    return {**row, **{name: interval(2.0 + place) for place, name in enumerate(names)}, **changes}


def write(folder: Path, name: str, *rows: dict, **more) -> None:
    (folder / f"{name}.json").write_text(json.dumps({"distances": list(rows), **more}))


def test_every_measurement_has_a_row_with_its_floor(tmp_path):
    write(tmp_path, "one", measured("v-walt", "video"), measured("v-walt", "video", "pixels"))
    write(tmp_path, "two", measured("i-walt", "image"))
    text = quality_table(tmp_path)
    assert "32 samples of each model, 4 denoising steps, seed 0, against 32 test clips" in text
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("|")]
    assert [row[:3] for row in rows[2:]] == [
        ["| I-WALT", "images", "probeworld"],
        ["| V-WALT", "videos", "probeworld"],
        ["| V-WALT", "videos", "pixels"],
    ]
    assert rows[2][3] == "2.00 [1.50, 2.50] (0.250)"


def test_other_numbers_of_samples_do_not_share_a_table(tmp_path):
    write(tmp_path, "one", measured("v-walt", "video"))
    write(tmp_path, "two", measured("i-walt", "image", num=64))
    with pytest.raises(ValueError, match="must share num"):
        quality_table(tmp_path)


def test_consistency_stands_in_a_table_of_its_own_and_its_distances_do_not(tmp_path):
    write(tmp_path, "one", measured("v-walt", "video"))
    sides = {"generated": interval(0.6), "real": interval(0.9), "difference": interval(-0.3)}
    write(tmp_path, "two", measured("v-walt", "video", num=64), consistency={"depth_jitter": sides})
    text = quality_table(tmp_path)
    assert "in 64 clips of V-WALT" in text and text.count("| V-WALT |") == 1
    assert "| jitter of depth | 0.600 [0.100, 1.10] | 0.900 [0.400, 1.40] | −0.300 [−0.800, 0.200] |" in text


def test_a_folder_without_measurements_and_a_file_of_another_kind_are_named(tmp_path):
    with pytest.raises(ValueError, match="got none in"):
        quality_table(tmp_path)
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(ValueError, match=r"got x\.json"):
        quality_table(tmp_path)


def test_the_card_s_table_is_that_of_the_committed_measurements():
    text = quality_table(CARDS / "walt-tiny" / "quality")
    assert (CARDS / "walt-tiny" / "quality" / TABLE_NAME).read_text(encoding="utf-8") == text
    assert text.rstrip() in (CARDS / "walt-tiny.md").read_text(encoding="utf-8")
    assert all(name in text for name in ("| I-WALT | images |", "| V-WALT | images |", "| V-WALT | videos |"))
