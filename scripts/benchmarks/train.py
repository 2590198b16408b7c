# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training steps of WALT beside diffusers' DiT and Latte, S size, equal tokens, in one process on one CPU thread.

A step is forward, mean squared error, backward and fused AdamW. Rounds are interleaved: every round takes one step of
each model, in processor time, so that other work on the machine counts little and for all alike; a ratio compares two
steps of the same round, reported is the median. A share is FLOPs (torch's own counter) over time, over a ceiling: the
largest float32 product of MKL (`square @ square`) and that of oneDNN (see walt_linear), the fastest seen here.

python scripts/benchmarks/train.py      # images as DiT-S/2 (256 tokens), clips as Latte-S/2 (16 frames, 4096 tokens),
                                        # and clips of WALT's own five latent frames (1280 tokens)
python scripts/benchmarks/train.py walt_video_16 latte_16
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

HEADS, HEAD, BLOCKS = 6, 64, 12
CHANNELS, SIZE, PATCH = 4, 32, 2
SQUARE = 2048

Call = Callable[[], torch.Tensor]


def walt_image(batch: int, frames: int = 1) -> tuple[torch.nn.Module, Call]:
    """I-WALT as on ImageNet, a modulation of its own in every block: DiT's parameters."""
    from hf_vdrep.models import WaltTransformer3DModel

    model = WaltTransformer3DModel(**_walt(1), objective="image", adaln_lora_rank=None, num_classes=1000)
    latents, steps, labels = torch.randn(batch, CHANNELS, 1, SIZE, SIZE), *_steps_and_labels(batch)
    return model, lambda: model(latents, steps, class_labels=labels).sample


def dit(batch: int, frames: int = 1) -> tuple[torch.nn.Module, Call]:
    """DiT-S/2."""
    from diffusers import DiTTransformer2DModel

    model = DiTTransformer2DModel(
        num_attention_heads=HEADS,
        attention_head_dim=HEAD,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        num_layers=BLOCKS,
        sample_size=SIZE,
        patch_size=PATCH,
    )
    latents, steps, labels = torch.randn(batch, CHANNELS, SIZE, SIZE), *_steps_and_labels(batch)
    return model, lambda: model(latents, steps, class_labels=labels).sample


def walt_video(batch: int, frames: int) -> tuple[torch.nn.Module, Call]:
    """V-WALT: windows of one frame in half of the blocks, of all frames in the other half.

    As in WALT (5 x 8 x 8 beside 1 x 16 x 16), a window over all frames holds about as many tokens as one frame.
    """
    from hf_vdrep.models import WaltTransformer3DModel

    model = WaltTransformer3DModel(**_walt(frames))
    latents, steps = torch.randn(batch, CHANNELS, frames, SIZE, SIZE), _steps_and_labels(batch)[0]
    return model, lambda: model(latents, steps).sample


def latte(batch: int, frames: int) -> tuple[torch.nn.Module, Call]:
    """Latte-S/2: half of its blocks over space, half over time, and no attention to the text."""
    from diffusers import LatteTransformer3DModel

    model = LatteTransformer3DModel(
        num_attention_heads=HEADS,
        attention_head_dim=HEAD,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        num_layers=BLOCKS // 2,
        sample_size=SIZE,
        patch_size=PATCH,
        video_length=frames,
        activation_fn="gelu-approximate",
        attention_bias=True,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
        norm_eps=1e-6,
        num_embeds_ada_norm=1000,
        caption_channels=HEADS * HEAD,
    )
    latents, steps = torch.randn(batch, CHANNELS, frames, SIZE, SIZE), _steps_and_labels(batch)[0]
    text = torch.randn(batch, 1, HEADS * HEAD)
    return model, lambda: model(latents, steps, text).sample


def _walt(frames: int) -> dict:
    side = SIZE // PATCH
    shape = {"num_attention_heads": HEADS, "attention_head_dim": HEAD, "num_layers": BLOCKS, "self_condition": False}
    sizes = {"in_channels": CHANNELS, "sample_frames": frames, "sample_size": SIZE, "patch_size": PATCH}
    across = min((2**i for i in range(side.bit_length())), key=lambda width: abs(frames * width**2 - side**2))
    return {**shape, **sizes, "spatial_window": [side, side], "spatiotemporal_window": [across, across]}


def _steps_and_labels(batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randint(0, 1000, (batch,)), torch.randint(0, 1000, (batch,))


@dataclass(frozen=True)
class Entry:
    """What is measured.

    Attributes:
        make: builds the model and its forward pass.
        frames: latent frames.
        peer: that its throughput is divided by.
    """

    make: Callable[[int, int], tuple[torch.nn.Module, Call]]
    frames: int
    peer: str | None = None


MODELS = {
    "walt_image": Entry(walt_image, 1, "dit"),
    "dit": Entry(dit, 1),
    "walt_video": Entry(walt_video, 5, "latte"),
    "latte": Entry(latte, 5),
    "walt_video_16": Entry(walt_video, 16, "latte_16"),
    "latte_16": Entry(latte, 16),
}


class Step:
    """One model's training step.

    Args:
        entry: of `MODELS`.
        batch: samples in a step.
    """

    def __init__(self, entry: Entry, batch: int) -> None:
        self.batch, self.tokens = batch, entry.frames * (SIZE // PATCH) ** 2
        self.model, self.call = entry.make(batch, entry.frames)
        self.model.train()
        self.parameters = sum(parameter.numel() for parameter in self.model.parameters())
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4, fused=True)
        self.target = torch.randn_like(self.call().detach())
        with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
            self()
        self.flops = counter.get_total_flops()

    def __call__(self) -> None:
        """Forward, backward, update."""
        F.mse_loss(self.call(), self.target).backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call: on one thread the wall time that an idle machine would show."""
    start = time.process_time()
    work()
    return time.process_time() - start


class Ceilings:
    """FLOP/s of a large product, by MKL and by oneDNN; the fastest of all calls."""

    def __init__(self) -> None:
        self.square = torch.randn(SQUARE, SQUARE)
        self.picture = self.square.view(16, 1, SQUARE // 16, SQUARE).permute(0, 3, 1, 2)
        self.best = {"mkl": 0.0, "onednn": 0.0}

    def measure(self) -> None:
        """One product by each."""
        with torch.no_grad():
            took = {
                "mkl": seconds(lambda: self.square @ self.square),
                "onednn": seconds(lambda: F.conv2d(self.picture, self.square[:, :, None, None])),
            }
        for name, value in took.items():
            self.best[name] = max(self.best[name], 2 * SQUARE**3 / value)


def report(name: str, step: Step, times: dict[str, list[float]], ceilings: dict[str, float]) -> dict:
    """Samples a second, share of both ceilings, and the ratio of throughputs to the peer's."""
    took = statistics.median(times[name])
    row = {
        "model": name,
        "tokens": step.tokens,
        "parameters": step.parameters,
        "gflops_per_sample": round(step.flops / step.batch / 1e9, 1),
        "samples_per_second": round(step.batch / took, 3),
        "samples_per_second_best": round(step.batch / min(times[name]), 3),
        **{f"share_{ceiling}": round(step.flops / took / rate, 3) for ceiling, rate in ceilings.items()},
    }
    peer = MODELS[name].peer
    if peer is not None and peer in times:
        pairs = zip(times[name], times[peer], strict=True)
        row[f"throughput_over_{peer}"] = round(statistics.median(other / own for own, other in pairs), 3)
    return row


def main() -> None:
    """Parse, measure, print one JSON line per model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=[], help=f"of {', '.join(MODELS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds after one that warms up")
    parser.add_argument("--images", type=int, default=4, help="images in a step")
    parser.add_argument("--clips", type=int, default=1, help="clips in a step")
    args = parser.parse_args()
    unknown = [name for name in args.models if name not in MODELS]
    if unknown or min(args.rounds, args.images, args.clips) < 1:
        parser.error(f"models must be of {', '.join(MODELS)} and counts at least 1, got {unknown or vars(args)}")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    chosen = {name: MODELS[name] for name in args.models or MODELS}
    steps = {name: Step(entry, args.images if entry.frames == 1 else args.clips) for name, entry in chosen.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    ceilings = Ceilings()
    for turn in range(args.rounds + 1):
        for name, step in steps.items():
            ceilings.measure()
            took = seconds(step)
            if turn:
                times[name].append(took)
    print(
        f"S/2: d = {HEADS * HEAD}, {BLOCKS} blocks, fp32, 1 thread; {args.images} images or {args.clips} clips a step; "
        f"median of {args.rounds} rounds; load {os.getloadavg()[0]:.1f}"
    )
    print("ceiling " + ", ".join(f"{name} {rate / 1e9:.1f} GFLOP/s" for name, rate in ceilings.best.items()))
    for name, step in steps.items():
        print(json.dumps(report(name, step, times, ceilings.best)))


if __name__ == "__main__":
    main()
