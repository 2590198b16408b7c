# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep study`: grids of backbones, tasks, layers and noise levels; their tables, figures and report."""

import argparse
import sys
from pathlib import Path
from typing import Any

from .arguments import check_folder, positive, whole

_DESCRIPTION = """\
Every analysis of "From Image to Video", and some beyond it, as a grid of small readouts on frozen features.

`study ls` lists the analyses that ship with the package. `study run` measures one, several or all of them into a folder
of rows; what is there already is not measured again, so a stopped or killed run goes on where it was. `study report`
draws tables, figures and a page from the rows alone.
"""

_EPILOG = """examples:
  hf-vdrep study ls
  hf-vdrep study run noise layers --output-dir runs/study
  hf-vdrep study run all --output-dir runs/study --compare runs/all
  torchrun --nproc-per-node 4 -m hf_vdrep.cli.main study run all --output-dir runs/study --workers 1
  hf-vdrep study report runs/study
  hf-vdrep study report runs/study --publish model_cards/walt-tiny/study
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands of `study`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    actions = parser.add_subparsers(title="actions", dest="action", metavar="ACTION", required=True)
    _configure_run(actions.add_parser("run", help="measure analyses"))
    _configure_report(actions.add_parser("report", help="draw tables, figures and a page from rows"))
    listing = actions.add_parser("ls", help="list the analyses that ship, or the rows of a folder")
    listing.add_argument("rows", nargs="?", type=Path, metavar="ROWS", help="folder or parquet file of rows")
    for action in actions.choices.values():
        # As well after the action as before it, where `main` has them.
        for flags in (("-q", "--quiet"), ("--debug",)):
            action.add_argument(*flags, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _configure_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("configs", nargs="+", metavar="CONFIG", help="all, names of shipped analyses, or YAML files")
    add("-o", "--output-dir", type=Path, default=Path("runs/study"), metavar="DIR", help="default: runs/study")
    add("--workers", type=whole, default=0, help="processes; rows do not depend on it (default: one per core)")
    add("--compare", type=Path, metavar="DIR", help="a finished `hf-vdrep compare`, taken for the analysis main")
    add("--minutes", type=positive, help="begin no analysis after so many minutes")
    add("--dry-run", action="store_true", help="say what would be measured, and how long it takes")
    add("--no-report", action="store_true", help="rows only")


def _configure_report(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("rows", type=Path, metavar="ROWS", help="folder of a study, or its rows.parquet")
    add("-o", "--output-dir", type=Path, metavar="DIR", help="default: ROWS/report")
    add("--publish", type=Path, metavar="DIR", help="also write rows, tables and figures there, to be committed")
    add("--docs", type=Path, metavar="FILE", help="fill the generated blocks of a document, such as docs/study.md")
    add("--resamples", type=positive, help="of the bootstrap (default: 2000; of main as many as compare takes)")


def run(args: argparse.Namespace) -> int:
    """Dispatch to the action."""
    actions: dict[str, Any] = {"run": _run, "report": _report, "ls": _list}
    return int(actions[args.action](args))


def _run(args: argparse.Namespace) -> int:
    from ..study.grid.catalog import ALL, load_studies

    configs = load_studies(args.configs)
    if args.compare is not None:
        # With its rows at hand, the main table costs nothing and comes first: others take its readings.
        configs = sorted(configs, key=lambda config: config.kind != "compare")
        if ALL not in args.configs and not any(config.kind == "compare" for config in configs):
            configs = [*load_studies(["main"]), *configs]
    check_folder(args.output_dir, "--output-dir")
    if args.dry_run:
        return _dry_run(configs)
    from ..study.grid.run import run_studies

    outcome = run_studies(
        configs,
        args.output_dir,
        workers=args.workers,
        quiet=args.quiet,
        compare=args.compare,
        minutes=args.minutes,
    )
    _print_outcome(outcome, args.quiet)
    from ..features.process_share import ProcessShare

    if args.no_report or ProcessShare.of(None, None).world_size > 1:
        return 0
    from ..study.grid.report import write_report

    print(write_report(args.output_dir, args.output_dir / "report"))
    return 0


def _dry_run(configs: list[Any]) -> int:
    from ..study.grid.cells import expand

    for config in configs:
        cells, skipped = expand(config) if config.kind == "probe" else ([], [])
        count = f"{len(cells):>4} cells" if cells else f"{config.kind:>10}"
        print(f"{config.name:<20} {count}  about {config.minutes:g} min on two cores")
        for entry in skipped:
            print(f"{'':<20} left out: {entry.backbone} ({entry.reason})")
    print(f"together about {sum(config.minutes for config in configs):g} min")
    return 0


def _print_outcome(outcome: Any, quiet: bool) -> None:
    for name, seconds in outcome.seconds.items():
        if not quiet:
            measured, found = outcome.measured.get(name, 0), outcome.found.get(name, 0)
            print(f"{name}: {measured} measured, {found} there, {seconds / 60:.1f} min", file=sys.stderr)
        for entry in outcome.skipped.get(name, []):
            print(f"{name}: left out {entry.backbone}: {entry.reason}", file=sys.stderr)


def _report(args: argparse.Namespace) -> int:
    from ..study.grid.report import fill_document, publish, write_report

    base = args.rows if args.rows.is_dir() else args.rows.parent
    page = write_report(args.rows, args.output_dir or base / "report", resamples=args.resamples)
    print(page)
    if args.publish is not None:
        print(publish(args.rows, page.parent, args.publish))
    if args.docs is not None:
        fill_document(args.docs, page.parent)
        print(args.docs)
    return 0


def _list(args: argparse.Namespace) -> int:
    if args.rows is None:
        from ..study.grid.catalog import load_study, shipped_studies

        for name in shipped_studies():
            config = load_study(name)
            print(f"{name:<20} {config.title}; about {config.minutes:g} min")
        return 0
    from ..study.grid.rows import read_rows

    rows = read_rows(args.rows)
    for study in dict.fromkeys(row.study for row in rows):
        found = [row for row in rows if row.study == study]
        tasks = ", ".join(sorted({row.task for row in found}))
        print(f"{study:<20} {len(found):>5} rows; {tasks}")
    return 0
