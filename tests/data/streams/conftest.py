# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Streams without network, and a data set per layout, written once."""

import datasets
import published_layouts as layouts
import pytest

# datasets sleeps this long whenever a parquet iterator is closed early.
datasets.config.SLEEP_TIME_ON_THREADS_SHUTDOWN = 0


def _fixture(name, writer):
    @pytest.fixture(scope="session", name=name)
    def write(tmp_path_factory):
        root = tmp_path_factory.mktemp(name)
        return root, writer(root)

    return write


imagenet = _fixture("imagenet", layouts.write_imagenet)
places = _fixture("places", layouts.write_places)
inaturalist = _fixture("inaturalist", layouts.write_inaturalist)
kinetics = _fixture("kinetics", layouts.write_kinetics)
something = _fixture("something", layouts.write_something)
scannet = _fixture("scannet", layouts.write_scannet)
realestate = _fixture("realestate", layouts.write_realestate)
perception = _fixture("perception", layouts.write_perception)
waymo = _fixture("waymo", layouts.write_waymo)
