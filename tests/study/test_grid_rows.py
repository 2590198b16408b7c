# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Rows as parquet: nothing is lost, nothing is doubled."""

import dataclasses

import numpy as np
import pytest

from hf_vdrep.study.grid.rows import ROWS_NAME, StudyRow, compact, read_rows, write_shard


def make_row(**changes) -> StudyRow:
    row = StudyRow(
        study="noise",
        kind="probe",
        task="depth",
        dataset="probeworld-x",
        split="test",
        backbone="v-walt",
        twin="v-walt",
        revision="f00",
        metric="abs_rel",
        value=0.123456789,
        n=2,
        config_hash="aa",
        higher_is_better=False,
        layer=5,
        timestep=200,
        seed=0,
        per_sample=np.array([0.5, 0.25, np.nan]),
    )
    return dataclasses.replace(row, **changes)


def test_a_row_comes_back_whole_and_its_samples_in_half_precision(tmp_path):
    write_shard(tmp_path, [make_row(per_sample=np.array([0.1, 1e6, np.nan]))], "one")
    (found,) = read_rows(tmp_path)
    assert found == make_row() and found.value == 0.123456789
    np.testing.assert_array_equal(found.per_sample, [np.float16(0.1), 65504.0, np.nan])


def test_the_columns_are_those_of_the_design(tmp_path):
    """architecture.md, Result row; issue 7."""
    import pyarrow.parquet as pq

    write_shard(tmp_path, [make_row()], "one")
    compact(tmp_path)
    wanted = "study task dataset split backbone revision layer timestep site reading frame_order readout train_size"
    wanted += " seed learning_rate metric value n per_sample config_hash versions wall_time flops"
    assert set(wanted.split()) <= set(pq.read_table(tmp_path / ROWS_NAME).column_names)


def test_compaction_keeps_every_row_once_and_can_be_repeated(tmp_path):
    for key in ("aa", "bb"):
        write_shard(tmp_path, [make_row(config_hash=key)], key)
    compact(tmp_path)
    first = (tmp_path / ROWS_NAME).read_bytes()
    write_shard(tmp_path, [make_row(config_hash="bb")], "bb")  # as after a crash between writing and deleting
    assert {row.config_hash for row in compact(tmp_path)} == {"aa", "bb"}
    assert (tmp_path / ROWS_NAME).read_bytes() == first
    assert not list((tmp_path / "shards").iterdir())


def test_a_file_that_a_kill_left_half_written_is_not_seen(tmp_path):
    write_shard(tmp_path, [make_row()], "one")
    whole = next((tmp_path / "shards").glob("*.parquet"))
    whole.with_name(f".{whole.name}.123").write_bytes(whole.read_bytes()[:50])
    assert len(read_rows(tmp_path)) == 1


def test_an_older_file_without_a_column_still_reads_and_one_of_another_kind_does_not(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_shard(tmp_path, [make_row()], "one")
    compact(tmp_path)
    table = pq.read_table(tmp_path / ROWS_NAME)
    pq.write_table(table.drop_columns(["flops", "site"]), tmp_path / "older.parquet")
    assert read_rows(tmp_path / "older.parquet")[0].site is None
    pq.write_table(pa.table({"a": [1]}), tmp_path / "foreign.parquet")
    with pytest.raises(ValueError, match="columns of a study"):
        read_rows(tmp_path / "foreign.parquet")


def test_a_folder_without_rows_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"rows must be rows\.parquet or a folder of a study"):
        read_rows(tmp_path)
