# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Clips per second of ProbeWorld on one thread: pixels alone, and with all labels.

python scripts/benchmarks/render.py --clips 64 --resolution 64
"""

import argparse
import json
import time
from collections.abc import Callable

import torch

from hf_vdrep.data.probeworld import ProbeWorld, ProbeWorldConfig


def clips_per_second(work: Callable[[range], object], clips: int, batch: int) -> tuple[float, float]:
    """Rates by processor time and by wall time; the first batch warms up and does not count."""
    work(range(batch))
    cpu, wall = time.process_time(), time.perf_counter()
    for start in range(0, clips, batch):
        work(range(start, min(start + batch, clips)))
    return clips / (time.process_time() - cpu), clips / (time.perf_counter() - wall)


def main() -> None:
    """Parse, measure, print one JSON line per measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=64, help="clips to render")
    parser.add_argument("--batch", type=int, default=16, help="clips per call")
    parser.add_argument("--frames", type=int, default=17, help="frames per clip, odd")
    parser.add_argument("--resolution", type=int, default=64, help="pixels per side")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    config = ProbeWorldConfig(num_frames=args.frames, resolution=args.resolution)
    world = ProbeWorld("train", max(args.clips, args.batch), config)
    print(f"{args.clips} clips of {args.frames} x {args.resolution} x {args.resolution}, {args.threads} thread(s)")
    for name, work in (("pixels", world.render_batch), ("pixels and labels", world.batch)):
        cpu, wall = clips_per_second(work, args.clips, args.batch)
        print(json.dumps({"what": name, "clips_per_cpu_second": round(cpu, 1), "clips_per_second": round(wall, 1)}))


if __name__ == "__main__":
    main()
