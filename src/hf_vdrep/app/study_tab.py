# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tab of the study."""


def study_tab() -> None:
    """Not yet."""
