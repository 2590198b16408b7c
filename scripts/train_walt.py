# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""accelerate launch scripts/train_walt.py --config scripts/recipes/...yaml"""

import sys

from hf_vdrep.training.walt import main

if __name__ == "__main__":
    sys.exit(main())
