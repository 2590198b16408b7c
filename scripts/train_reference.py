# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Train the end-to-end upper reference on ProbeWorld: pixels in, the labels of four tasks out.

    python scripts/train_reference.py --out runs/reference --clips 30000

Clips are rendered once, with their labels, into safetensors chunks beside the run; training reads them by row. Each
step's draws depend on (seed, step) alone, so that a stopped run resumes exactly: start it again with the same words.
"""

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tqdm.auto import tqdm

from hf_vdrep.data.probeworld import MOTION_NAMES, OBJECT_NAMES, ProbeWorld
from hf_vdrep.metrics.classification import top_k_correct
from hf_vdrep.metrics.depth import depth_errors
from hf_vdrep.metrics.tracking import tracking_scores
from hf_vdrep.probes.end_to_end import EndToEndReference
from hf_vdrep.probes.reference_files import save_reference

CHUNK = 96
GROUP = 16
LABELS = ("video", "object", "action_motion", "depth", "tracks", "visible")
# What a mirror does to a motion class: the pairs that name a side change places.
MIRRORED = torch.tensor([1, 0, 2, 3, 4, 5, 7, 6, 8, 9, 10, 11, 12, 13, 15, 14])

Batch = dict[str, torch.Tensor]


class Pool:
    """Rendered clips with labels, in chunks on disk, read by row."""

    def __init__(self, folder: Path, split: str, size: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.size = size
        world = ProbeWorld(split, size)
        self.chunks = []
        for start in tqdm(range(0, size, CHUNK), desc=f"render {split}", disable=None):
            path = folder / f"{split}-{start:06d}-{min(start + CHUNK, size):06d}.safetensors"
            if not path.exists():
                part = path.with_suffix(".part")
                save_file(render(world, range(start, min(start + CHUNK, size))), part)
                os.replace(part, path)
            self.chunks.append(safe_open(path, "pt"))

    def read(self, rows: list[int]) -> Batch:
        """A batch of samples."""
        found = [[self.chunks[row // CHUNK].get_slice(name)[row % CHUNK] for row in rows] for name in LABELS]
        return {name: torch.stack(values) for name, values in zip(LABELS, found, strict=True)}


def render(world: Any, indices: range) -> Batch:
    """Samples of the world, stacked; depth in half precision (relative error below 5e-4)."""
    samples = [sample for start in indices[::GROUP] for sample in world.batch(indices[start - indices[0] :][:GROUP])]
    stacked = {name: torch.stack([torch.as_tensor(sample[name]) for sample in samples]) for name in LABELS}
    return {**stacked, "depth": stacked["depth"].half()}


def augment(batch: Batch, draw: torch.Generator) -> Batch:
    """Mirror, play backwards, change the light: each clip by its own toss, labels with it."""
    size = len(batch["video"])
    back, mirror = torch.rand(2, size, generator=draw) < 0.5
    gain = 0.8 + 0.4 * torch.rand(size, 1, 1, 1, 1, generator=draw)
    gain = gain + 0.1 * torch.randn(size, 1, 1, 1, 3, generator=draw)
    video, depth = batch["video"], batch["depth"].float()
    tracks, visible, motion = batch["tracks"], batch["visible"], batch["action_motion"]
    video = torch.where(back[:, None, None, None, None], video.flip(1), video)
    depth = torch.where(back[:, None, None, None], depth.flip(1), depth)
    tracks = torch.where(back[:, None, None, None], tracks.flip(2), tracks)
    visible = torch.where(back[:, None, None], visible.flip(2), visible)
    motion = torch.where(back, motion ^ 1, motion)
    video = torch.where(mirror[:, None, None, None, None], video.flip(3), video)
    depth = torch.where(mirror[:, None, None, None], depth.flip(3), depth)
    across = torch.stack([1 - tracks[..., 0], tracks[..., 1]], -1)
    tracks = torch.where(mirror[:, None, None, None], across, tracks)
    motion = torch.where(mirror, MIRRORED[motion], motion)
    video = (video * gain).clamp_(0, 255).to(torch.uint8)
    labels = {"action_motion": motion, "depth": depth, "tracks": tracks, "visible": visible}
    return {**batch, "video": video, **labels}


def step_loss(model: EndToEndReference, pool: Pool, args: argparse.Namespace, step: int) -> Batch:
    """Losses of the batch of one step; its rows, tosses and sub-samples follow from (seed, step)."""
    epoch, place = divmod(step * args.batch, pool.size - pool.size % args.batch)
    order = torch.randperm(pool.size, generator=torch.Generator().manual_seed(args.seed * 1000 + epoch))
    draw = torch.Generator().manual_seed(args.seed * 1_000_003 + step)
    batch = augment(pool.read(order[place : place + args.batch].tolist()), draw)
    frames = torch.randperm(batch["video"].shape[1], generator=draw)[: args.depth_frames]
    # Tracks that can be asked for in frame 0 come first.
    rank = torch.rand(batch["visible"].shape[:2], generator=draw) + batch["visible"][:, :, 0].float()
    choice = rank.topk(args.tracks, dim=1).indices
    with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
        return model.loss(batch, depth_frames=frames, track_choice=choice)


def learning_rate(step: int, steps: int, args: argparse.Namespace) -> float:
    """Linear warm-up over 4 % of the run, then cosine to zero."""
    warm = max(1, int(0.04 * steps))
    if step < warm:
        return args.lr * (step + 1) / warm
    return args.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


@torch.no_grad()
def evaluate(model: EndToEndReference, pool: Pool, args: argparse.Namespace, batch_size: int = 16) -> dict[str, float]:
    """Scores on the validation clips: top-1 of object and motion, AbsRel, Average Jaccard and its parts."""
    model.eval()
    per_clip: dict[str, list[torch.Tensor]] = {}
    for start in range(0, pool.size, batch_size):
        batch = pool.read(list(range(start, min(start + batch_size, pool.size))))
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            found = model.predict(batch["video"], batch["tracks"][:, :, 0])
        for name, values in score(found, batch).items():
            per_clip.setdefault(name, []).append(torch.as_tensor(values, dtype=torch.float64))
    model.train()
    return {name: round(float(torch.cat(values).nanmean()), 4) for name, values in per_clip.items()}


def score(found: Batch, batch: Batch) -> dict[str, Any]:
    """Per-clip scores of predictions; tracks that are hidden in frame 0 cannot be asked for and are left out."""
    visible = batch["visible"]
    start = torch.where(visible[:, :, 0], 0, visible.shape[2])
    tracks = tracking_scores(
        found["tracks"].numpy(), found["visible"].numpy(), batch["tracks"].numpy(), visible.numpy(), start.numpy()
    )
    errors = depth_errors(found["depth"].numpy(), batch["depth"].numpy())
    return {
        "object": top_k_correct(found["object"].numpy(), batch["object"].numpy()),
        "action_motion": top_k_correct(found["action_motion"].numpy(), batch["action_motion"].numpy()),
        "abs_rel": errors["abs_rel"],
        "delta_1": errors["delta_1"],
        **{name: tracks[name] for name in ("average_jaccard", "delta_avg", "occlusion_accuracy")},
    }


def save_state(path: Path, model: EndToEndReference, optimizer: torch.optim.Optimizer, step: int) -> None:
    """Everything that a resumed run needs, in one file, whole or absent."""
    tensors = {f"model.{name}": value.contiguous().clone() for name, value in model.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value.contiguous().clone() for name, value in state.items()}
    tensors["step"] = torch.tensor(step)
    save_file(tensors, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def load_state(path: Path, model: EndToEndReference, optimizer: torch.optim.Optimizer) -> int:
    """Bring model and optimizer back; returns the steps done, 0 where there is nothing to bring back."""
    if not path.exists():
        return 0
    tensors = load_file(path)
    model.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".")
            states.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
    return int(tensors["step"])


def train(args: argparse.Namespace) -> None:
    """Render, train, evaluate, save."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    pool = Pool(args.pool, "train", args.pool_size)
    validation = Pool(args.pool, "validation", args.validation_size)
    model = EndToEndReference(len(OBJECT_NAMES), len(MOTION_NAMES))
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=args.weight_decay, fused=True)
    steps = args.clips // args.batch
    args.out.mkdir(parents=True, exist_ok=True)
    state = args.out / "state.safetensors"
    first = load_state(state, model, optimizer)
    log = args.out / "log.jsonl"
    means: dict[str, float] = {}
    began = time.perf_counter()
    bar = tqdm(range(first, steps), initial=first, total=steps, desc="train", disable=None)
    for step in bar:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps, args)
        parts = step_loss(model, pool, args, step)
        parts["loss"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        for name, value in parts.items():
            means[name] = 0.98 * means.get(name, value.item()) + 0.02 * value.item()
        if (step + 1) % args.log_every == 0 or step + 1 == steps:
            speed = (step + 1 - first) * args.batch / (time.perf_counter() - began)
            record(
                log, {"step": step + 1, "clips_per_s": round(speed, 2), **{k: round(v, 4) for k, v in means.items()}}
            )
        if (step + 1) % args.eval_every == 0 or step + 1 == steps:
            scores = evaluate(model, validation, args)
            record(log, {"step": step + 1, **{f"validation_{k}": v for k, v in scores.items()}})
            save_state(state, model, optimizer, step + 1)
            save_reference(model, args.out, record=provenance(args, step + 1, scores))


def provenance(args: argparse.Namespace, step: int, scores: dict[str, float]) -> dict[str, Any]:
    """What made the weights, for the config beside them."""
    settings = {name: value for name, value in vars(args).items() if not isinstance(value, Path)}
    return {"made_by": "scripts/train_reference.py", "settings": settings, "step": step, "validation": scores}


def record(log: Path, row: dict[str, Any]) -> None:
    """One line to the screen and to the log."""
    tqdm.write(json.dumps(row))
    with log.open("a") as file:
        file.write(json.dumps(row) + "\n")


def parse(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/reference"), help="folder of the run")
    parser.add_argument("--pool", type=Path, default=Path("runs/reference-pool"), help="folder of the rendered clips")
    parser.add_argument("--pool-size", type=int, default=6144, help="training clips to render")
    parser.add_argument("--validation-size", type=int, default=192, help="validation clips")
    parser.add_argument("--clips", type=int, default=30000, help="clips to train on, with repetition")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.02)
    parser.add_argument("--tracks", type=int, default=16, help="tracks per clip and step")
    parser.add_argument("--depth-frames", type=int, default=6, help="frames per clip and step whose depth is decoded")
    parser.add_argument("--log-every", type=int, default=25)
    parser.add_argument("--eval-every", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True, help="autocast to bfloat16")
    return parser.parse_args(words)


if __name__ == "__main__":
    train(parse(sys.argv[1:]))
