# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Train V-WALT (`--objective video`) or I-WALT (`--objective image`), anew or from weights that are there.

One process or one GPU: accelerate launch scripts/train_walt.py --config scripts/recipes/v-walt-tiny.yaml
Its image twin:         accelerate launch scripts/train_walt.py --twin-of runs/v-walt-tiny
Going on:               accelerate launch scripts/train_walt.py --config ... --init-from v-walt
Adapters alone:         accelerate launch scripts/train_walt.py --config ... --init-from v-walt --lora-rank 8
Two CPU processes:      ACCELERATE_USE_CPU=1 torchrun --nproc_per_node 2 scripts/train_walt.py --config ...
(`accelerate launch --cpu --num_processes 2` starts one process only.)
"""

import sys

from hf_vdrep.training.walt import main

if __name__ == "__main__":
    sys.exit(main())
