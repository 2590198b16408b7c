# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Train the tokenizer, on ProbeWorld or on any stream of videos and pictures (docs/data.md).

One process or one GPU: accelerate launch scripts/train_autoencoder.py --config scripts/recipes/tokenizer-tiny.yaml
Two CPU processes:      ACCELERATE_USE_CPU=1 torchrun --nproc_per_node 2 scripts/train_autoencoder.py --config ...
(`accelerate launch --cpu --num_processes 2` starts one process only.)
Videos and pictures:    ... --data /data/videos --image-data /data/pictures --image-fraction 0.2
The decoder alone:      ... --init-from VAE_FOLDER --train-only decoder    (the latents stay as they are, to the bit)
"""

import sys

from hf_vdrep.training.autoencoder import main

if __name__ == "__main__":
    sys.exit(main())
