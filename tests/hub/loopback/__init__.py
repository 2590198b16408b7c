# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A server on 127.0.0.1 that speaks the Hub's HTTP protocol, for the unmodified huggingface_hub client."""
