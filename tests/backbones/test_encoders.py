# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Vision encoders of transformers through the contract of a backbone."""

import json

import pytest
import torch
from tiny_encoders import FRAMES, SIDE, tiny_encoder
from transformers import CLIPConfig, CLIPModel, ViTConfig, ViTModel

from hf_vdrep.backbones import EncoderBackbone, open_backbone
from hf_vdrep.backbones.encoder_families import FAMILIES
from hf_vdrep.backbones.encoder_input import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

CELL = 4


def clip(frames: int = 5, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (1, frames, SIDE, SIDE, 3), dtype=torch.uint8, generator=draw)


def read(backbone, videos, layers=None):
    layers = list(range(backbone.num_layers)) if layers is None else layers
    names = [str(row) for row in range(len(videos))]
    return backbone.extract(backbone.prepare(videos), sample_ids=names, layers=layers, timesteps=[None])


@pytest.mark.parametrize("model_type", sorted(FAMILIES))
def test_the_grid_lies_where_the_pixels_are(model_type):
    """A change in one small square of one frame moves that place of the map most, and for images that frame alone.

    Overlapping convolutions may move it by a cell.
    """
    backbone = EncoderBackbone(tiny_encoder(model_type))
    frame, row, column = 3, 20, 12
    plain = clip()
    changed = plain.clone()
    changed[:, frame, row : row + CELL, column : column + CELL] ^= 255
    for before, after in zip(read(backbone, plain), read(backbone, changed), strict=True):
        moved = (after.values - before.values).norm(dim=-1)[0]
        steps, height, width = moved.shape
        step, y, x = (int(part) for part in torch.unravel_index(moved.argmax(), moved.shape))
        first, stop = before.frame_spans[step].tolist()
        assert first <= frame < stop
        assert abs(y - (row + CELL // 2) * height // SIDE) <= 1
        assert abs(x - (column + CELL // 2) * width // SIDE) <= 1
        if not backbone.family.video:
            assert moved.flatten(1).amax(1).gt(1e-6).tolist() == [step == frame for step in range(steps)]
        assert before.stride == SIDE // height


def test_block_outputs_are_the_model_s_own_hidden_states():
    """The second truth: what transformers itself records, without the class token."""
    model = tiny_encoder("vit")
    videos = clip(2)
    backbone = EncoderBackbone(model)
    found = read(backbone, videos)
    own = model(backbone.prepare(videos).pixels[0], output_hidden_states=True).hidden_states
    for layer, feature_map in enumerate(found):
        assert feature_map.layer == layer
        torch.testing.assert_close(feature_map.values[0].flatten(1, 2), own[layer + 1][:, 1:])


def test_hiera_is_unrolled_as_the_model_unrolls_it():
    """`reshaped_hidden_states` of the stages' ends."""
    model = tiny_encoder("hiera")
    videos = clip(1)
    backbone = EncoderBackbone(model)
    found = read(backbone, videos, [0, 1, 3])
    own = model(backbone.prepare(videos).pixels[0], output_hidden_states=True).reshaped_hidden_states
    for feature_map, state in zip(found[:1] + found[2:], (own[1], own[-1]), strict=True):
        torch.testing.assert_close(feature_map.values[0], state)


def test_nothing_runs_after_the_deepest_block_asked_for():
    model = tiny_encoder("dinov2")
    ran = []
    handles = [
        block.register_forward_pre_hook(lambda *_, place=place: ran.append(place))
        for place, block in enumerate(model.encoder.layer)
    ]
    read(EncoderBackbone(model), clip(1), [0, 1])
    assert ran == [0, 1]
    for handle in handles:
        handle.remove()
    assert not any(module._forward_hooks for module in model.modules())


def test_a_video_encoder_spreads_its_frames_over_the_clip():
    """VideoMAE takes a fixed number of frames; the spans of its steps cover the clip without a gap."""
    backbone = EncoderBackbone(tiny_encoder("videomae"))
    spans = read(backbone, clip(17))[0].frame_spans
    assert len(spans) == FRAMES // 2
    assert spans[0, 0] == 0 and spans[-1, 1] == 17
    assert torch.equal(spans[1:, 0], spans[:-1, 1])


def test_an_image_is_enough_for_every_encoder():
    for model_type in ("vit", "videomae", "vjepa2"):
        found = read(EncoderBackbone(tiny_encoder(model_type)), clip(1), [0])[0]
        assert found.frame_spans[-1, 1] == 1 or model_type != "vit"
        assert torch.isfinite(found.values).all()


def test_samples_do_not_see_each_other():
    backbone = EncoderBackbone(tiny_encoder("siglip_vision_model"))
    both = torch.cat([clip(seed=1), clip(seed=2)])
    together = read(backbone, both, [2])[0].values
    for row in range(2):
        torch.testing.assert_close(together[row : row + 1], read(backbone, both[row : row + 1], [2])[0].values)


def test_an_open_folder_takes_its_own_mean_and_scale(tmp_path):
    """A ViT of 0.5s, as its processor's file says; without the file ImageNet's."""
    tiny_encoder("vit").save_pretrained(tmp_path)
    plain = open_backbone(tmp_path)
    assert (tuple(plain.preprocessing.mean), tuple(plain.preprocessing.std)) == (IMAGENET_MEAN, IMAGENET_STD)
    processor = {"image_processor_type": "ViTImageProcessor", "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    backbone = open_backbone(tmp_path)
    assert backbone.name == "vit"
    assert backbone.fingerprint != plain.fingerprint
    white = backbone.prepare(torch.full((1, 1, SIDE, SIDE, 3), 255, dtype=torch.uint8))
    torch.testing.assert_close(white.pixels, torch.full((1, 1, 3, SIDE, SIDE), 2.0))


def test_another_resolution_gives_a_finer_grid(tmp_path):
    tiny_encoder("vit").save_pretrained(tmp_path)
    backbone = open_backbone(tmp_path, resolution=64)
    assert read(backbone, clip(1), [0])[0].values.shape[1:4] == (1, 8, 8)


def test_the_vision_tower_of_a_model_of_images_and_text_is_read():
    text = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    vision = {**text, "image_size": SIDE, "patch_size": 8}
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))
    assert EncoderBackbone(model).num_layers == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: EncoderBackbone(tiny_encoder("gpt2")), "model must be a vision encoder of vit, .*got 'gpt2'"),
        (lambda: read(EncoderBackbone(tiny_encoder("vit")), clip(1), [3]), "got 3"),
        (lambda: EncoderBackbone(tiny_encoder("vit")).check_timesteps([100]), "timestep must be None"),
        (lambda: read(EncoderBackbone(tiny_encoder("vit")), clip(1).float()), "videos must be uint8"),
    ],
    ids=["text model", "layer", "timestep", "floats"],
)
def test_what_cannot_be_read_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_resolution_that_a_family_cannot_take_is_refused(tmp_path):
    tiny_encoder("videomae").save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="resolution must be 32 for a videomae, got 64"):
        open_backbone(tmp_path, resolution=64)


def test_hooks_that_cannot_fire_are_no_silence():
    """A compiled model calls no hooks that came later."""
    model = ViTModel(ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=SIDE))
    backbone = EncoderBackbone(model)
    backbone.blocks[0] = type(backbone.blocks[0])("layers.0", torch.nn.Linear(1, 1))
    with pytest.raises(RuntimeError, match="Linear never ran"):
        read(backbone, clip(1), [0])


@pytest.mark.parametrize(("side", "resolution", "read_at"), [(45, None, 48), (3, None, 8), (64, 45, 48)])
def test_no_pixel_is_left_out_where_patches_do_not_divide_a_side(side, resolution, read_at):
    """SigLIP 2 takes any size; a frame becomes the nearest one that its patches of 8 pixels cover."""
    size = (resolution, resolution) if resolution else None
    backbone = EncoderBackbone(tiny_encoder("siglip2_vision_model"), Preprocessing(size))
    videos = torch.zeros(1, 1, side, side, 3, dtype=torch.uint8)
    assert backbone.prepare(videos).pixels.shape[3:] == (read_at, read_at)
    assert read(backbone, videos)[0].values.shape[2:4] == (read_at // 8, read_at // 8)
