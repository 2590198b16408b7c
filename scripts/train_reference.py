# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Train the end-to-end upper reference on ProbeWorld: pixels in, the labels of all ten tasks out.

    python scripts/train_reference.py --out runs/reference --clips 30000

Clips are rendered once, with their labels, into safetensors chunks; a stopped run resumes when started again with the
same words. With glibc, MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 in the environment saves a fifth of the
time: freed activations are then kept instead of being given back to the system at every step.
"""

import sys

from hf_vdrep.training.reference import main

if __name__ == "__main__":
    sys.exit(main())
