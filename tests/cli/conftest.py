# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A pair of tiny saved pipelines with random weights, and a few media files."""

import av
import numpy as np
import pytest
import torch
from PIL import Image


@pytest.fixture(scope="session")
def tiny_pair(tmp_path_factory):
    """Folders of an I-WALT and a V-WALT with two blocks of width 8."""
    from hf_vdrep.models import AutoencoderWalt, WaltPipeline, WaltTransformer3DModel
    from hf_vdrep.models.scheduler_walt import make_scheduler

    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("pair")
    vae = AutoencoderWalt(
        block_out_channels=(4, 4, 4, 4), layers_per_block=1, mid_block_layers=1, norm_num_groups=2, latent_channels=4
    )
    for name, objective in (("tiny-image", "image"), ("tiny-video", "video")):
        transformer = WaltTransformer3DModel(
            in_channels=4, num_layers=2, num_attention_heads=2, attention_head_dim=4, sample_size=2,
            spatial_window=(2, 2), spatiotemporal_window=(2, 2), objective=objective,
        )  # fmt: skip
        WaltPipeline(vae, transformer, make_scheduler()).save_pretrained(root / name)
    return root / "tiny-image", root / "tiny-video"


@pytest.fixture
def video(tmp_path):
    """A video of 24 frames at 12 fps."""
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for index in range(24):
            array = np.full((32, 48, 3), 8 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(array, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def photo(tmp_path):
    """A photograph of noise."""
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)).save(path)
    return path
