# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Heads on the models that come with the package."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hf_vdrep import heads, probes
from hf_vdrep.models import WaltModel, shipped

CLIP = torch.rand(1, 17, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


@torch.no_grad()
@pytest.mark.parametrize("name", shipped.PAIR)
def test_a_shipped_model_takes_a_probe_and_comes_back_to_the_bit(name: str, tmp_path: Path):
    """17x64x64 pixels, features of block 4 of 8; the weights return to half precision as they came."""
    folder = shipped.path(name)
    walt = WaltModel.from_pretrained(folder)
    readout = probes.PoseReadout(walt.config.hidden_size, 5).eval()
    torch.nn.init.normal_(readout.head.weight)
    head = heads.WaltForCameraPose.from_probe(walt, readout, layer=4, timestep=100)
    pose = head(pixel_values_videos=CLIP).pose
    state = walt(pixel_values_videos=CLIP, timestep=100, output_hidden_states=[5]).hidden_states[5]
    torch.testing.assert_close(pose, readout.decode(readout(state.unflatten(1, (5, 8, 8)))), rtol=1e-4, atol=1e-5)
    head.save_pretrained(tmp_path / "walt", storage_dtype=torch.float16)
    for part in ("vae", "transformer"):
        file = f"{part}/diffusion_pytorch_model.safetensors"
        torch.testing.assert_close(load_file(tmp_path / "walt" / file), load_file(folder / file), rtol=0, atol=0)
    torch.testing.assert_close(
        heads.load_head(tmp_path / "walt")(pixel_values_videos=CLIP).pose, pose, rtol=1e-4, atol=1e-5
    )
