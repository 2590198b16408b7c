# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Two processes that evaluate together; run as a script, this is the second of them.

Command: python metric_processes.py <cache folder>
"""

import sys

from metric_columns import OPTIONS, ROWS, part

from hf_vdrep.metrics.loading import NAMES, load

# Kind of split -> rows of the first process and of the second.
SHARES = {"uneven": (slice(3, ROWS), slice(0, 3)), "empty": (slice(0, ROWS), slice(0, 0))}


def evaluate_share(process: int, cache: str) -> dict:
    """(split, metric) -> what `compute` gives in this process."""
    results = {}
    for split, shares in SHARES.items():
        for name in NAMES:
            metric = load(name, num_process=2, process_id=process, experiment_id=split, cache_dir=cache, timeout=100)
            metric.add_batch(**part(name, shares[process]))
            results[split, name] = metric.compute(**OPTIONS.get(name, {}))
    return results


if __name__ == "__main__":
    print(repr(evaluate_share(1, sys.argv[1])))
