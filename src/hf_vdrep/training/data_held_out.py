# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The first samples of a data set, in the order of its files: what validation and statistics read."""

import itertools

import torch

from ..data.streams import SampleStream, SkipLimit
from .data_config import DataConfig
from .data_lanes import frames_of
from .data_sources import OpenedData, open_clips_data, open_pictures_data


def open_still(config: DataConfig, split: str) -> OpenedData:
    """A split as it is validated on: clips from their usual start, or pictures where there are no clips.

    Raises:
        ValueError: no such data or split, or a split of no sample.
    """
    try:
        data = _open(config, split)
    except ValueError as error:
        if not str(error).startswith("split must"):
            raise
        raise ValueError(
            f"{error}; train_split=train/fit with eval_split=train/select keeps 5 % of an undivided set for validation"
        ) from error
    if data.size == 0:
        raise ValueError(
            f"eval_split must hold a sample, got none in {split} of {data.name}; of a set too small for 5 %, move some "
            "files into the folders train and validation"
        )
    return data


def _open(config: DataConfig, split: str) -> OpenedData:
    if config.only_pictures:
        return open_pictures_data(config, split)
    still = {} if config.data in ("probeworld", "probeworld-stream") else {"jitter": False}
    return open_clips_data(config, split, **still)


def first_samples(data: OpenedData, count: int, max_corrupt: float) -> torch.Tensor:
    """uint8 (n, T, H, W, 3), n <= count.

    Raises:
        ValueError: there is no sample.
    """
    limit = SkipLimit(share=max_corrupt)
    stream = SampleStream(data.spec, data.source, data.options, num_shards=1, limit=limit)
    frames = [frames_of(sample) for sample in itertools.islice(stream, count)]
    if not frames:
        raise ValueError(f"data must hold samples, got none in {data.name} ({stream.report})")
    return torch.stack(frames)
