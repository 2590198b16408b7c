# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A training on a stream, run as a program so that tests can kill it.

stream_training.py train FOLDER [pause]: one training, alone or under torchrun.
stream_training.py torture FOLDER KILLS SEED PROCESSES: once in FOLDER/whole, then in FOLDER/killed, in child
processes that are killed KILLS times; after each kill `run.json` must still say running.
"""

import json
import os
import random
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hf_vdrep.training.loop import build, fit, leave, make_accelerator
from hf_vdrep.training.loop_config import LoopConfig

STEPS = 40


class Regression(nn.Module):
    """Dropout draws from each process's own generator."""

    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.2), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, batch):
        return (self.model(batch["x"])[:, 0] - batch["y"]).square().mean(), {}


class Stream:
    """What comes next depends on all that came before; going back without a position is impossible."""

    def __init__(self, pause):
        self.readers, self.pause = {}, pause

    def batch(self, step, part, parts):
        time.sleep(self.pause)
        reader = self.readers.setdefault(part, np.random.default_rng(part))
        x = torch.from_numpy(reader.normal(size=(2, 4))).float()
        y = x.sum(1) * (float("nan") if (step, part) == (17, 1) else 50.0 if step == 29 else 1.0)
        position = {str(part): reader.bit_generator.state for part, reader in self.readers.items()}
        return {"x": x, "y": y, "ids": [f"{step}.{part}"], "items": 2, "position": position}

    def seek(self, position):
        for part, state in position.items():
            self.readers[int(part)] = np.random.default_rng()
            self.readers[int(part)].bit_generator.state = state

    def evaluate(self, model):
        return {"norm": float(sum(p.square().sum() for p in model.parameters()))}


def train(folder, pause=0.0):
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    config = LoopConfig(
        output_dir=folder,
        steps=STEPS,
        batch_size=4 * processes,
        accumulation=2,
        warmup_steps=5,
        log_every=1,
        eval_every=10,
        save_every=3,
        ema_decay=0.9,
        spike_factor=20.0,
        spike_window=8,
        mixed_precision="no",
        cpu=True,
        threads=1,
    )
    torch.manual_seed(0)
    objective = Regression()
    accelerator = make_accelerator(config)
    torch.manual_seed(100 + accelerator.process_index)
    fit(build(config, objective, objective.model, accelerator), Stream(pause))
    leave(accelerator)


def lines(folder):
    try:
        return (Path(folder) / "log.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def launch(folder, processes, pause):
    """The training in child processes, with what torchrun would set; their process ids."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = []
    for rank in range(processes):
        children.append(os.fork())
        if children[-1] == 0:
            if processes > 1:
                os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes))
                os.environ.update(LOCAL_WORLD_SIZE=str(processes), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
            train(folder, pause)
            os._exit(0)
    return children


def torture(folder, kills, seed, processes):
    chance = random.Random(seed)
    for attempt in range(kills + 1):
        children = launch(folder, processes, 0.005 if kills else 0)
        if attempt < kills:
            goal = (STEPS - 8) * (attempt + chance.random()) / kills
            while lines(folder) < goal:
                time.sleep(0.001)
            time.sleep(chance.random() * 0.05)
            for child in children:
                os.kill(child, signal.SIGKILL)
            print("killed with", lines(folder), "lines and", sorted(p.name for p in Path(folder).glob("*checkpoint*")))
        for child in children:
            assert os.waitpid(child, 0)[1] == (0 if attempt == kills else signal.SIGKILL)
        file = Path(folder) / "run.json"
        if file.exists():
            about = json.loads(file.read_text())
            assert about["state"] == ("done" if attempt == kills else "running")
            assert about["pid"] == children[0] or attempt < kills


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 0.0)
    else:
        folder, kills, seed, processes = sys.argv[2], *map(int, sys.argv[3:])
        torture(f"{folder}/whole", 0, 0, processes)
        torture(f"{folder}/killed", kills, seed, processes)
