# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The published models: parameters on the meta device, FLOPs against torch's counter, twins, other grids."""

from typing import Any

import pytest
import torch
from denoiser_variants import BASE, VARIANTS, build, inputs
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hf_vdrep.models import WaltTransformer3DModel
from hf_vdrep.models.walt_flops import forward_flops
from hf_vdrep.models.walt_resizing import interpolate_positions
from hf_vdrep.models.walt_sizes import SIZES, build_size, count_parameters, size_config
from hf_vdrep.models.walt_twin import image_twin, make_image_twin

torch.set_num_threads(1)


@pytest.mark.parametrize("name", SIZES)
def test_published_models_have_their_published_parameters(name: str):
    """WALT Tables 1-4 and §5.3, and the study: within 2 %, without memory for a single weight."""
    size = SIZES[name]
    counted = count_parameters(name) / 1e6
    print(f"{name:18} {counted:9.1f} M, published {size.published:7.0f} M, {counted / size.published - 1:+.1%}")
    assert counted == pytest.approx(size.published, rel=0.02)
    assert set(size.inferred) <= set(WaltTransformer3DModel.__init__.__annotations__)


@pytest.mark.parametrize(("rank", "millions"), [(2, 313), (4, 314), (16, 316), (64, 324), (256, 357)])
def test_ranks_cost_what_the_paper_says(rank: int, millions: int):
    """WALT Table 3d, the sweep over AdaLN-LoRA's rank; 357 M would count a correction in the first layer, too."""
    with torch.device("meta"):
        model = WaltTransformer3DModel(adaln_lora_rank=rank, num_classes=101)
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, rel=0.007)


def test_counts_follow_from_the_layout():
    """papers.md §2.2: 12 d^2 a layer, 4 d^2 more with text, 6 d^2 with modulations of their own."""
    rest = {"objective": "video", "num_layers": 0}

    def layers(**changes: Any) -> int:
        with torch.device("meta"):
            deep, empty = WaltTransformer3DModel(**changes), WaltTransformer3DModel(**{**changes, **rest})
        return sum(p.numel() for p in deep.parameters()) - sum(p.numel() for p in empty.parameters())

    square = 24 * 1024**2
    assert layers() == pytest.approx(12 * square, rel=0.01)
    assert layers(text_dim=8) - layers() == pytest.approx(4 * square, rel=0.01)
    assert layers(adaln_lora_rank=None) - layers() == pytest.approx(6 * square, rel=0.01)


def test_unknown_sizes_are_named():
    with pytest.raises(ValueError, match=r"size must be one of walt-l-k600, .*, got 'walt-xxl'"):
        size_config("walt-xxl")
    assert build_size("walt-l-k600", device="meta", num_layers=1).device.type == "meta"


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("frames", [3, 1])
@torch.no_grad()
def test_flops_agree_with_torch(variant: str, frames: int):
    """torch's counter over one forward, attention in its unfused form."""
    model = build(variant, sample_frames=frames)
    given = inputs(model, batch=1) | {"image_mask": None}
    given.pop("encoder_attention_mask", None)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model(**given)
    assert forward_flops(model.config, text_length=5) == counter.get_total_flops()


def test_published_video_twins_do_more_work_than_the_image_twins_only_in_attention():
    """5 x 8 x 8 windows hold 320 tokens, 1 x 16 x 16 ones 256: 4 N (320 - 256) d in every second of 16 layers."""
    video, image = (forward_flops(size_config(name)) for name in ("v-walt-284m", "i-walt-284m"))
    assert video - image == 8 * 4 * 1280 * (320 - 256) * 1024


def test_image_twin_of_a_config_and_of_a_model():
    """The study's fair comparison: the same parameters, no block that sees two frames."""
    model = build("everything")
    config = image_twin(model.config)
    assert config["objective"] == "image" and config["num_layers"] == 4 and not any(k[0] == "_" for k in config)
    twin = make_image_twin(model)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(twin.state_dict()[name], value, rtol=0, atol=0)
        assert twin.state_dict()[name].data_ptr() != value.data_ptr()
    assert not any(type(block).__name__ == "WaltSpatiotemporalBlock" for block in twin.blocks)
    assert SIZES["i-walt-1.9b"].config == image_twin(SIZES["v-walt-1.9b"].config)
    with pytest.raises(ValueError, match="config must have objective='video', got 'image'"):
        image_twin(config)


@pytest.mark.parametrize(
    "change",
    [
        {"sample_size": (4, 7), "spatial_window": (4, 7), "spatiotemporal_window": (2, 7)},
        {"sample_size": 8, "spatiotemporal_window": (4, 4)},
        {"sample_size": 3},
    ],
)
@torch.no_grad()
def test_another_grid_computes_what_the_model_does_there(change: dict[str, Any]):
    """Interpolated once into a new model, or on the fly at a new size: the same function."""
    model = build("video", **{k: v for k, v in change.items() if "window" in k})
    other = interpolate_positions(model, sample_size=change["sample_size"])
    assert other.config.sample_size == change["sample_size"] and model.config.sample_size == 4
    given = inputs(other)
    torch.testing.assert_close(other(**given).sample, model(**given).sample, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_model_for_more_frames_keeps_its_ends():
    model = build("video")
    longer = interpolate_positions(model, sample_frames=5, spatial_window=(2, 4))
    torch.testing.assert_close(longer.pos_embed_time[::2], model.pos_embed_time)
    torch.testing.assert_close(longer.blocks[1].attn.position_bias.time[::2], model.blocks[1].attn.position_bias.time)
    assert longer.config.spatial_window == (2, 4) and longer.blocks[0].window == (1, 2, 4)
    assert longer(torch.randn(1, 4, 5, 4, 4), torch.tensor([3])).sample.isfinite().all()


@pytest.mark.parametrize("patch", [1, 2, 4])
@torch.no_grad()
def test_patches_cut_the_tokens_and_not_the_latents(patch: int):
    """WALT §4.2, Table 8: patches 1, 2 and 4; a patch is a token, and the output has every latent pixel."""
    model = build("video", patch_size=patch, sample_size=8, spatial_window=(2, 2), spatiotemporal_window=(2, 1))
    latents = torch.randn(1, 4, 3, 8, 8)
    tokens, block_inputs = model.embed(latents, torch.tensor([3]))
    assert block_inputs.grid == (3, 8 // patch, 8 // patch) and tokens.shape[1] == 3 * (8 // patch) ** 2
    before = model(latents, torch.tensor([3])).sample
    assert before.shape == latents.shape
    model.proj_out.weight.zero_()
    model.proj_out.bias.copy_(torch.arange(4 * patch**2))
    rows = torch.arange(8)[:, None] % patch * patch * 4 + torch.arange(8)[None] % patch * 4
    expected = (rows + torch.arange(4)[:, None, None]).float().expand(1, 3, 4, 8, 8).transpose(1, 2)
    torch.testing.assert_close(model(latents, torch.tensor([3])).sample, expected)


@torch.no_grad()
def test_the_model_reads_other_sizes_than_it_was_trained_on():
    """9:16 after square training (WALT Table 6), smaller frames, fewer frames, sizes that no window divides."""
    model = WaltTransformer3DModel(**BASE)
    for shape in ((3, 4, 7), (2, 3, 3), (1, 9, 5), (3, 8, 8)):
        latents = torch.randn(1, 4, *shape)
        assert model(latents, torch.tensor([7])).sample.shape == latents.shape
