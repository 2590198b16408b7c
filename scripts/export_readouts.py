# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Make the shipped readouts from a comparison of all tasks.

hf-vdrep compare --tasks all --output-dir runs/all
python scripts/export_readouts.py runs/all
"""

import argparse
from pathlib import Path

from hf_vdrep.study.compare.export import export_readouts
from hf_vdrep.study.shipped_probes import PROBE_TASKS, ROOT


def main() -> None:
    parser = argparse.ArgumentParser(description="Save the readouts of a finished comparison as folders.")
    parser.add_argument("run", type=Path, help="output folder of `hf-vdrep compare`")
    parser.add_argument("--out", type=Path, default=ROOT, help="gets <twin>/<task>/ (default: the package's assets)")
    parser.add_argument("--tasks", nargs="+", default=list(PROBE_TASKS))
    args = parser.parse_args()
    for folder in export_readouts(args.run, args.out, args.tasks):
        print(folder)


if __name__ == "__main__":
    main()
