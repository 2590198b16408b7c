# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Trainings in one and in two processes, run as a program.

pair_training.py FOLDER: exit codes land in FOLDER/codes.json.
"""

import copy
import json
import os
import socket
import sys
from pathlib import Path

import torch
from torch import nn

import hf_vdrep.training.checkpoint as checkpoint
from hf_vdrep.training.entry import run_entry
from hf_vdrep.training.loop import Run, build, chosen_copy, fit, leave, make_accelerator
from hf_vdrep.training.loop_config import LoopConfig
from hf_vdrep.training.stream import IndexStream


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))

    def forward(self, batch):
        return (self.model(batch["x"])[:, 0] - batch["y"]).square().mean(), {}


class Points:
    x = torch.randn(13, 4, generator=torch.Generator().manual_seed(0))
    stream = IndexStream(13, 4, seed=0)

    def __init__(self, die_at=None):
        self.die_at = die_at

    def batch(self, step, part, parts):
        if step == self.die_at and os.environ.get("RANK") == "1":
            os._exit(9)
        indices = self.stream.indices(step)[part::parts]
        x = self.x[torch.from_numpy(indices)]
        y = x.sum(1)
        if step == 3:  # one sample of the whole batch, so one process of two sees it
            y = y.where(torch.from_numpy(indices != self.stream.indices(3)[1]), torch.tensor(float("nan")))
        return {"x": x, "y": y, "ids": indices.tolist(), "items": len(indices)}

    def evaluate(self, model):
        return {"norm": float(sum(p.detach().square().sum() for p in model.parameters()))}


def make(folder, steps=8, **changes):
    config = LoopConfig(
        output_dir=folder,
        steps=steps,
        batch_size=4,
        warmup_steps=0,
        lr=0.01,
        log_every=1,
        save_every=4,
        keep=9,
        ema_decay=0.9,
        mixed_precision="no",
        cpu=True,
        threads=1,
        **changes,
    )
    torch.manual_seed(0)
    objective = Regression()
    return build(config, objective, objective.model, make_accelerator(config))


def plain(folder, **changes):
    run = make(folder, **changes)
    fit(run, Points())
    leave(run.accelerator)


def sharded(folder, steps):
    """What `build` does under FSDP2, on the CPU, where Accelerate does not shard."""
    from torch.distributed.fsdp import fully_shard

    from hf_vdrep.training.ema import Ema
    from hf_vdrep.training.guard import Guard
    from hf_vdrep.training.prepare import get_scheduler, make_optimizer

    torch.manual_seed(0)
    whole = make(folder, steps)
    objective = Regression()
    objective.load_state_dict(getattr(whole.objective, "module", whole.objective).state_dict())
    template = copy.deepcopy(objective.model)
    fully_shard(objective.model[0])
    fully_shard(objective)
    optimizer = make_optimizer(objective.model, whole.config)
    scheduler = get_scheduler("cosine", optimizer, num_warmup_steps=0, num_training_steps=8)
    ema = Ema(objective.model, 0.9)
    parts = (whole.config, whole.accelerator, objective, objective.model, optimizer, scheduler, ema)
    run = Run(*parts, guard=Guard(), template=template)
    fit(run, Points())
    copied = chosen_copy(run)
    if run.accelerator.is_main_process:
        torch.save({"copy": copied.state_dict()}, Path(folder) / "copy.pt")
    leave(run.accelerator)


def ends(folder):
    """The end of a tokenizer's and of a readout's training with sharded weights."""
    from hf_vdrep.models import AutoencoderWalt
    from hf_vdrep.probes.linear import MeanPoolClassifier
    from hf_vdrep.training import autoencoder, probe
    from hf_vdrep.training.autoencoder_config import AutoencoderTrainConfig

    common = {"mixed_precision": "no", "cpu": True}
    torch.manual_seed(0)
    shape = {"latent_channels": 4, "block_out_channels": [8, 8, 8, 8], "layers_per_block": 0, "mid_block_layers": 1}
    vae = AutoencoderWalt(**shape, norm_num_groups=4)
    run = end_of_training(AutoencoderTrainConfig(output_dir=f"{folder}/tokenizer", **common), vae)
    saved = chosen_copy(run)
    if saved is not None:
        clips = torch.arange(2 * 5 * 16 * 16 * 3).view(2, 5, 16, 16, 3).to(torch.uint8).numpy()
        autoencoder.finish(run, saved, lambda: clips, {"psnr": 1.0})
    readout = MeanPoolClassifier(8, 3)
    torch.nn.init.ones_(readout.head.weight)
    run = end_of_training(probe.ProbeTrainConfig(output_dir=f"{folder}/readout", **common), readout)
    saved = chosen_copy(run)
    if saved is not None:
        probe.finish(run, saved, (2, 1, 2, 2, 8), {"top_1": 1.0})
    leave(run.accelerator)


def end_of_training(config, model):
    """A run whose average is half of its weights."""
    from torch.distributed.fsdp import fully_shard

    from hf_vdrep.training.ema import Ema

    accelerator = make_accelerator(config)
    Path(config.output_dir).mkdir(parents=True, exist_ok=True)
    Path(config.output_dir, "log.jsonl").write_text('{"step": 1, "loss": 1.0}\n')
    template = copy.deepcopy(model)
    fully_shard(model)
    ema = Ema(model, 0.9)
    for value in ema.shadow.values():
        value.mul_(0.5)
    return Run(config, accelerator, model, model, None, None, ema, template=template)


def lost(folder):
    def train(_):
        fit(make(folder, 20), Points(die_at=12))

    return run_entry(train, lambda argv: argv, [])


def full(folder):
    def train(_):
        write = checkpoint.save_file

        def refuse(tensors, path):
            if Path(path).name == "rng-1.safetensors" and ".checkpoint-8" in str(path):
                raise OSError(28, "No space left on device")
            write(tensors, path)

        checkpoint.save_file = refuse
        fit(make(folder), Points())

    return run_entry(train, lambda argv: argv, [])


def pair(function, *arguments, **changes):
    """Run a function in two processes of one group; their exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(2):
        children.append(os.fork())
        if children[-1] == 0:
            os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", LOCAL_WORLD_SIZE="2")
            os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
            try:
                code = function(*arguments, **changes)
            except BaseException:
                import traceback

                traceback.print_exc()
                code = 77
            sys.stderr.flush()
            os._exit(code or 0)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def main(folder):
    child = os.fork()
    if child == 0:
        plain(f"{folder}/one")
        os._exit(0)
    codes = {"one": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}
    codes["two"] = pair(plain, f"{folder}/two", accumulation=2)
    codes["sharded"] = [pair(sharded, f"{folder}/sharded", steps) for steps in (5, 8)]
    codes["ends"] = pair(ends, f"{folder}/ends")
    codes["lost"] = pair(lost, f"{folder}/lost")
    codes["full"] = pair(full, f"{folder}/full")
    Path(folder, "codes.json").write_text(json.dumps(codes))


if __name__ == "__main__":
    main(sys.argv[1])
