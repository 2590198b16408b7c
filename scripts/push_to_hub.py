# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Publish on the Hugging Face Hub; the same as `hf-vdrep push`.

python scripts/push_to_hub.py model v-walt --dry-run
"""

import sys

from hf_vdrep.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["push", *sys.argv[1:]]))
