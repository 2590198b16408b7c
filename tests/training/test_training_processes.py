# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Two real processes learn what one learns."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
import torch
from torch import nn
from hf_vdrep.training.loop import build, fit, leave, make_accelerator
from hf_vdrep.training.loop_config import LoopConfig
from hf_vdrep.training.stream import IndexStream

class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Linear(4, 1)
    def forward(self, batch):
        return (self.model(batch["x"])[:, 0] - batch["x"].sum(1)).square().mean(), {}

class Points:
    x = torch.randn(11, 4, generator=torch.Generator().manual_seed(0))
    stream = IndexStream(11, 4, seed=0)
    def batch(self, step, part, parts):
        indices = self.stream.indices(step)[part::parts]
        return {"x": self.x[torch.from_numpy(indices)], "items": len(indices)}
    def evaluate(self, model):
        return {"bias": float(model.bias)}

config = LoopConfig(output_dir=sys.argv[1], steps=int(sys.argv[2]), batch_size=4, warmup_steps=0, log_every=1,
                    lr_schedule="constant_with_warmup", mixed_precision="no", cpu=True, keep=9)
torch.manual_seed(0)
objective = Regression()
accelerator = make_accelerator(config)
fit(build(config, objective, objective.model, accelerator), Points())
leave(accelerator)
"""


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_and_resume(tmp_path):
    """Same losses, averaged over processes, and each process keeps its own generators in the checkpoint."""
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", str(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "1"}
    subprocess.run([sys.executable, str(script), str(tmp_path / "one"), "6"], check=True, env=environment)
    for steps in ("3", "6"):
        subprocess.run([*launch, str(tmp_path / "two"), steps], check=True, env=environment)
    losses = []
    for name in ("one", "two"):
        records = [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        losses.append([(r["step"], r["items"], round(r["loss"], 4)) for r in records if "loss" in r])
    assert losses[0] == losses[1] and len(losses[0]) == 6
    assert (tmp_path / "two" / "checkpoint-6" / "rng-1.safetensors").is_file()
