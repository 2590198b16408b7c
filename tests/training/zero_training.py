# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""ZeRO 1 and 2 on two CPU processes against a plain run of one, for where DeepSpeed is installed.

DS_ACCELERATOR=cpu python tests/training/zero_training.py FOLDER: says what agrees, and exits 1 where anything does not.
"""

import json
import os
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

SHAPE = {
    "in_channels": 4,
    "sample_size": 2,
    "num_layers": 2,
    "num_attention_heads": 2,
    "attention_head_dim": 8,
    "spatial_window": [2, 2],
    "spatiotemporal_window": [2, 2],
}


LAST, TIMES = 999, "video_timestep"


class Latents:
    """Batches as a function of the step; the fifth is NaN on one process only."""

    def batch(self, step, part, parts):
        rng = torch.Generator().manual_seed(step)
        clean, noise = torch.randn(2, 4, 4, 5, 2, 2, generator=rng)
        clean[0] *= float("nan") if step == 4 else 1
        times = torch.full((4,), LAST) if step == 6 else torch.randint(LAST, (4,), generator=rng)
        batch = {"video": clean, "video_noise": noise, "video_timestep": times, "video_self": times % 2 == 0}
        part_of = {name: value[part::parts] for name, value in batch.items()}
        return {**part_of, "ids": list(range(4))[part::parts], "items": 4 // parts}

    def evaluate(self, model):
        return {"norm": float(sum(p.detach().square().sum() for p in model.parameters()))}


def train(folder, steps, accumulation=1, precision="no"):
    from hf_vdrep.models import WaltTransformer3DModel, make_scheduler
    from hf_vdrep.training.denoising import DenoisingObjective
    from hf_vdrep.training.loop import build, fit, leave, make_accelerator
    from hf_vdrep.training.loop_config import LoopConfig

    config = LoopConfig(
        output_dir=folder,
        steps=steps,
        batch_size=4,
        accumulation=accumulation,
        lr_schedule="constant",
        lr=0.01,
        log_every=1,
        save_every=3,
        keep=9,
        ema_decay=0.9,
        clip_norm=0.05,
        mixed_precision=precision,
        threads=1,
    )
    torch.manual_seed(0)
    model = WaltTransformer3DModel(**SHAPE)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.1)
    accelerator = make_accelerator(config)
    say_who(accelerator)
    objective, seen = DenoisingObjective(model, make_scheduler()), {}
    # The seventh: a finite loss, and one gradient that is not.
    objective.register_forward_pre_hook(lambda _, given: seen.update(last=bool((given[0][TIMES] == LAST).all())))
    next(model.parameters()).register_hook(lambda grad: grad * float("inf") if seen["last"] else grad)
    run = build(config, objective, model, accelerator)
    fit(run, Latents())
    leave(run.accelerator)


def say_who(accelerator):
    """Accelerate counts the processes of DeepSpeed on GPUs alone."""
    from accelerate.state import AcceleratorState, PartialState

    rank, world = (int(os.environ.get(name, default)) for name, default in (("RANK", "0"), ("WORLD_SIZE", "1")))
    for state in (AcceleratorState._shared_state, PartialState._shared_state):
        state.update(process_index=rank, local_process_index=rank, num_processes=world)
    assert accelerator.num_processes == world


def difference(one, other):
    """Largest difference of weights, average and moments of two checkpoints, by file."""
    from hf_vdrep.training.checkpoint import load_checkpoint

    tensors, others = load_checkpoint(one)[0], load_checkpoint(other)[0]
    found = {}
    for stem in ("model", "ema", "optimizer"):
        assert tensors[stem].keys() == others[stem].keys(), stem
        pairs = [(value, others[stem][name]) for name, value in tensors[stem].items()]
        found[stem] = max(float((a - b).abs().max()) for a, b in pairs)
    return found


def losses(folder):
    from hf_vdrep.training.log import read_log

    return [(r["step"], r.get("loss", "skipped")) for r in read_log(folder / "log.jsonl") if "eval/norm" not in r]


def main(folder):
    from pair_training import pair

    child = os.fork()
    if child == 0:
        train(f"{folder}/plain", 8)
        os._exit(0)
    codes = {"plain": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}
    os.environ["ACCELERATE_USE_DEEPSPEED"] = "true"
    for stage in (1, 2):
        os.environ["ACCELERATE_DEEPSPEED_ZERO_STAGE"] = str(stage)
        codes[f"whole {stage}"] = pair(train, f"{folder}/whole{stage}", 8)
        codes[f"parts {stage}"] = [pair(train, f"{folder}/parts{stage}", steps) for steps in (5, 8)]
        codes[f"micro {stage}"] = pair(train, f"{folder}/micro{stage}", 8, 2)
        codes[f"bf16 {stage}"] = pair(train, f"{folder}/bf16{stage}", 2, 1, "bf16")
    print(json.dumps(codes))
    root, wrong = Path(folder), False
    for stage in (1, 2):
        whole = root / f"whole{stage}" / "checkpoint-8"
        resumed = difference(whole, root / f"parts{stage}" / "checkpoint-8")
        plain = difference(whole, root / "plain" / "checkpoint-8")
        micro = difference(whole, root / f"micro{stage}" / "checkpoint-8")
        print(f"ZeRO {stage}: resumed {resumed}, one plain process {plain}, micro-batches {micro}")
        wrong |= any(resumed.values()) or max(*plain.values(), *micro.values()) > 1e-4
        print(losses(root / f"whole{stage}"), losses(root / f"bf16{stage}"), sep="\n")
    print(losses(root / "plain"))
    skipped = [[step for step, loss in losses(path) if loss == "skipped"] for path in root.glob("*[!6][12n]")]
    print(f"skipped {skipped}")
    return int(wrong or any(steps != [5, 7] for steps in skipped))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
