# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""accelerate launch scripts/train_probe.py --task depth --backbone v-walt --layer 0.75 --timestep 100"""

import sys

from hf_vdrep.training.probe import main

if __name__ == "__main__":
    sys.exit(main())
