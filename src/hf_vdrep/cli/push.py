# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep push KIND [SOURCE …]`: models, probes, the world, metrics and the Space on the Hub."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import bars_off, check_folder
from .failures import UsageError

if TYPE_CHECKING:
    from ..hub.plan import PushPlan

KINDS = ("model", "probe", "dataset", "metrics", "space", "collection", "all")
_YOU = "YOU"
_REPOSITORY = Path(__file__).resolve().parents[3]

_DESCRIPTION = """\
Publish on the Hugging Face Hub, each repository in one commit, private unless --public is given.

  model       shipped twins, a run folder of train_walt, or a pipeline folder: for diffusers and transformers
  probe       shipped readouts, or folders of train_probe: with their WALT as one transformers model
  dataset     a folder of `hf-vdrep world export`
  metrics     the `evaluate` modules by name, each a Space
  space       the folder of a Space (default: spaces/feature-comparison)
  all         all of these, and a collection of them
  collection  the collection alone, of what was pushed before

--checkpoints puts what the models' trainings kept along the way on branches: from_pretrained(…, revision="step-400").

--dry-run shows the exact files and needs no account and no network. Pickles, what looks like a secret, and files over
the Hub's limits are refused. A push that was cut goes on where it was when it is run again.
"""
_EPILOG = """examples:
  hf-vdrep push model v-walt --dry-run
  hf-vdrep push model v-walt --checkpoints
  hf-vdrep push model runs/my-walt --repo me/my-walt
  hf-vdrep push probe v-walt/depth runs/probe
  hf-vdrep push dataset probeworld --public
  hf-vdrep push all --probeworld probeworld --dry-run
  hf-vdrep push all --cards model_cards/hub
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `push`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    add("sources", nargs="*", metavar="SOURCE", help="names or folders of that kind (default: all that ship)")
    add("--repo", metavar="USER/NAME", help="the repository (default: named after the source)")
    add("--namespace", metavar="USER", help="user or organisation (default: whose token it is)")
    add("--checkpoints", action="store_true", help="models' checkpoints too, each on a branch named as step-400")
    add("--revision", metavar="BRANCH", help="branch that takes the commit, made where it is missing (default: main)")
    add("--create-pr", action="store_true", help="open a pull request instead of pushing to main")
    add("--public", action="store_true", help="make new repositories public")
    add("--dry-run", action="store_true", help="show the files and the commit message, and push nothing")
    add("--cards", type=Path, metavar="DIR", help="write the shipped models' and probes' cards there; push nothing")
    add("--json", action="store_true", help="print JSON")
    add("--results", type=Path, metavar="DIR", help="committed results (default: model_cards/walt-tiny)")
    add("--probeworld", type=Path, metavar="DIR", help="for all and collection: an export of the world")
    add("--space", type=Path, metavar="DIR", help="folder of the demo's Space (default: spaces/feature-comparison)")
    add("--backbone", metavar="MODEL", help="of a probe: folder, shipped name or Hub id (default: as it was trained)")
    add("--package", metavar="SPEC", help="what Spaces install, as pip takes it (default: hf_vdrep)")


def run(args: argparse.Namespace) -> int:
    """Plan; then show, or push; print the addresses."""
    if args.repo and args.namespace and "/" in args.repo:
        raise UsageError(f"--repo must be a name alone beside --namespace, got {args.repo}")
    if args.create_pr and (args.revision or args.checkpoints or args.kind in ("all", "collection")):
        raise UsageError("--create-pr must stand without --revision and --checkpoints, for one kind")
    if args.cards:
        return _write_cards(args)
    if args.dry_run:
        return _show(args, _plans(args, _namespace(args) or _YOU))
    from huggingface_hub.utils import disable_progress_bars

    from ..hub.push import connect

    if bars_off(args.quiet):
        disable_progress_bars()
    api, user = connect()
    namespace = _namespace(args) or user
    plans = _plans(args, namespace)
    done = [] if args.kind == "collection" else _push(args, api, plans)
    if args.kind in ("collection", "all"):
        from ..hub.collection import collect

        made = collect(plans, api, namespace, args.public)
        done.append({"collection": made.slug, "url": made.url})
    print(json.dumps(done, indent=1) if args.json else "\n".join(str(entry["url"]) for entry in done))
    return 0


def _write_cards(args: argparse.Namespace) -> int:
    from ..hub.card_folder import write_cards

    check_folder(args.cards, "--cards")
    results = _or_default(args.results, "--results", "model_cards/walt-tiny")
    for path in write_cards(args.cards, results, args.namespace or _YOU):
        print(path)
    return 0


def _namespace(args: argparse.Namespace) -> str | None:
    return args.namespace or (args.repo.split("/")[0] if args.repo and "/" in args.repo else None)


def _plans(args: argparse.Namespace, namespace: str) -> "list[PushPlan]":
    from ..hub.request import PushRequest, plans_for

    request = PushRequest(
        args.kind,
        namespace,
        tuple(args.sources),
        repo=args.repo,
        results=_or_default(args.results, "--results", "model_cards/walt-tiny"),
        probeworld=args.probeworld,
        space=_or_default(args.space, "--space", "spaces/feature-comparison"),
        backbone=args.backbone,
        package=args.package,
        checkpoints=args.checkpoints,
        revision=args.revision,
    )
    return plans_for(request)


def _or_default(given: Path | None, argument: str, usual: str) -> Path | None:
    """What was given, which must exist, or its usual place in this project's checkout, if there is one."""
    if given is not None:
        if not given.is_dir():
            raise UsageError(f"{argument} must be a folder, got {given}")
        return given
    places = (Path(usual), _REPOSITORY / usual)
    return next((place for place in places if place.is_dir()), None)


def _show(args: argparse.Namespace, plans: "list[PushPlan]") -> int:
    from ..hub.plan import address, describe, readable, sent_once, to_json
    from ..hub.safety import check_plan

    for plan in plans:
        check_plan(plan)
    if args.json:
        print(json.dumps([to_json(plan, args.public) for plan in plans], indent=1))
        return 0
    if args.kind != "collection":
        print("\n\n".join(describe(plan, args.public) for plan in plans))
    if args.kind in ("collection", "all"):
        from ..hub.collection import TITLE

        print(f"\ncollection: {TITLE} ({'public' if args.public else 'private'})")
        print("\n".join(f"  {address(plan)}: {plan.note}" for plan in plans if plan.revision is None))
        if args.probeworld is None:
            print("  without ProbeWorld: give --probeworld the folder of `hf-vdrep world export`")
    repositories, files = len({address(plan) for plan in plans}), sum(len(plan.files) for plan in plans)
    print(f"\n{repositories} repositories, {len(plans)} commits, {files} files, {readable(sent_once(plans))}")
    return 0


def _push(args: argparse.Namespace, api: object, plans: "list[PushPlan]") -> list[dict[str, object]]:
    from ..hub.plan import address
    from ..hub.push import push
    from ..hub.safety import check_plan

    for plan in plans:  # all of them before the first is sent
        check_plan(plan)
    done: list[dict[str, object]] = []
    for plan in plans:
        found = push(plan, api, args.public, create_pr=args.create_pr)  # type: ignore[arg-type]
        about = {
            "repo": address(plan),
            "revision": plan.revision or "main",
            "url": found.url,
            "commit": found.commit,
            "changed": found.changed,
        }
        done.append({**about, "files": len(plan.files), "size": plan.size})
    return done
