# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Taking features from a denoiser by hooks and an early end, beside other ways, on one CPU thread in one process.

ours       DenoiserBackbone.extract: noise, call, hooks, the end after the deepest block asked for
full       the whole forward pass with the same hooks
nnsight    a trace with tracer.stop(), where nnsight is installed
truncated  a model that has no deeper blocks, called whole: what ours can reach at best

Rounds are interleaved: each times every way once, with a large matrix product, the ceiling, before and after it, in
processor time, so that other work on the machine counts little and for all alike. A share is FLOPs (torch's own
counter) over time over the ceiling of the same round; reported is the median round.

python scripts/benchmarks/extract.py                # S-size DiT, Wan-like video DiT of 1280 tokens, UNet
python scripts/benchmarks/extract.py --sweep        # 12 layers x 4 noise levels against one forward pass per cell
python scripts/benchmarks/extract.py --stacking     # 4 noise levels in one pass against one after the other
"""

import argparse
import copy
import importlib.util
import json
import os
import statistics
import time
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hf_vdrep.backbones.denoiser_call import call_arguments, make_call
from hf_vdrep.backbones.denoisers import DenoiserBackbone, DenoiserInputs
from hf_vdrep.backbones.frame_spans import causal_frame_spans

TIMESTEP = 200
LEVELS = (0, 50, 200, 600)
WAYS = ("ours", "full", "nnsight", "truncated")


def dit(batch: int) -> tuple[Any, torch.Tensor, list[int]]:
    """DiT-S/2 on latents 4 x 32 x 32: 12 blocks of width 384, 256 tokens; blocks 3 and 5."""
    from diffusers import DiTTransformer2DModel

    model = DiTTransformer2DModel(num_attention_heads=6, attention_head_dim=64, num_layers=12, sample_size=32)
    return model, torch.randn(batch, 4, 1, 32, 32), [3, 5]


def wan(batch: int) -> tuple[Any, torch.Tensor, list[int]]:
    """Wan of 12 blocks of width 384 on 5 x 16 x 16 tokens; blocks 3 and 5."""
    from diffusers import WanTransformer3DModel

    model = WanTransformer3DModel(
        num_attention_heads=6, attention_head_dim=64, text_dim=384, ffn_dim=1536, num_layers=12
    )
    return model, torch.randn(max(1, batch // 4), 16, 5, 32, 32), [3, 5]


def unet(batch: int) -> tuple[Any, torch.Tensor, list[int]]:
    """Stable Diffusion's UNet, narrowed to 64 to 256 channels, on latents 4 x 32 x 32; the second of its up blocks."""
    from diffusers import UNet2DConditionModel

    model = UNet2DConditionModel(block_out_channels=(64, 128, 256, 256), cross_attention_dim=256)
    return model, torch.randn(batch, 4, 1, 32, 32), [4, 6]


MODELS = {"dit": dit, "wan": wan, "unet": unet}


def truncate(model: Any, layers: list[int]) -> Any:
    """A copy without what comes after the deepest of the layers, except the head that its forward pass ends in."""
    cut = copy.deepcopy(model)
    if hasattr(cut, "up_blocks"):
        cut.up_blocks = cut.up_blocks[: max(layers) - len(cut.down_blocks)]
        cut.conv_norm_out, cut.conv_out = None, torch.nn.Identity()
        return cut
    name = "blocks" if hasattr(cut, "blocks") else "transformer_blocks"
    setattr(cut, name, getattr(cut, name)[: max(layers) + 1])
    return cut


def scheduler_of(name: str) -> Any:
    from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler() if name == "wan" else DDIMScheduler()


class Bench:
    """One model and the ways of reading it."""

    def __init__(self, name: str, batch: int) -> None:
        torch.manual_seed(0)
        model, self.latents, self.layers = MODELS[name](batch)
        self.backbone = DenoiserBackbone(model, None, scheduler_of(name))
        self.cut = DenoiserBackbone(truncate(model, self.layers), None, self.backbone.scheduler)
        spans = causal_frame_spans(self.latents.shape[2], 1)
        self.inputs = DenoiserInputs(self.latents, spans, (self.latents.shape[3] * 8, self.latents.shape[4] * 8))
        self.ids = [str(row) for row in range(len(self.latents))]

    def ways(self) -> dict[str, Callable[[], Any]]:
        """The ways that can be run here."""
        found = {"ours": self.ours, "full": lambda: self.whole(self.backbone)}
        if importlib.util.find_spec("nnsight"):
            found["nnsight"] = self.nnsight
        return found | {"truncated": lambda: self.whole(self.cut)}

    @cached_property
    def wrapped(self) -> Any:
        """A copy of the model in nnsight's hands, so that the other ways run without them."""
        from nnsight import NNsight

        return NNsight(copy.deepcopy(self.backbone.denoiser))

    def ours(self, layers: list[int] | None = None, timesteps: tuple[int, ...] = (TIMESTEP,)) -> Any:
        return self.backbone.extract(
            self.inputs, sample_ids=self.ids, layers=layers or self.layers, timesteps=timesteps
        )

    def arguments(self, backbone: DenoiserBackbone) -> dict[str, Any]:
        call = make_call(backbone.denoiser, backbone.family, self.latents, TIMESTEP)
        return call_arguments(call, backbone.family)

    @torch.inference_mode()
    def whole(self, backbone: DenoiserBackbone, layers: list[int] | None = None) -> Any:
        taken: list[Any] = []
        handles = [
            backbone.blocks[layer].module.register_forward_hook(lambda _, __, output: taken.append(output))
            for layer in layers or self.layers
        ]
        backbone.denoiser(**self.arguments(backbone))
        for handle in handles:
            handle.remove()
        return taken

    @torch.inference_mode()
    def nnsight(self) -> Any:
        wrapped, saved = self.wrapped, []
        with wrapped.trace(**self.arguments(self.backbone)) as tracer:
            for layer in self.layers:
                block = wrapped
                for part in self.backbone.blocks[layer].name.split("."):
                    block = block[int(part)] if part.isdigit() else getattr(block, part)
                saved.append(block.output.save())
            tracer.stop()
        return saved

    def flops(self, work: Callable[[], Any]) -> int:
        """Two for every multiply-add; attention is counted in its unfused form."""
        with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
            work()
        return int(counter.get_total_flops())


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call: on one thread the wall time that an idle machine would show."""
    start = time.process_time()
    work()
    return time.process_time() - start


def compare(name: str, batch: int, rounds: int) -> None:
    """Interleaved rounds of all ways; one JSON line each."""
    bench = Bench(name, batch)
    ways, square = bench.ways(), torch.randn(2048, 2048)
    flops = {way: bench.flops(work) for way, work in ways.items() if way != "nnsight"}
    flops["nnsight"] = flops["ours"]
    times: dict[str, list[float]] = {way: [] for way in ways}
    ceilings: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds + 1):
        for way, work in ways.items():
            before, took, after = seconds(lambda: square @ square), seconds(work), seconds(lambda: square @ square)
            if turn:
                times[way].append(took)
                ceilings[way].append(2 * 2048**3 / min(before, after))
    for way in ways:
        ratios = [best / own for best, own in zip(times["truncated"], times[way], strict=True)]
        shares = [flops[way] / own / top for own, top in zip(times[way], ceilings[way], strict=True)]
        row = {
            "model": name,
            "way": way,
            "items_per_s": round(len(bench.latents) / statistics.median(times[way]), 2),
            "share": round(statistics.median(shares), 3),
            "of_truncated": round(statistics.median(ratios), 3),
            "of_truncated_best": round(min(times["truncated"]) / min(times[way]), 3),
        }
        print(json.dumps(row), flush=True)


def sweep(name: str, batch: int, rounds: int) -> None:
    """All layers at four noise levels, against a whole forward pass for every cell of that table."""
    bench = Bench(name, batch)
    layers = list(range(bench.backbone.num_layers))
    ratios, cells = [], len(layers) * len(LEVELS)
    for _ in range(rounds):
        ours = seconds(lambda: bench.ours(layers, LEVELS))
        one = [seconds(partial(bench.whole, bench.backbone, [layer])) for layer in layers]
        ratios.append(sum(one) * len(LEVELS) / ours)
    row = {"model": name, "cells": cells, "times_faster": round(statistics.median(ratios), 2)}
    print(json.dumps(row), flush=True)


def stacking(name: str, batch: int, rounds: int) -> None:
    """How many times as long one pass over four noise levels takes as four passes."""
    bench, ratios = Bench(name, batch), []
    options: dict[str, Any] = {"sample_ids": bench.ids, "layers": bench.layers, "timesteps": LEVELS}
    for turn in range(rounds + 1):
        apart = seconds(lambda: bench.backbone.extract(bench.inputs, **options))
        together = seconds(lambda: bench.backbone.extract_stacked(bench.inputs, **options))
        ratios += [together / apart] if turn else []
    row = {"model": name, "batch": len(bench.latents), "one_pass_of_apart": round(statistics.median(ratios), 3)}
    print(json.dumps(row), flush=True)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=[], help=f"of {', '.join(MODELS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds after one that warms up")
    parser.add_argument("--batch", type=int, default=8, help="images per call; a fourth as many clips")
    parser.add_argument("--sweep", action="store_true", help="all layers at four noise levels")
    parser.add_argument("--stacking", action="store_true", help="four noise levels in one pass")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"fp32, 1 thread, load {os.getloadavg()[0]:.1f}")
    for name in args.models or MODELS:
        (sweep if args.sweep else stacking if args.stacking else compare)(name, args.batch, args.rounds)


if __name__ == "__main__":
    main()
