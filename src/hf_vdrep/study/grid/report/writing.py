# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The files of a report, and the part of them that is committed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from ....data import atomic_output
from ....training.config import load_config
from ..catalog import ORDER, shipped_studies
from ..config import StudyConfig
from ..pictures import FOLDER as PICTURES
from ..rows import ROWS_NAME, StudyRow, compact, read_rows
from ..run import CELLS_NAME, SKIPPED_NAME, TIMES_NAME
from . import correlation, figures, tables, words
from .page import Section, render_page
from .points import Summary, summarise

SUMMARY_NAME, PAGE_NAME = "summary.json", "report.html"
_LARGEST = 6_000_000  # bytes of rows that are committed


def write_report(rows: str | os.PathLike[str], folder: Path, *, resamples: int | None = None) -> Path:
    """Draw everything from the rows.

    Args:
        rows: folder of a study (its shards are gathered into one file) or a parquet file.
        folder: gets report.html, summary.json, and per analysis <name>.png, .svg, .md and .csv.
        resamples: of the bootstrap; None as of `summarise`.

    Returns:
        The page.

    Raises:
        ValueError: no rows there, or two of one readout.
    """
    place = Path(rows)
    found = compact(place) if place.is_dir() else read_rows(place)
    base = place if place.is_dir() else place.parent
    folder.mkdir(parents=True, exist_ok=True)
    notes = _notes(base)
    summaries = summarise([row for row in found if _belongs(row, notes["cells"])], resamples=resamples)
    sections = []
    for name in sorted(summaries, key=lambda n: (n != "main", ORDER.index(n) if n in ORDER else len(ORDER), n)):
        config = _config(base, name)
        sections.append(_section(config, summaries, folder, base, notes, [row for row in found if row.study == name]))
    whole = {section.name: _plain(section, summaries[section.name]) for section in sections}
    about = _rounded({"studies": whole, "rows": len(found)})
    _write(folder / SUMMARY_NAME, json.dumps(about, ensure_ascii=False, separators=(",", ":")) + "\n")
    _write(folder / PAGE_NAME, render_page(sections, {**_about(found), "unmeasured": _unmeasured(summaries)}))
    return folder / PAGE_NAME


def publish(rows: str | os.PathLike[str], report: Path, target: Path) -> Path:
    """Copy what is committed: rows, configs, summary, tables and figures. The page is made of them by `write_report`.

    Raises:
        ValueError: more rows than a repository should hold.
    """
    place = Path(rows)
    base = place if place.is_dir() else place.parent
    source = place / ROWS_NAME if place.is_dir() else place
    size = source.stat().st_size
    if size > _LARGEST:
        raise ValueError(f"rows must be at most {_LARGEST:,} bytes to be published, got {size:,} in {source}")
    target.mkdir(parents=True, exist_ok=True)
    wanted = [source, *(base / name for name in (SKIPPED_NAME, TIMES_NAME, CELLS_NAME))]
    wanted += [file for file in sorted(report.iterdir()) if file.suffix in (".json", ".md", ".png", ".csv")]
    for file in wanted:
        if file.exists():
            _copy(file, target / (ROWS_NAME if file == source else file.name))
    for folder in ("configs", PICTURES):
        for file in sorted((base / folder).glob("*.*")):
            _copy(file, target / folder / file.name)
    return target


def _section(
    config: StudyConfig,
    summaries: dict[str, Summary],
    folder: Path,
    base: Path,
    notes: dict[str, dict],
    rows: list[StudyRow],
) -> Section:
    """Words, table and figure of one analysis, written and kept for the page."""
    summary, name = summaries[config.name], config.name
    table = tables.table_of(config, summary)
    said = _coverage(name, rows, notes["cells"]) + words.sentences(config, summary)
    more = None
    if config.kind == "quality" and "training-budget" in summaries:
        found = correlation.correlations(summary, summaries["training-budget"])
        more = correlation.table_of(found) if found else None
        said += correlation.sentences(found)
    figure = figures.draw(config, summary)
    svg = ""
    if figure is not None:
        figures.save(figure, folder / f"{name}.png")
        svg = figures.to_svg(figure, name, f"{config.title}: the figures of the table below")
    _write(folder / f"{name}.md", table.markdown() + (f"\n{more.markdown()}" if more else ""))
    _write(folder / f"{name}.csv", table.csv())
    pictures = sorted((base / PICTURES).glob("*.png")) if config.kind == "pictures" else []
    return Section(
        name=name,
        config=config,
        sentences=tuple(said),
        table=table,
        correlations=more,
        svg=svg,
        pictures=tuple(pictures),
        skipped=tuple(notes["skipped"].get(name, ())),
        seconds=_seconds(config, notes["times"].get(name), rows),
    )


def _belongs(row: StudyRow, cells: dict[str, list[str]]) -> bool:
    """Whether a row is of the settings that its analysis was last run with."""
    return row.study not in cells or row.config_hash in cells[row.study]


def _coverage(name: str, rows: list[StudyRow], cells: dict[str, list[str]]) -> list[str]:
    """What of an analysis is not measured yet, and what of its rows is no longer part of it."""
    if name not in cells:
        return []
    there, wanted = {row.config_hash for row in rows}, set(cells[name])
    lines = []
    if wanted - there:
        lines.append(f"Not finished: {len(wanted & there):,} of {len(wanted):,} scores are measured.")
    if there - wanted:
        lines.append(f"{len(there - wanted):,} scores of earlier settings or weights are left out.")
    return lines


def _seconds(config: StudyConfig, noted: float | None, rows: list[StudyRow]) -> float | None:
    """Wall time of an analysis; None for a comparison that was only read: no run is shorter than its longest row."""
    if noted is None or (config.kind == "compare" and noted < max(row.wall_time for row in rows)):
        return None
    return noted


def _config(base: Path, name: str) -> StudyConfig:
    """As it was run, else as it ships, else what a table needs."""
    for path in (base / "configs" / f"{name}.yaml", shipped_studies().get(name)):
        if path is not None and path.is_file():
            return load_config(StudyConfig, path)
    return StudyConfig(name=name, title=name, axis="backbone")


def _notes(base: Path) -> dict[str, dict]:
    found = {}
    for key, name in (("skipped", SKIPPED_NAME), ("times", TIMES_NAME), ("cells", CELLS_NAME)):
        path = base / name
        found[key] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _unmeasured(summaries: dict[str, Summary]) -> str:
    """Titles of the shipped analyses that have no rows."""
    names = [name for name in shipped_studies() if name not in summaries]
    return ", ".join(load_config(StudyConfig, shipped_studies()[name]).title for name in names)


def _about(rows: list[StudyRow]) -> dict[str, str]:
    versions = json.loads(rows[0].versions)
    revisions = {row.backbone: row.revision[:12] for row in rows}
    return {
        "rows": f"{len(rows):,}",
        "dataset": ", ".join(sorted({row.dataset for row in rows if row.dataset.startswith("probeworld")})),
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
        "weights": ", ".join(f"{name} {revision}" for name, revision in sorted(revisions.items())),
    }


def _plain(section: Section, summary: Summary) -> dict:
    return {
        **summary.to_json(),
        "title": section.config.title,
        "kind": section.config.kind,
        "axis": section.config.axis,
        "question": section.config.question,
        "paper": section.config.paper,
        "sentences": list(section.sentences),
        "seconds": section.seconds,
        "skipped": list(section.skipped),
        "correlations": section.correlations.markdown() if section.correlations else None,
    }


def _rounded(value: Any) -> Any:
    """Six digits of every number: more than any interval bears."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _write(path: Path, text: str) -> None:
    with atomic_output(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_output(target) as temporary:
        shutil.copyfile(source, temporary)
