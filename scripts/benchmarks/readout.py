# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Seconds per training step of the attentive readout: plain form against folded, a grid in turn against together.

python scripts/benchmarks/readout.py                      # 8 clips of 1280 x 768 tokens, 174 classes, one thread
python scripts/benchmarks/readout.py --members 6 --batch 64 --steps 5 --side 8 --channels 128 --width 128 --classes 16

Forms take turns within one process, and each counts by its fastest round: neighbours on the machine slow all alike.
"""

import argparse
import copy
import json
import time
from collections.abc import Callable

import torch
from torch import nn

from hf_vdrep.probes import AttentiveClassifier, classification_loss
from hf_vdrep.probes.ensemble import Ensemble
from hf_vdrep.probes.standardise import standardise


def fastest(works: dict[str, Callable[[], object]], rounds: int, device: torch.device) -> dict[str, float]:
    """Seconds of each work, the least of `rounds` after one to warm up."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            clock = time.perf_counter if device.type == "cuda" else time.process_time
            begin = clock()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            found[name].append(clock() - begin)
    return {name: min(times[1:]) for name, times in found.items()}


def main() -> None:
    """Print one JSON line for the two forms and one for the grid."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = {"batch": 8, "steps": 5, "side": 16, "channels": 768, "width": 768, "heads": 12, "classes": 174}
    for name, default in {**sizes, "members": 6, "rounds": 5, "threads": 1}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    device = torch.device(args.device)
    shape = (args.batch, args.steps, args.side, args.side, args.channels)
    values = standardise(torch.randn(shape)).to(device, getattr(torch, args.dtype))
    labels = torch.randint(args.classes, (args.batch,), device=device)
    made = {"width": args.width, "num_heads": args.heads}
    members = [AttentiveClassifier(args.channels, args.steps, args.classes, **made) for _ in range(args.members)]
    for member in members:
        nn.init.normal_(member.to(device).head.weight, std=0.02)
    plain = copy.deepcopy(members[0])
    plain.folded = False

    def loss(readout: Callable[..., torch.Tensor]) -> torch.Tensor:
        return classification_loss(readout(values, standardised=True), labels)

    def train(*readouts: nn.Module) -> None:
        for readout in readouts:
            loss(readout).backward()
            readout.zero_grad(set_to_none=True)

    def look(readout: nn.Module) -> None:
        with torch.no_grad():
            readout(values, standardised=True)

    about = {"tokens": shape, "width": args.width, "classes": args.classes, "dtype": args.dtype, "device": args.device}
    works: dict[str, Callable[[], object]] = {
        "plain forward": lambda: look(plain),
        "folded forward": lambda: look(members[0]),
        "plain step": lambda: train(plain),
        "folded step": lambda: train(members[0]),
    }
    times = fastest(works, args.rounds, device)
    ratios = {
        f"{kind} ratio": round(times[f"plain {kind}"] / times[f"folded {kind}"], 2) for kind in ("forward", "step")
    }
    print(json.dumps({**about, **{name: round(value, 5) for name, value in times.items()}, **ratios}))
    alone, stack = copy.deepcopy(members), Ensemble(members)
    times = fastest({"in turn": lambda: train(*alone), "together": lambda: stack.backward(loss)}, args.rounds, device)
    ratio = round(times["in turn"] / times["together"], 2)
    print(json.dumps({**about, "members": args.members, **{k: round(v, 5) for k, v in times.items()}, "ratio": ratio}))


if __name__ == "__main__":
    main()
