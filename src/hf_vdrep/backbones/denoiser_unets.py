# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""diffusers' UNets and their kin, of images and videos, a few lines each."""

from typing import Any

import torch

from .denoiser_arguments import constant, mask, plain, text, vector, when
from .denoiser_family import Argument, Call, DenoiserFamily

_LEVELS = "down_blocks.*|mid_block|up_blocks.*"
# Words of CLIP's text.
_CLIP_WORDS = 77


def _unet(kind: Any, layout: Any, version: int = 1, **arguments: Argument) -> DenoiserFamily:
    known: dict[str, Any] = {"key": "sample", "output": "maps", "patch": (1, 1, 1), "version": version}
    text_states: dict[str, Argument] = {"encoder_hidden_states": text(_text_width)}
    return DenoiserFamily(kind, _LEVELS, arguments=text_states | arguments, layout=layout, **known)


def _text_width(config: Any) -> int:
    wide = getattr(config, "encoder_hid_dim", None) or config.cross_attention_dim
    return int(wide if isinstance(wide, int) else max(wide))


def _class_labels(call: Call) -> torch.Tensor | None:
    kind = getattr(call.config, "class_embed_type", None)
    if kind in ("projection", "simple_projection"):
        return call.zeros(call.batch, call.config.projection_class_embeddings_input_dim)
    if kind is None and call.config.num_class_embeds is None:
        return None
    return torch.zeros(call.batch, dtype=torch.int64, device=call.latents.device)


def _added_conditions(call: Call) -> dict[str, torch.Tensor] | None:
    """SDXL's pooled text and sizes, or the images of Kandinsky 2.2, as zeros and the grid's own size."""
    config, kind = call.config, call.config.addition_embed_type
    added: dict[str, torch.Tensor] = {}
    if kind == "text_time":
        side = [8.0 * side for side in call.latents.shape[3:]]
        sizes = [*side, 0.0, 0.0, *side]
        pooled = config.projection_class_embeddings_input_dim - len(sizes) * config.addition_time_embed_dim
        added["text_embeds"] = call.zeros(call.batch, pooled)
        added["time_ids"] = call.latents.new_tensor(sizes).expand(call.batch, -1)
    elif kind in ("image", "image_hint") or config.encoder_hid_dim_type == "image_proj":
        added["image_embeds"] = call.zeros(call.batch, _text_width(config))
    elif kind == "text_image":
        added["image_embeds"] = call.zeros(call.batch, config.cross_attention_dim)
        added["text_embeds"] = call.zeros(call.batch, config.encoder_hid_dim or config.cross_attention_dim)
    return added or None


def _dreamlite_sizes(call: Call) -> dict[str, torch.Tensor] | None:
    if call.config.addition_embed_type is None:
        return None
    if call.config.addition_embed_type == "time":
        pixels = call.ratios[1] if call.ratios else 8
        height, width = (float(side * pixels) for side in call.latents.shape[3:])
        return {"time_ids": call.latents.new_tensor([width, height]).expand(call.batch, -1)}
    return _added_conditions(call)


def _beside_nothing(call: Call) -> torch.Tensor:
    """The picture and, at its right, the one to edit: zeros."""
    picture = call.latents.squeeze(2)
    return torch.cat([picture, torch.zeros_like(picture)], dim=3)


def _i2vgen_image(call: Call) -> torch.Tensor:
    """No first frame; each of the others says how far along the clip it is."""
    along = torch.linspace(0, 1, call.frames, device=call.latents.device).to(call.latents)
    return along.view(1, 1, -1, 1, 1).expand(call.latents.shape)


def _svd_ids(call: Call) -> torch.Tensor:
    """Frames per second less one, motion bucket and noise augmentation, at the pipeline's defaults."""
    return call.latents.new_tensor([6.0, 127.0, 0.02]).expand(call.batch, -1)


def _codes(call: Call) -> torch.Tensor:
    return call.latents[:, 0, 0].round().long()


def _amused_sizes(call: Call) -> torch.Tensor:
    """Width and height in pixels, the corner of the crop, and the score of beauty that the pipeline asks for."""
    pixels = call.ratios[1] if call.ratios else 16
    height, width = (float(side * pixels) for side in call.latents.shape[3:])
    return call.latents.new_tensor([width, height, 0, 0, 6]).expand(call.batch, -1)


UNETS: dict[str, DenoiserFamily] = {
    "UNet2DModel": DenoiserFamily(
        "image",
        _LEVELS,
        arguments={"class_labels": _class_labels},
        key="sample",
        output="maps",
        patch=(1, 1, 1),
    ),
    "UNet2DConditionModel": _unet("image", "image", class_labels=_class_labels, added_cond_kwargs=_added_conditions),
    "DreamLiteUNetModel": DenoiserFamily(
        "image",
        _LEVELS,
        arguments={
            "sample": _beside_nothing,
            "encoder_hidden_states": text(_text_width),
            "encoder_attention_mask": mask(dtype=torch.int64),
            "added_cond_kwargs": _dreamlite_sizes,
        },
        layout="own",
        output="left",
        patch=(1, 1, 1),
        version=2,
        note="the picture stands at the left, no picture to edit at its right",
    ),
    "Kandinsky3UNet": _unet("image", "image", encoder_attention_mask=mask()),
    "StableCascadeUNet": DenoiserFamily(
        "image",
        "down_blocks.*.*|up_blocks.*.*",
        arguments={
            "clip_text_pooled": lambda call: call.zeros(call.batch, 1, call.config.clip_text_pooled_in_channels),
            "clip_text": when("clip_text_in_channels", text("clip_text_in_channels", _CLIP_WORDS)),
            "clip_img": when("clip_image_in_channels", text("clip_image_in_channels", 1)),
            "effnet": when(
                "effnet_in_channels",
                lambda call: call.zeros(call.batch, call.config.effnet_in_channels, *call.latents.shape[3:]),
            ),
        },
        key="sample",
        time="timestep_ratio",
        scale="sigma",
        output="maps",
    ),
    "UVit2DModel": DenoiserFamily(
        "image",
        "down_block|transformer_layers.*|up_block",
        arguments={
            "input_ids": _codes,
            "encoder_hidden_states": text("encoder_hidden_size", _CLIP_WORDS),
            "pooled_text_emb": vector("cond_embed_dim"),
            "micro_conds": _amused_sizes,
        },
        layout="own",
        time="",
        channels=lambda c: 1,
        patch=lambda c: (1, 2, 2) if c.downsample else (1, 1, 1),
        version=2,
        note="codes in place of latents; the noise level is the share of masked codes",
    ),
    "UniDiffuserModel": DenoiserFamily(
        "image",
        "transformer.transformer_in_blocks.*|transformer.transformer_mid_block|transformer.transformer_out_blocks.*.block",
        arguments={
            "image_embeds": lambda call: call.zeros(call.batch, 1, call.config.clip_img_dim),
            "prompt_embeds": text("text_dim", "num_text_tokens"),
            # As the pipeline draws an image alone: the text is all noise.
            "timestep_text": plain(1000),
            "data_type": plain(1),
        },
        key="latent_image_embeds",
        time="timestep_img",
        version=2,
        note="takes the size of its config alone; give timestep_text = 0 with a text",
    ),
    "UNet3DConditionModel": _unet("video", "clip"),
    "UNetMotionModel": _unet(
        "video",
        "clip",
        # The text stands once per frame.
        encoder_hidden_states=lambda call: call.zeros(call.batch * call.frames, call.words, _text_width(call.config)),
        added_cond_kwargs=_added_conditions,
    ),
    "I2VGenXLUNet": _unet(
        "video",
        "clip",
        version=2,
        fps=constant(16, torch.int64),
        image_latents=_i2vgen_image,
        image_embeddings=lambda call: call.zeros(call.batch, call.config.cross_attention_dim),
    ),
    "UNetSpatioTemporalConditionModel": _unet(
        "video",
        "frames",
        encoder_hidden_states=text("cross_attention_dim", 1),
        added_time_ids=_svd_ids,
    ),
}
