# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Every image and video denoiser of diffusers: the grid lies where the latents are."""

from typing import Any

import pytest
import torch
from tiny_denoisers import CONFIGS, tiny_denoiser

from hf_vdrep.backbones.denoiser_call import latent_channels
from hf_vdrep.backbones.denoiser_families import DENOISERS, exported_denoisers, family_of
from hf_vdrep.backbones.denoiser_layout import cell_of, pack, unpack
from hf_vdrep.backbones.denoiser_reading import read_denoiser
from hf_vdrep.backbones.denoiser_sites import blocks_of, sites_of

# Rows and columns of the grid where 6 x 4 will not do.
GRIDS = {
    "HunyuanDiT2DModel": (4, 4),
    "Kandinsky6SRTransformer3DModel": (8, 16),
    "I2VGenXLUNet": (32, 32),
    "UniDiffuserModel": (6, 6),
} | {name: (8, 8) for name in DENOISERS if "UNet" in name and name != "I2VGenXLUNet"}
# Flexible attention is compiled anew for each of these, which takes seconds.
SLOW = ("AnyFlowFARTransformer3DModel", "Kandinsky6SRTransformer3DModel")


def latents_of(name: str, model: Any) -> tuple[torch.Tensor, torch.Tensor, tuple[int, int, int], tuple[int, int]]:
    """Latents of two samples, the same with one cell of the first changed, that cell, and rows x columns."""
    family = family_of(name)
    channels = min(4, latent_channels(model.config, family))
    if name == "DreamLiteTransformer2DModel":
        channels = model.config.in_channels
    cell, (height, width) = cell_of(model.config, family), GRIDS.get(name, (6, 4))
    frames = 3 if family.kind == "video" else 1
    torch.manual_seed(1)
    latents = torch.randn(2, channels, frames * cell[0], height * cell[1], width * cell[2])
    if name == "UVit2DModel":
        latents = torch.randint(0, model.config.codebook_size, latents.shape).float()
    place = (frames - 1, height // 2, width // 2 - 1)
    changed = latents.clone()
    steps, rows, columns = (slice(at * side, (at + 1) * side) for at, side in zip(place, cell, strict=True))
    part = changed[0, :, steps, rows, columns]
    part.copy_((part + 7) % 32 if name == "UVit2DModel" else part + 3 * torch.randn(part.shape))
    return latents, changed, place, (height, width)


def sharpen(model: Any) -> None:
    """Keys become queries, made long, so that every token attends to itself: otherwise attention is a mean of all."""
    for module in model.modules():
        query, key = getattr(module, "to_q", None), getattr(module, "to_k", None)
        if query is not None and key is not None and query.weight.shape == key.weight.shape:
            key.weight.copy_(query.weight.mul_(10))
            if query.bias is not None:
                key.bias.copy_(query.bias.mul_(10))


def check_place(name: str, site: str) -> None:
    model = tiny_denoiser(name)
    if site == "attention":
        sharpen(model)
    blocks = [block for block in blocks_of(model, family_of(name)) if site in sites_of(block)]
    latents, changed, (frame, row, column), (height, width) = latents_of(name, model)
    with torch.inference_mode():
        before = read_denoiser(model, latents, 300, blocks, site=site)
        after = read_denoiser(model, changed, 300, blocks, site=site)
    for block, plain, other in zip(blocks, before, after, strict=True):
        moved = (other - plain).norm(dim=-1)
        rows, columns = moved.shape[2:]
        at = [int(place) for place in torch.unravel_index(moved[0].argmax(), moved[0].shape)]
        assert float(moved[0].max()) > 1e-6, block.name
        assert at[0] == frame, block.name
        assert abs(at[1] - (row + 0.5) * rows / height) <= 1.5, block.name
        assert abs(at[2] - (column + 0.5) * columns / width) <= 1.5, block.name
        assert float(moved[1].max()) <= 1e-4 * max(1.0, float(plain.abs().max())), block.name


def test_the_table_holds_every_denoiser_of_the_installed_release():
    """A new release of diffusers with a denoiser that the table lacks fails here."""
    assert set(exported_denoisers()) == set(DENOISERS) == set(CONFIGS)


@pytest.mark.parametrize("name", sorted(DENOISERS))
def test_a_changed_cell_moves_its_own_place_most(name):
    """Right frame exactly, the cell or its neighbour, the other sample not at all; in every block."""
    check_place(name, "block")


@pytest.mark.parametrize("site", ["norm", "attention", "mlp"])
@pytest.mark.parametrize("name", sorted(set(DENOISERS) - set(SLOW)))
def test_sites_within_a_block_lie_on_the_same_grid(name, site):
    if "UNet" in name or name in ("StableCascadeUNet", "UVit2DModel"):
        model = tiny_denoiser(name)
        assert all(sites_of(block)[0] == "block" for block in blocks_of(model, family_of(name)))
        return
    check_place(name, site)


def test_packing_is_undone_by_unpacking():
    latents = torch.randn(2, 3, 2, 4, 6)
    assert torch.equal(unpack(pack(latents, 2), (2, 2, 3), 2), latents)
    assert torch.equal(unpack(pack(latents, 2, 2), (1, 2, 3), 2, 2), latents)


def test_packing_is_that_of_flux():
    from diffusers import FluxPipeline

    latents = torch.randn(2, 3, 1, 4, 6)
    assert torch.equal(pack(latents, 2), FluxPipeline._pack_latents(latents[:, :, 0], 2, 3, 4, 6))
