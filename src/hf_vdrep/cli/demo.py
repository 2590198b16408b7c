# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep demo`: the comparison Space, served from this machine."""

import argparse
from pathlib import Path

from .arguments import positive, whole
from .failures import UsageError

_DESCRIPTION = """\
Serve the comparison app: two models side by side on a clip, in the browser.

Visitors choose among --models. Uploads are decoded in a process of their own, which can reach neither files nor the
network. Code in a model's repository is never run. Needs `pip install "hf_vdrep[space]"`.
"""
_EPILOG = """examples:
  hf-vdrep demo
  hf-vdrep demo --models i-walt v-walt runs/my-walt
  hf-vdrep demo --allow-remote-models --time-limit 300
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `demo`."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to serve on (default: 127.0.0.1, this machine alone)")
    add("--port", type=whole, default=7860, help="port to serve on; 0 takes a free one (default: 7860)")
    words = "names, folders or Hub ids that visitors choose from (default: i-walt v-walt latents pixels random)"
    add("--models", nargs="+", metavar="MODEL", help=words)
    add("--allow-remote-models", action="store_true", help="visitors may type any model id of the Hub")
    add("--examples", type=Path, metavar="DIR", help="folder of photos and videos to offer as examples")
    add("--max-upload", type=positive, default=32, metavar="MB", help="largest upload (default: 32)")
    add("--time-limit", type=positive, default=60, metavar="S", help="seconds for a comparison (default: 60)")
    add("--share", action="store_true", help="open a public address through gradio's servers")


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    if not 0 <= args.port <= 65535:
        raise UsageError(f"--port must lie in [0, 65535], got {args.port}")
    if args.examples is not None and not args.examples.is_dir():
        raise UsageError(f"--examples must be a folder, got {args.examples}")
    from ..app.catalogue import SHIPPED
    from ..app.launch import free_port, launch_app
    from ..app.settings import AppSettings

    settings = AppSettings(
        models=tuple(args.models or SHIPPED),
        allow_remote_models=args.allow_remote_models,
        examples=args.examples,
        max_upload_megabytes=args.max_upload,
        time_limit=float(args.time_limit),
    )
    launch_app(
        settings,
        server_name=args.host,
        server_port=args.port or free_port(args.host),
        share=args.share,
        quiet=args.quiet,
    )
    return 0
