# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""From the words of a config to a data set that can be streamed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.streams import SPECS, ReadOptions, StreamSpec
from ..data.streams.folders import PICTURES, VIDEOS, files_below
from ..data.streams.source import Source
from .data_config import DataConfig

_WORLD = ("probeworld", "probeworld-stream")


@dataclass(frozen=True)
class OpenedData:
    """One split of a data set, opened.

    Attributes:
        name: as the config calls it.
        spec: of the data set.
        source: its reader.
        options: how clips are read.
    """

    name: str
    spec: StreamSpec
    source: Source
    options: ReadOptions

    @property
    def size(self) -> int | None:
        """Records, where they are known when the set is opened."""
        return len(self.source) if hasattr(self.source, "__len__") else None

    @property
    def num_shards(self) -> int:
        """Parts that can be read independently of each other: files of a stream, records of an index."""
        if self.size is not None:
            return self.size
        return int(self.source.records(num_shards=1, mix=None).num_shards)


def open_clips_data(config: DataConfig, split: str, **changes: Any) -> OpenedData:
    """The clips of `config.data`.

    Args:
        config: settings of the data.
        split: train or validation, in our words.
        changes: reading options over `config.data_options`.

    Raises:
        ValueError: no such data, split or option, or nothing in it.
    """
    options = {**config.data_options, **changes}
    if config.data in _WORLD:
        return _open_world(config, split)
    return _open("data", config.data, config.data_root, split, options, config)


def open_pictures_data(config: DataConfig, split: str, **changes: Any) -> OpenedData:
    """The pictures of `config.image_data`; see `open_clips_data`."""
    options = {**config.image_options, **changes}
    return _open("image_data", str(config.image_data), config.image_root, split, options, config)


def _open_world(config: DataConfig, split: str) -> OpenedData:
    from .data_probeworld import PROBEWORLD, ProbeWorldSource

    size = config.pool_size if split == config.train_split else config.eval_clips
    source = ProbeWorldSource(split, size, config.resolution, config.num_frames)
    options = ReadOptions.of(PROBEWORLD, resolution=config.resolution, num_frames=config.num_frames)
    return OpenedData("probeworld", PROBEWORLD, source, options)


def _open(
    setting: str, data: str, root: str | None, split: str, options: Mapping[str, Any], config: DataConfig
) -> OpenedData:
    from ..data.streams import get_spec
    from ..data.streams.stream import open_source

    name, place = resolve(setting, data, root)
    spec = get_spec(name)
    given = dict(options)
    columns = given.pop("columns", None) or {}
    chosen = ReadOptions.of(spec, **{"resolution": config.resolution, "num_frames": config.num_frames, **given})
    try:
        source = open_source(spec, place, split, chosen, dict(columns))
    except OSError as error:  # the Hub or an object store does not answer
        raise ValueError(f"{setting} must be readable, got {data} ({' '.join(str(error).split())})") from error
    return OpenedData(data, spec, source, chosen)


def resolve(setting: str, data: str, root: str | None = None) -> tuple[str, str | None]:
    """(name of a stream's spec, its root) for what a user may call a data set.

    Args:
        setting: the setting's name, for errors; "image_data" prefers pictures where a folder holds both.
        data: a folder, tar files (a pattern or an address), a Hub id, or a spec's name.
        root: of a spec.

    Raises:
        ValueError: none of these.
    """
    if data in SPECS:
        return data, root
    if data.endswith(".tar"):
        return "webdataset", data
    folder = Path(data).expanduser()
    if folder.is_dir():
        return _kind_of(setting, folder), str(folder)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", data) and not data.startswith("."):
        return "hub", data
    raise ValueError(
        f"{setting} must be probeworld, an existing folder, tar files, a Hub id or one of {sorted(SPECS)}, got {data!r}"
    )


def _kind_of(setting: str, folder: Path) -> str:
    endings = {path.suffix.lower() for path in files_below(folder)}
    kinds = {
        "video-folder": bool(endings & set(VIDEOS)),
        "image-folder": bool(endings & set(PICTURES)),
        "webdataset": ".tar" in endings,
        "hub": ".parquet" in endings,
    }
    order = ("image-folder", "video-folder") if setting == "image_data" else ("video-folder", "image-folder")
    for kind in ("webdataset", "hub", *order):
        if kinds[kind]:
            return kind
    raise ValueError(f"{setting} must hold videos, pictures, tar or parquet files, got none in {folder}")
