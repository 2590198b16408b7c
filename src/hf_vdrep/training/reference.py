# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Training of the end-to-end reference on ProbeWorld: pixels in, the labels of all ten tasks out.

Each step's draws depend on (seed, step) alone, so that a stopped run resumes exactly when it is started again with the
same words.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from ..data.probeworld import TASK_NAMES, ProbeWorld
from ..data.sample import CLASS_LABELS
from ..probes.end_to_end import EndToEndReference
from ..probes.pose import relative_pose
from ..probes.reference_files import save_reference
from ..probes.reference_losses import reference_loss
from .log import JsonlLog
from .reference_augment import augment, augment_images
from .reference_pool import Batch, ReferencePool
from .reference_scores import evaluate
from .reference_state import load_state, save_state, start_from

WARMUP_STEPS, DECAY = 50, 0.35


def train(args: argparse.Namespace) -> None:
    """Render, train, evaluate, save.

    Raises:
        ValueError: a batch larger than the pool or than the whole training.
    """
    if not 0 < args.batch <= min(args.pool_size, args.clips):
        raise ValueError(f"batch must lie in [1, {min(args.pool_size, args.clips)}], got {args.batch}")
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    pool = ReferencePool(args.pool, ProbeWorld("train", args.pool_size))
    validation = ReferencePool(args.pool, ProbeWorld("validation", args.validation_size))
    model = EndToEndReference({name: len(TASK_NAMES[name]) for name in CLASS_LABELS})
    model.pose_head.start_at(relative_pose(pool.read(list(range(min(512, len(pool)))))["pose"]))
    if args.start_from is not None:
        start_from(model, args.start_from)
    optimizer = torch.optim.AdamW(parameter_groups(model, args.weight_decay), lr=args.lr, fused=True)
    steps = args.clips // args.batch
    args.out.mkdir(parents=True, exist_ok=True)
    state, log = args.out / "state.safetensors", args.out / "log.jsonl"
    first = load_state(state, model, optimizer)
    JsonlLog(log, step=first)  # lines after the state are written again
    means: dict[str, float] = {}
    began, worked = time.perf_counter(), time.process_time()
    for step in tqdm(range(first, steps), initial=first, total=steps, desc="train", disable=None):
        for name, value in update(model, optimizer, pool, args, step, steps).items():
            means[name] = value if step == first else 0.98 * means[name] + 0.02 * value
        clips, last = (step + 1 - first) * args.batch, step + 1 == steps
        if (step + 1) % args.log_every == 0 or last:
            speed = {"clips_per_s": clips / (time.perf_counter() - began)}
            speed["clips_per_cpu_s"] = clips / (time.process_time() - worked)
            record(log, {"step": step + 1, **{name: round(v, 4) for name, v in (speed | means).items()}})
        if (step + 1) % args.eval_every == 0 or last:
            scores = evaluate(model, validation, bf16=args.bf16)
            record(log, {"step": step + 1, **{f"validation_{name}": value for name, value in scores.items()}})
            save_reference(model, args.out, record=provenance(args, step + 1, scores))
        # After the evaluation: a run killed in between does both again.
        if (step + 1) % args.save_every == 0 or last:
            save_state(state, model, optimizer, step + 1)


def update(
    model: EndToEndReference,
    optimizer: torch.optim.Optimizer,
    pool: ReferencePool,
    args: argparse.Namespace,
    step: int,
    steps: int,
) -> dict[str, float]:
    """One optimiser step; returns the losses.

    Raises:
        FloatingPointError: a gradient is NaN or infinite; the weights are as they were.
    """
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(step, steps, args.lr)
    batch, frames = draw_batch(pool, args, step)
    images = draw_images(pool, args, step)
    with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
        parts = reference_loss(model, batch, depth_frames=frames, images=images)
    parts["loss"].backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip_norm)
    if not torch.isfinite(norm):
        # Before it reaches the weights, and with them the state that the run would resume from.
        raise FloatingPointError(f"gradients must stay finite, got norm {float(norm)} at step {step}")
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return {name: value.item() for name, value in parts.items()}


def draw_batch(pool: ReferencePool, args: argparse.Namespace, step: int) -> tuple[Batch, torch.Tensor]:
    """The batch of a step and the frames whose depth is decoded; all draws follow from (seed, step)."""
    epoch, place = divmod(step * args.batch, len(pool) - len(pool) % args.batch)
    order = torch.randperm(len(pool), generator=torch.Generator().manual_seed(args.seed * 1000 + epoch))
    draw = torch.Generator().manual_seed(args.seed * 1_000_003 + step)
    batch = augment(pool.read(order[place : place + args.batch].tolist()), draw)
    frames = torch.randperm(batch["video"].shape[1], generator=draw)[: args.depth_frames]
    # Tracks that can be asked for in frame 0 come first.
    rank = torch.rand(batch["visible"].shape[:2], generator=draw) + batch["visible"][:, :, 0].float()
    chosen = rank.topk(args.tracks, dim=1).indices
    rows = torch.arange(len(chosen))[:, None]
    return {**batch, "tracks": batch["tracks"][rows, chosen], "visible": batch["visible"][rows, chosen]}, frames


def draw_images(pool: ReferencePool, args: argparse.Namespace, step: int) -> Batch:
    """Further frames for the image tasks, drawn at random; (seed, step) decides."""
    draw = torch.Generator().manual_seed(args.seed * 2_000_003 + step)
    rows = torch.randint(len(pool), (args.images,), generator=draw).tolist()
    images = pool.read_images(rows, torch.randint(pool.num_frames, (args.images,), generator=draw).tolist())
    return {**images, "image": augment_images(images["image"], draw)}


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up, a plateau, linear to zero over the last part.

    A run stopped on the plateau may be resumed with another number of clips, as if it had been started with it.
    """
    left = (steps - step) / max(1, steps * DECAY)
    return peak * min(1.0, (step + 1) / WARMUP_STEPS, left)


def parameter_groups(model: EndToEndReference, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay; scales, shifts and learned positions do not."""
    decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def provenance(args: argparse.Namespace, step: int, scores: dict[str, float]) -> dict[str, Any]:
    """What made the weights, for the config beside them."""
    settings = {name: value for name, value in vars(args).items() if not isinstance(value, Path)}
    return {"made_by": "scripts/train_reference.py", "settings": settings, "step": step, "validation": scores}


def record(log: Path, row: dict[str, Any]) -> None:
    """One line to the screen and to the log."""
    tqdm.write(json.dumps(row))
    with log.open("a") as file:
        file.write(json.dumps(row) + "\n")


def main(words: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the end-to-end upper reference on ProbeWorld.")
    parser.add_argument("--out", type=Path, default=Path("runs/reference"), help="folder of the run")
    parser.add_argument("--start-from", type=Path, help="an earlier reference; layers of other shapes start anew")
    parser.add_argument("--pool", type=Path, default=Path("runs/reference-pool"), help="folder of the rendered clips")
    parser.add_argument("--pool-size", type=int, default=16320, help="training clips to render")
    parser.add_argument("--validation-size", type=int, default=384, help="validation clips")
    parser.add_argument("--clips", type=int, default=66000, help="clips to train on, with repetition")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.02)
    parser.add_argument("--clip-norm", type=float, default=5.0, help="largest gradient norm")
    parser.add_argument("--images", type=int, default=64, help="further single frames per step")
    parser.add_argument("--tracks", type=int, default=16, help="point tracks per clip and step")
    parser.add_argument("--depth-frames", type=int, default=3, help="frames per clip and step whose depth is decoded")
    parser.add_argument("--log-every", type=int, default=25)
    parser.add_argument("--eval-every", type=int, default=500)
    parser.add_argument("--save-every", type=int, default=50, help="steps between states that a run resumes from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True, help="autocast to bfloat16")
    train(parser.parse_args(words))
