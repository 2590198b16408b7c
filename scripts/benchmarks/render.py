# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Clips per second of ProbeWorld: scene graphs, pixels from given scene graphs, pixels, and pixels with all labels.

python scripts/benchmarks/render.py                       # 64 x 64 and 128 x 128 on one thread
python scripts/benchmarks/render.py --device cuda --batch 256 --clips 4096 --workers 12 --resolution 64
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable

import torch

from hf_vdrep.data.probeworld import ProbeWorld, ProbeWorldConfig


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _drain(batches: Iterable[object]) -> None:
    for _ in batches:
        pass


def _split(work: Callable[[range], object], rows: range, batch: int) -> None:
    for start in range(rows.start, rows.stop, batch):
        work(range(start, min(start + batch, rows.stop)))


def clips_per_second(
    work: Callable[[range], object], clips: int, batch: int, device: torch.device
) -> tuple[float, float]:
    """Rates by this process's time and by wall time; the first batch warms up and does not count."""
    work(range(batch))
    _wait(device)
    cpu, wall = time.process_time(), time.perf_counter()
    work(range(clips))
    _wait(device)
    return clips / (time.process_time() - cpu), clips / (time.perf_counter() - wall)


def measure(resolution: int, args: argparse.Namespace) -> None:
    """Print one JSON line per kind of work."""
    config = ProbeWorldConfig(num_frames=args.frames, resolution=resolution)
    size = max(args.clips, args.batch)
    world = ProbeWorld("train", size, config, device=args.device)
    scenes = [world.scene(index) for index in range(size)]
    works = {
        "scene graphs": lambda rows: [world.scene(index) for index in rows],
        "pixels of given scenes": lambda rows: _split(
            lambda part: world.render_scenes(scenes[part.start : part.stop]), rows, args.batch
        ),
        "pixels": lambda rows: _drain(world.video_batches(rows, args.batch, args.workers)),
        "pixels and labels": lambda rows: _split(world.batch, rows, args.batch),
    }
    clip = {"clip": f"{args.frames}x{resolution}x{resolution}", "device": str(world.device), "workers": args.workers}
    for name, work in works.items():
        cpu, wall = clips_per_second(work, args.clips, args.batch, world.device)
        rates = {"clips_per_cpu_second": round(cpu, 1), "clips_per_second": round(wall, 1)}
        print(json.dumps({"what": name, **clip, **rates}), flush=True)


def main() -> None:
    """Parse and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=64, help="clips to render")
    parser.add_argument("--batch", type=int, default=16, help="clips per call")
    parser.add_argument("--frames", type=int, default=17, help="frames per clip, odd")
    parser.add_argument("--resolution", type=int, nargs="+", default=[64, 128], help="pixels per side")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw scene graphs for `pixels`")
    parser.add_argument("--device", default="cpu", help="where pixels are drawn")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for resolution in args.resolution:
        measure(resolution, args)


if __name__ == "__main__":
    main()
