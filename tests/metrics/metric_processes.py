# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""One of three processes that evaluate together; prints what `compute` gave it, by metric.

Command: python metric_processes.py <process_id> <cache folder>
"""

import sys

from metric_columns import OPTIONS, ROWS, part

from hf_vdrep.metrics.loading import NAMES, load

# Uneven shares, and an empty one.
SHARES = (slice(ROWS - 1, ROWS), slice(0, ROWS - 1), slice(0, 0))


def main(process: int, cache: str) -> None:
    """Evaluate this process's share with every metric."""
    results = {}
    for name in NAMES:
        metric = load(name, num_process=3, process_id=process, experiment_id="test", cache_dir=cache, timeout=60)
        metric.add_batch(**part(name, SHARES[process]))
        results[name] = metric.compute(**OPTIONS.get(name, {}))
    print(repr(results))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
