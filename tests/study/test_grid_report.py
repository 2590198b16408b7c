# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tables, figures and words from rows alone."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from hf_vdrep.metrics.bootstrap import paired_bootstrap
from hf_vdrep.study.grid.catalog import shipped_studies
from hf_vdrep.study.grid.config import StudyConfig
from hf_vdrep.study.grid.report import contrasts, correlation, document, tables, words, writing
from hf_vdrep.study.grid.report.points import Summary, summarise
from hf_vdrep.study.grid.rows import StudyRow, read_rows, write_shard
from hf_vdrep.study.paper_gains import paper_gain

NOISE = StudyConfig(name="noise", title="Noise level", axis="timestep", tasks=["action_motion"])
ROOT = Path(__file__).resolve().parents[2]


def make_row(twin: str, timestep: int | None, values, **changes) -> StudyRow:
    values = np.asarray(values, dtype=float)
    row = StudyRow(
        study="noise",
        kind="probe",
        task="action_motion",
        dataset="probeworld-x",
        split="test",
        backbone=twin,
        twin=twin,
        revision="f00",
        metric="top_1",
        value=float(values.mean()),
        n=len(values),
        config_hash=f"{twin}-{timestep}-{sorted(changes.items())}",
        layer=5,
        num_layers=8,
        timestep=timestep,
        site="block",
        frame_order="forward",
        seed=0,
        per_sample=values,
    )
    return dataclasses.replace(row, **changes)


def hits(share: float, seed: int = 0, count: int = 400) -> np.ndarray:
    return (np.random.default_rng(seed).random(count) < share).astype(float)


@pytest.fixture(scope="module")
def rows() -> list[StudyRow]:
    """V-WALT far ahead at level 0, both at chance at 700; pixels know no level."""
    return [
        make_row("i-walt", 0, hits(0.3, 1)),
        make_row("v-walt", 0, hits(0.6, 2)),
        make_row("i-walt", 700, hits(0.06, 3)),
        make_row("v-walt", 700, hits(0.06, 4)),
        make_row("pixels", None, hits(0.2, 5), layer=None, num_layers=None),
    ]


def test_intervals_are_those_of_the_paired_bootstrap(rows):
    summary = summarise(rows, resamples=500)["noise"]
    expected = paired_bootstrap(rows[0].per_sample, rows[1].per_sample, resamples=500)
    (gain,) = [gain for gain in summary.gains if gain.settings["timestep"] == 0]
    assert (gain.value, gain.low, gain.high) == dataclasses.astuple(expected.gain)
    assert gain.winner == "v-walt" and gain.paper == paper_gain("action_motion").gain == 42
    (point,) = summary.select(twin="i-walt", timestep=0)
    assert (point.low, point.high) == (expected.baseline.low, expected.baseline.high)


def test_seeds_of_one_setting_become_one_point_and_widen_its_interval(rows):
    other = make_row("i-walt", 0, hits(0.5, 9), seed=1)
    alone, both = (summarise(found)["noise"].select(twin="i-walt", timestep=0) for found in (rows, [*rows, other]))
    assert len(both) == 1 and both[0].seeds == 2
    assert both[0].value == pytest.approx((rows[0].value + other.value) / 2)
    assert both[0].high - both[0].low > alone[0].high - alone[0].low


def test_of_two_readings_validation_chooses_and_not_the_test(rows):
    lucky = make_row("i-walt", 0, hits(0.9, 9), reading="stride", validation=0.2)
    chosen = dataclasses.replace(rows[0], reading="stack", validation=0.3)
    (gain,) = summarise([lucky, chosen, rows[1]])["noise"].gains
    assert gain.value == pytest.approx(100 * (rows[1].value / chosen.value - 1))


def test_errors_are_gained_upon_by_being_smaller():
    errors = [make_row(twin, 0, np.full(8, v), task="depth", metric="abs_rel", higher_is_better=False)
              for twin, v in (("i-walt", 0.4), ("v-walt", 0.3))]  # fmt: skip
    (gain,) = summarise(errors)["noise"].gains
    assert gain.value == pytest.approx(25.0) and gain.form == "100·(1 − V/I)" and gain.winner == "v-walt"


def test_the_same_readout_measured_twice_is_not_averaged(rows):
    """Rows of earlier weights or settings in one folder would pass for another seed."""
    again = make_row("i-walt", 0, hits(0.5, 9), steps=7, revision="f01")
    with pytest.raises(ValueError, match=r"two of i-walt on action_motion .* weights f01, 7 steps"):
        summarise([*rows, again])


def test_clips_of_other_worlds_are_not_paired(rows):
    elsewhere = [rows[0], dataclasses.replace(rows[1], dataset="probeworld-y")]
    assert not summarise(elsewhere, resamples=50)["noise"].gains


def test_what_is_best_is_best_on_validation_and_others_are_set_apart_pair_by_pair():
    """The test clips choose nothing; differences of the same clips count, not whether two intervals overlap."""
    base = hits(0.5, 1)
    nearly = base.copy()
    nearly[np.flatnonzero(base)[:20]] = 0.0  # 5 points lower, on the same clips: sure, though the intervals overlap
    rows = [
        make_row("v-walt", 0, hits(0.52, 2), validation=0.3),
        make_row("v-walt", 100, base, validation=0.6),
        make_row("v-walt", 700, nearly, validation=0.5),
    ]
    summary = summarise(rows)["noise"]
    first, second, third = summary.select(twin="v-walt")
    assert contrasts.kept([first, second, third]) is second
    assert third.high > second.low and contrasts.set_apart(summary, second, third)
    assert contrasts.alike(summary, second, [first, second, third]) == [first]
    interval = contrasts.difference(summary, second, third)
    assert interval.estimate == pytest.approx(-0.05) and interval.high < 0
    (line,) = [line for line in words.sentences(NOISE, summary) if "best noise level" in line]
    assert "V-WALT at 100" in line and "1 of 2 others not set apart" in line


def test_orders_of_frames_are_told_as_changes_of_the_same_clips():
    rows = [
        make_row(twin, 0, hits(share, seed), frame_order=order)
        for twin in ("i-walt", "v-walt")
        for order, share, seed in (("forward", 0.6, 1), ("frozen", 0.1, 2))
    ]
    said = words.sentences(StudyConfig(name="noise", axis="frame_order"), summarise(rows, resamples=200)["noise"])
    assert said[0].startswith("Of 1 comparison of the twins on clips in order")
    assert "changed by: frozen −" in said[1] and "labels stay those" in said[-1]


def test_a_report_says_what_is_missing_and_leaves_out_earlier_settings(rows, tmp_path):
    write_shard(tmp_path, [*rows, make_row("i-walt", 0, hits(0.9, 9), steps=7)], "one")
    hashes = [row.config_hash for row in rows]
    (tmp_path / "cells.json").write_text(json.dumps({"noise": [*hashes, "not-yet"]}))
    report = writing.write_report(tmp_path, tmp_path / "report", resamples=50).parent
    told = json.loads((report / "summary.json").read_text())["studies"]["noise"]
    assert told["sentences"][:2] == [
        "Not finished: 5 of 6 scores are measured.",
        "1 scores of earlier settings or weights are left out.",
    ]
    assert max(point["value"] for point in told["points"] if point["twin"] == "i-walt") < 0.5
    assert "Not measured here." in (report / "report.html").read_text()
    published = writing.publish(tmp_path, report, tmp_path / "committed")
    again = writing.write_report(published / "rows.parquet", tmp_path / "again", resamples=50).parent
    assert (again / "summary.json").read_bytes() == (report / "summary.json").read_bytes()


def test_a_table_has_a_row_per_level_the_paper_beside_and_the_winner_in_bold(rows):
    table = tables.table_of(NOISE, summarise(rows)["noise"])
    assert table.head == ("task", "metric", "noise level", "pixels", "I-WALT", "V-WALT", "gain of V-WALT", "paper")
    assert [row[2] for row in table.body] == ["0", "700"] and {row[-1] for row in table.body} == {"+42 %"}
    assert table.body[0][3] == table.body[1][3] != "–"  # a floor without levels stands at all
    assert table.bold == {(0, 5)}
    assert table.markdown().count("**") == 2 and 'class="best"' in table.html()
    assert len(table.csv().splitlines()) == 3


def test_words_say_who_wins_where_it_is_best_and_that_noise_hurts(rows):
    said = words.sentences(NOISE, summarise(rows)["noise"])
    assert said[0] == ("Of 2 comparisons of the twins, V-WALT is better in 1, I-WALT in 0; 1 are undecided.")
    assert "V-WALT at 0" in said[1] and "I-WALT at 0" in said[1]
    assert said[-1] == "The highest noise level is set apart below the best one in 2 of 2 curves."


def test_words_name_a_contradiction_of_the_paper(rows):
    swapped = [dataclasses.replace(rows[0], twin="v-walt"), dataclasses.replace(rows[1], twin="i-walt")]
    main = [dataclasses.replace(row, study="main", kind="compare") for row in swapped]
    said = words.sentences(StudyConfig(name="main", kind="compare", axis="backbone"), summarise(main)["main"])
    assert any(line.startswith("Contradicts the paper: on motion actions I-WALT is better") for line in said)


def test_words_name_a_floor_that_beats_both_twins(rows):
    """A gain between twins that both fall behind raw pixels is told as such."""
    main = [row for row in rows if row.timestep in (0, None)]
    main = [dataclasses.replace(row, study="main", kind="compare") for row in main]
    config = StudyConfig(name="main", kind="compare", axis="backbone")
    assert not any("a floor is better" in line for line in words.sentences(config, summarise(main)["main"]))
    main[-1] = dataclasses.replace(main[-1], per_sample=hits(0.9, 5), value=0.9)
    said = words.sentences(config, summarise(main)["main"])
    assert said[-1] == "On 1 of 1 tasks a floor is better than both twins: motion actions (pixels 90.0)."


def test_the_budget_says_what_is_there_early_and_whether_it_declines():
    shares = {0.05: 0.2, 0.2: 0.5, 1.0: 0.4}
    rows = [make_row("v-walt", 0, np.repeat([1.0, 0.0], [round(400 * v), 400 - round(400 * v)]), fraction=f)
            for f, v in shares.items()]  # fmt: skip
    config = StudyConfig(name="training-budget", axis="fraction")
    (line,) = words.sentences(config, summarise(rows)["noise"])
    ratio = paired_bootstrap(rows[2].per_sample, rows[1].per_sample, resamples=2000).gain
    early = (
        f"Motion actions, V-WALT: 125 % [{100 + ratio.low:.0f}, {100 + ratio.high:.0f}] of the final quality at 20 %"
    )
    assert line == f"{early} of the training; best at 20 %, set apart from the end."


def test_rank_correlation_is_spearman_s_and_counts_better_as_better():
    from scipy.stats import spearmanr

    values, losses = [0.1, 0.4, 0.3, 0.7, 0.7], [0.9, 0.5, 0.6, 0.2, 0.1]
    assert correlation.spearman(np.array(values), np.array(losses)) == pytest.approx(spearmanr(values, losses)[0])
    probes = [make_row("v-walt", 0, np.full(8, v), fraction=f) for f, v in enumerate(values, 1)]
    quality = [
        make_row("v-walt", None, np.full(8, v), fraction=f, task="generation", metric="v_loss", higher_is_better=False)
        for f, v in enumerate(losses, 1)
    ]
    (found,) = correlation.correlations(summarise(quality)["noise"], summarise(probes)["noise"], resamples=300)
    assert found.value == pytest.approx(-spearmanr(values, losses)[0]) and found.checkpoints == 5
    assert found.low <= found.value <= found.high
    (said,) = correlation.sentences([found])
    assert said.startswith(
        "Over 5 checkpoints of one training, the rank correlation of probe score and quality by denoising loss"
    )


def test_the_report_is_drawn_from_the_parquet_file_alone_and_twice_the_same(rows, tmp_path):
    write_shard(tmp_path / "study", rows, "one")
    first = writing.write_report(tmp_path / "study", tmp_path / "first", resamples=200)
    alone = tmp_path / "alone" / "some.parquet"
    alone.parent.mkdir()
    alone.write_bytes((tmp_path / "study" / "rows.parquet").read_bytes())
    second = writing.write_report(alone, tmp_path / "second", resamples=200)
    assert first.read_text() == second.read_text()
    for name in ("noise.md", "noise.csv", "noise.png", "summary.json"):
        assert (first.parent / name).read_bytes() == (second.parent / name).read_bytes()
    page = first.read_text()
    assert "<svg" in page and not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert json.loads((first.parent / "summary.json").read_text())["studies"]["noise"]["gains"][0]["winner"] == "v-walt"


@pytest.mark.parametrize(
    "changes",
    [
        {"axis": "layer"},
        {"axis": "fraction"},
        {"axis": "site"},
        {"axis": "backbone"},
        {"axis": "parameters"},
        {"axis": "heat"},
        {"axis": "v_loss", "kind": "quality"},
        {"axis": "backbone", "kind": "compare"},
    ],
)
def test_every_axis_has_a_figure(changes):
    from hf_vdrep.study.grid.report import figures

    kind = changes.get("kind", "probe")
    rows = [
        make_row(twin, 100 * place, hits(0.2 + 0.1 * place), layer=place, fraction=0.5 + place / 2, kind=kind,
                 site=["block", "mlp"][place], parameters=10_000 * (place + 1))
        for twin in ("i-walt", "v-walt")
        for place in range(2)
    ]  # fmt: skip
    figure = figures.draw(StudyConfig(name="noise", **changes), summarise(rows, resamples=200)["noise"])
    assert figure is not None and any(ax.has_data() for ax in figure.axes)


def test_documents_are_filled_and_say_so_where_nothing_was_measured(rows, tmp_path):
    write_shard(tmp_path, rows, "one")
    report = writing.write_report(tmp_path, tmp_path / "report", resamples=200).parent
    text = "".join(f"<!-- begin: study-{n} -->\nold\n<!-- end: study-{n} -->\n" for n in ("noise", "layers"))
    filled = document.fill(text, report)
    assert "old" not in filled and "Not measured yet." in filled and "| motion actions |" in filled
    assert document.fill(filled, report) == filled


def test_published_rows_are_whole_and_not_too_large(rows, tmp_path, monkeypatch):
    write_shard(tmp_path, rows, "one")
    page = writing.write_report(tmp_path, tmp_path / "report", resamples=200)
    target = writing.publish(tmp_path, page.parent, tmp_path / "published")
    assert len(read_rows(target)) == len(rows) and (target / "summary.json").exists()
    again = writing.write_report(target, tmp_path / "again", resamples=200)
    assert again.read_text() == page.read_text()
    monkeypatch.setattr(writing, "_LARGEST", 100)
    with pytest.raises(ValueError, match="rows must be at most 100 bytes"):
        writing.publish(tmp_path, page.parent, target)


def test_the_blocks_of_the_docs_are_those_of_the_committed_report():
    """Numbers in docs/study.md come from model_cards/walt-tiny/study by command."""
    text = (ROOT / "docs" / "study.md").read_text(encoding="utf-8")
    assert sorted(re.findall("<!-- begin: study-(.+) -->", text)) == sorted(shipped_studies())
    assert document.fill(text, ROOT / "model_cards" / "walt-tiny" / "study") == text


def test_the_committed_report_is_that_of_the_committed_rows():
    """Scores and gains, to six digits; their intervals take as many resamples as a report does."""
    folder = ROOT / "model_cards" / "walt-tiny" / "study"
    committed = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["studies"]
    found = summarise(read_rows(folder / "rows.parquet"), resamples=2)
    assert set(found) == set(committed)
    for name, summary in found.items():
        for kind in ("points", "gains"):
            told = [(entry["task"], entry["metric"], entry["value"]) for entry in committed[name][kind]]
            assert told == [(e.task, e.metric, float(f"{e.value:.6g}")) for e in getattr(summary, kind)]


def test_the_paper_s_gains_span_what_its_abstract_says():
    """From Image to Video, abstract: V-WALT wins everywhere, by 0.6 % to 68 %."""
    from hf_vdrep.study.compare.config import TASK_NAMES

    gains = [paper_gain(task) for task in TASK_NAMES]
    assert min(found.gain for found in gains) == 0.6 and max(found.gain for found in gains) == 68
    assert {found.task for found in gains if found.is_error} == {"depth", "camera_pose"}
    assert paper_gain("generation") is None


def test_a_summary_is_json(rows):
    text = json.dumps(summarise(rows)["noise"].to_json(), allow_nan=False)
    assert Summary.__name__ and json.loads(text)["points"][0]["twin"] == "i-walt"
