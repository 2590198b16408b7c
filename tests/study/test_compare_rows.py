# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The ledger: append-only, found again by config hash, never a score without its evidence."""

import json

import numpy as np
import pytest

from hf_vdrep.study.compare.rows import Ledger, ResultRow, config_hash


def make_row(key: str = "aa", value: float = 0.5) -> ResultRow:
    return ResultRow(
        study="compare",
        task="depth",
        dataset="probeworld-x",
        split="test",
        backbone="v-walt",
        revision="f00",
        layer=5,
        timestep=200,
        reading=None,
        readout="depth, 300 steps on 2016 clips",
        learning_rate=3e-3,
        seed=1,
        metric="abs_rel",
        value=value,
        n=2,
        config_hash=key,
        wall_time=1.5,
        per_sample={"abs_rel": np.array([0.4, 0.6, np.nan])},
    )


def test_a_row_comes_back_with_its_per_sample_values(tmp_path):
    Ledger(tmp_path).append(make_row())
    found = Ledger(tmp_path).find("aa")
    assert found == make_row()
    np.testing.assert_array_equal(found.per_sample["abs_rel"], [0.4, 0.6, np.nan])


def test_rows_hold_the_columns_of_the_design(tmp_path):
    """architecture.md, Result row."""
    Ledger(tmp_path).append(make_row())
    record = json.loads((tmp_path / "results.jsonl").read_text())
    wanted = "study task dataset split backbone revision layer timestep reading readout seed metric value n config_hash"
    assert {*wanted.split(), "versions", "wall_time", "flops", "learning_rate"} == set(record)
    assert {"torch", "diffusers", "hf_vdrep", "python"} <= set(record["versions"])


def test_the_file_only_grows(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(make_row("aa"))
    before = ledger.path.read_bytes()
    ledger.append(make_row("bb"))
    assert ledger.path.read_bytes().startswith(before)


def test_a_torn_last_line_costs_one_row_and_no_later_one(tmp_path):
    ledger = Ledger(tmp_path)
    for key in ("aa", "bb"):
        ledger.append(make_row(key))
    ledger.path.write_bytes(ledger.path.read_bytes()[:-40])
    ledger = Ledger(tmp_path)
    assert "aa" in ledger and "bb" not in ledger
    ledger.append(make_row("cc"))
    assert len(Ledger(tmp_path)) == 2 and "cc" in Ledger(tmp_path)


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_row_whose_values_are_gone_is_measured_again(tmp_path, damage):
    Ledger(tmp_path).append(make_row())
    path = tmp_path / "per-sample" / "aa.safetensors"
    path.unlink() if damage == "missing" else path.write_bytes(path.read_bytes()[:20])
    assert Ledger(tmp_path).find("aa") is None


def test_the_hash_changes_with_every_part_and_not_with_their_order():
    parts = {"task": "depth", "fit": {"steps": 300, "rates": (1e-3,)}}
    assert config_hash(parts) == config_hash(dict(reversed(parts.items())))
    assert config_hash(parts) != config_hash({**parts, "fit": {"steps": 301, "rates": (1e-3,)}})
