# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Forward of the WALT denoiser beside diffusers' Wan, CogVideoX and Latte of the same width, in one process.

Rounds are interleaved: every round times each model once and a large matrix product, the ceiling, before and after
it, in processor time, so that other work on the machine counts little and for all alike. A share is FLOPs (torch's
own counter) over time, over the ceiling of the same round; reported are the median round and the fastest. The ceiling
is torch's own float32 product, that of MKL; a share above 1 is one of oneDNN's, which `WaltLinear` takes where it can.

python scripts/benchmarks/forward.py                # latent 8x5x16x16, d = 384, 12 blocks, patch 1, fp32, one thread
python scripts/benchmarks/forward.py --train        # forward and backward
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

LATENT = (8, 5, 16, 16)
TEXT = 16
HEAD = 64

Call = Callable[[], torch.Tensor]


def walt(dim: int, blocks: int, patch: int, batch: int) -> tuple[torch.nn.Module, Call]:
    """Ours, unconditional: spatial windows 16 x 16, spatiotemporal 5 x 8 x 8."""
    from hf_vdrep.models import WaltTransformer3DModel

    windows = {"spatial_window": [16 // patch] * 2, "spatiotemporal_window": [8 // patch] * 2}
    model = WaltTransformer3DModel(
        num_layers=blocks, num_attention_heads=dim // HEAD, attention_head_dim=HEAD, patch_size=patch, **windows
    )
    latents, steps = torch.randn(batch, *LATENT), torch.full((batch,), 200)
    return model, lambda: model(latents, steps).sample


def wan(dim: int, blocks: int, patch: int, batch: int) -> tuple[torch.nn.Module, Call]:
    """Wan: full attention, cross-attention to a short text that it cannot do without."""
    from diffusers import WanTransformer3DModel

    model = WanTransformer3DModel(
        patch_size=(1, patch, patch),
        num_attention_heads=dim // HEAD,
        attention_head_dim=HEAD,
        in_channels=8,
        out_channels=8,
        text_dim=dim,
        ffn_dim=4 * dim,
        num_layers=blocks,
    )
    latents, steps, text = torch.randn(batch, *LATENT), torch.full((batch,), 200), torch.randn(batch, TEXT, dim)
    return model, lambda: model(latents, steps, text).sample


def cogvideox(dim: int, blocks: int, patch: int, batch: int) -> tuple[torch.nn.Module, Call]:
    """CogVideoX: full attention over text and video together."""
    from diffusers import CogVideoXTransformer3DModel

    model = CogVideoXTransformer3DModel(
        num_attention_heads=dim // HEAD,
        attention_head_dim=HEAD,
        in_channels=8,
        out_channels=8,
        text_embed_dim=dim,
        num_layers=blocks,
        sample_width=16,
        sample_height=16,
        sample_frames=17,
        patch_size=patch,
        max_text_seq_length=TEXT,
    )
    latents = torch.randn(batch, *LATENT).transpose(1, 2)
    steps, text = torch.full((batch,), 200), torch.randn(batch, TEXT, dim)
    return model, lambda: model(latents, text, steps).sample


def latte(dim: int, blocks: int, patch: int, batch: int) -> tuple[torch.nn.Module, Call]:
    """Latte: half of its blocks over space, half over time; the text is projected and not read."""
    from diffusers import LatteTransformer3DModel

    model = LatteTransformer3DModel(
        num_attention_heads=dim // HEAD,
        attention_head_dim=HEAD,
        in_channels=8,
        out_channels=8,
        num_layers=blocks // 2,
        sample_size=16,
        patch_size=patch,
        video_length=5,
        activation_fn="gelu-approximate",
        attention_bias=True,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
        norm_eps=1e-6,
        num_embeds_ada_norm=1000,
        caption_channels=dim,
    )
    latents, steps, text = torch.randn(batch, *LATENT), torch.full((batch,), 200), torch.randn(batch, TEXT, dim)
    return model, lambda: model(latents, steps, text).sample


MODELS = {"walt": walt, "wan": wan, "cogvideox": cogvideox, "latte": latte}


def count_flops(call: Call, train: bool) -> int:
    """FLOPs of one call, two for every multiply-add; attention is counted in its unfused form."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        run(call, train)
    return counter.get_total_flops()


def run(call: Call, train: bool) -> None:
    """One forward, or one forward and backward."""
    with torch.set_grad_enabled(train):
        sample = call()
        if train:
            sample.square().mean().backward()


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call: on one thread the wall time that an idle machine would show."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Parse, measure, print one JSON line per model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=[], help=f"of {', '.join(MODELS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds after one that warms up")
    parser.add_argument("--batch", type=int, default=4, help="clips per call")
    parser.add_argument("--dim", type=int, default=384, help=f"width, a multiple of {HEAD}")
    parser.add_argument("--blocks", type=int, default=12)
    parser.add_argument("--patch", type=int, default=1)
    parser.add_argument("--train", action="store_true", help="forward and backward")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    calls, flops = {}, {}
    for name in args.models or MODELS:
        model, calls[name] = MODELS[name](args.dim, args.blocks, args.patch, args.batch)
        model.train(args.train)
        flops[name] = count_flops(calls[name], args.train)
    square = torch.randn(2048, 2048)
    picture = square.view(16, 1, 128, 2048).permute(0, 3, 1, 2)  # oneDNN's product, see walt_linear
    onednn = 2 * 2048**3 / min(seconds(lambda: F.conv2d(picture, square[:, :, None, None])) for _ in range(5))
    times = {name: [] for name in calls}
    ceilings = {name: [] for name in calls}
    for turn in range(args.rounds + 1):
        for name, call in calls.items():
            before = seconds(lambda: square @ square)
            took = seconds(lambda call=call: run(call, args.train))
            after = seconds(lambda: square @ square)
            if turn:
                times[name].append(took)
                ceilings[name].append(2 * 2048**3 / min(before, after))
    print(
        f"latent {LATENT}, d = {args.dim}, {args.blocks} blocks, patch {args.patch}, fp32, 1 thread, {args.batch} clips"
    )
    print(
        f"ceiling {max(map(max, ceilings.values())) / 1e9:.1f} GFLOP/s (oneDNN: {onednn / 1e9:.1f}), "
        f"load {os.getloadavg()[0]:.1f}"
    )
    for name in calls:
        print(json.dumps(report(name, flops[name], times, ceilings[name], args.batch)))


def report(name: str, flops: int, times: dict[str, list[float]], ceilings: list[float], batch: int) -> dict:
    """Milliseconds per clip, share of the ceiling, and the time of the same round over Wan's."""
    shares = [flops / took / ceiling for took, ceiling in zip(times[name], ceilings, strict=True)]
    row = {
        "model": name,
        "gflops_per_clip": round(flops / batch / 1e9, 1),
        "ms_per_clip": round(1e3 * statistics.median(times[name]) / batch, 1),
        "ms_per_clip_best": round(1e3 * min(times[name]) / batch, 1),
        "share": round(statistics.median(shares), 3),
        "share_best": round(flops / min(times[name]) / max(ceilings), 3),
    }
    if "wan" in times:
        ratios = [own / other for own, other in zip(times[name], times["wan"], strict=True)]
        row |= {"over_wan": round(statistics.median(ratios), 3)}
        row |= {"over_wan_best": round(min(times[name]) / min(times["wan"]), 3)}
    return row


if __name__ == "__main__":
    main()
