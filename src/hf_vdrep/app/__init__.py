# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The comparison app: what the Space shows and `hf-vdrep demo` starts."""
