# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The transformers among diffusers' image denoisers, a few lines each."""

from typing import Any

import torch

from .denoiser_arguments import (
    constant,
    frame_shapes,
    grid_ids,
    image_ids,
    mask,
    pixels_of_grid,
    plain,
    text,
    text_ids,
    vector,
    when,
)
from .denoiser_family import Argument, Call, DenoiserFamily
from .denoiser_layout import pack
from .denoiser_rotary import hunyuan_dit_rotary, lumina_rotary

_TWO_STREAMS = "transformer_blocks.*|single_transformer_blocks.*"
_GUIDANCE: dict[str, Argument] = {"guidance": when("guidance_embeds", constant(1.0))}
_IDS = {"img_ids": image_ids(), "txt_ids": text_ids()}
_SIZES = {name: pixels_of_grid() for name in ("original_size", "target_size")}
_CORNER: dict[str, Argument] = {"crop_coords": lambda call: call.zeros(call.batch, 2)}


def _flux(arguments: dict[str, Argument], **options: Any) -> DenoiserFamily:
    """Latents in packed squares of four, text beside them and in single blocks before them."""
    known: dict[str, Any] = {"layout": "packed", "pack": 2, "patch": (1, 1, 1), "scale": "sigma", "part": 1}
    return DenoiserFamily("image", arguments=arguments, **{"blocks": _TWO_STREAMS, **known, **options})


def _size_conditions(call: Call) -> dict[str, torch.Tensor]:
    sides = call.latents.new_tensor([call.grid[1] * 16, call.grid[2] * 16])
    ratio = sides[:1] / sides[1:]
    return {"resolution": sides.expand(call.batch, 2), "aspect_ratio": ratio.expand(call.batch, 1)}


def _hunyuan_size(call: Call) -> torch.Tensor:
    sides = [1024, 1024, call.grid[1] * 16, call.grid[2] * 16, 0, 0]
    return call.latents.new_tensor(sides).repeat(call.batch, 1)


def _prior_tokens(call: Call) -> torch.Tensor:
    return torch.zeros(call.batch, call.count, dtype=torch.int64, device=call.latents.device)


def _joint_positions(start: int) -> Argument:
    """(L + N, 3): words at zero, then the grid."""

    def build(call: Call) -> torch.Tensor:
        return torch.cat([call.zeros(call.words, 3), grid_ids(call, 3, start)])

    return build


# Where Ideogram's grid begins on its axes, and the roles of its tokens: diffusers' transformer_ideogram4.
_IDEOGRAM_START, _IDEOGRAM_TEXT, _IDEOGRAM_IMAGE = 65536, 3, 2


def _ideogram_states(call: Call) -> torch.Tensor:
    rows = pack(call.latents, 2)
    return torch.cat([call.zeros(call.batch, call.words, rows.shape[2]), rows], dim=1)


def _ideogram_positions(call: Call) -> torch.Tensor:
    words = torch.arange(call.words, device=call.latents.device).unsqueeze(1).expand(-1, 3)
    cells = grid_ids(call, 3).long() + _IDEOGRAM_START
    return torch.cat([words, cells]).expand(call.batch, -1, -1)


def _ideogram_roles(call: Call) -> torch.Tensor:
    roles = torch.full((call.batch, call.words + call.count), _IDEOGRAM_IMAGE, device=call.latents.device)
    roles[:, : call.words] = _IDEOGRAM_TEXT
    return roles


def _joy_patches(call: Call) -> torch.Tensor:
    """(B, N, C, 1, p, p)."""
    steps, height, width = call.config.patch_size
    rows = pack(call.latents, height, steps)
    return rows.unflatten(2, (-1, steps, height, width))


def _qwen_slots(call: Call) -> torch.Tensor:
    """True where a slot of the text's sequence stands for four tokens of the image."""
    slots = torch.zeros(call.batch, call.words + call.count // 4, dtype=torch.bool, device=call.latents.device)
    slots[:, call.words :] = True
    return slots


def _omnigen_mask(call: Call) -> torch.Tensor:
    """Words and the token of the noise level see what stands before them, the image's tokens all."""
    head = call.words + 1
    seen = call.ones(head + call.count, head + call.count)
    seen[:head] = seen[:head].tril()
    return seen.expand(call.batch, -1, -1)


IMAGES: dict[str, DenoiserFamily] = {
    # Class or text by modulation and cross-attention.
    "DiTTransformer2DModel": DenoiserFamily(
        "image",
        arguments={
            "class_labels": lambda call: torch.full(
                (call.batch,), call.config.num_embeds_ada_norm, device=call.latents.device
            )
        },
    ),
    "PixArtTransformer2DModel": DenoiserFamily(
        "image",
        arguments={
            "encoder_hidden_states": text(lambda c: c.caption_channels or c.cross_attention_dim),
            "encoder_attention_mask": mask(),
            "added_cond_kwargs": lambda call: (
                _size_conditions(call)
                if call.model.use_additional_conditions
                else {"resolution": None, "aspect_ratio": None}
            ),
        },
    ),
    "HunyuanDiT2DModel": DenoiserFamily(
        "image",
        "blocks.*",
        arguments={
            "encoder_hidden_states": text("cross_attention_dim", "text_len"),
            "text_embedding_mask": mask("text_len"),
            "encoder_hidden_states_t5": text("cross_attention_dim_t5", "text_len_t5"),
            "text_embedding_mask_t5": mask("text_len_t5"),
            "image_meta_size": _hunyuan_size,
            "style": constant(0, torch.int64),
            "image_rotary_emb": hunyuan_dit_rotary,
        },
        note="trained on square grids",
    ),
    "SanaTransformer2DModel": DenoiserFamily(
        "image",
        arguments={
            "encoder_hidden_states": text("caption_channels"),
            "encoder_attention_mask": mask(),
            "guidance": when("guidance_embeds", lambda call: call.ones(call.batch) * call.config.guidance_embeds_scale),
        },
        ramp="timestep_scale",
    ),
    "LuminaNextDiT2DModel": DenoiserFamily(
        "image",
        "layers.*",
        arguments={
            "encoder_hidden_states": text("cross_attention_dim"),
            "encoder_mask": mask(),
            "image_rotary_emb": lumina_rotary,
            # Attention is as sharp as over the tokens of the size that it was trained on: 16 pixels, 2 latents, each.
            "cross_attention_kwargs": lambda call: {"base_sequence_length": (call.config.sample_size // 2) ** 2},
        },
        scale="clean",
        version=2,
    ),
    "PRXTransformer2DModel": DenoiserFamily(
        "image", "blocks.*", arguments={"encoder_hidden_states": text("context_in_dim")}, scale="sigma"
    ),
    "DreamLiteTransformer2DModel": DenoiserFamily(
        "image",
        arguments={
            "encoder_hidden_states": when("cross_attention_dim", text("cross_attention_dim")),
        },
        patch=(1, 1, 1),
        time="",
        note="a block of DreamLiteUNetModel that diffusers also exports alone; it takes maps of features",
    ),
    # Image and text side by side.
    "SD3Transformer2DModel": DenoiserFamily(
        "image",
        arguments={
            "encoder_hidden_states": text("joint_attention_dim"),
            "pooled_projections": vector("pooled_projection_dim"),
        },
        part=1,
    ),
    "CogView3PlusTransformer2DModel": DenoiserFamily(
        "image", arguments={"encoder_hidden_states": text("text_embed_dim"), **_SIZES, **_CORNER}
    ),
    "CogView4Transformer2DModel": DenoiserFamily(
        "image", arguments={"encoder_hidden_states": text("text_embed_dim"), **_SIZES, **_CORNER}
    ),
    "GlmImageTransformer2DModel": DenoiserFamily(
        "image",
        arguments={
            "encoder_hidden_states": text("text_embed_dim"),
            "timestep": lambda call: (call.level - 1).clamp(min=0),
            "prior_token_id": _prior_tokens,
            "prior_token_drop": lambda call: call.ones(call.batch, call.count, dtype=torch.bool),
            "target_size": pixels_of_grid(),
            **_CORNER,
        },
    ),
    "JoyImageEditTransformer3DModel": DenoiserFamily(
        "image", "double_blocks.*", arguments={"encoder_hidden_states": text("text_dim")}, layout="clip"
    ),
    "JoyImageEditPlusTransformer3DModel": DenoiserFamily(
        "image",
        "double_blocks.*",
        arguments={
            "hidden_states": _joy_patches,
            "encoder_hidden_states": text("text_dim"),
            "shape_list": lambda call: [[call.grid]] * call.batch,
        },
        layout="own",
    ),
    "HunyuanImageTransformer2DModel": DenoiserFamily(
        "image",
        _TWO_STREAMS,
        arguments={
            "encoder_hidden_states": text("text_embed_dim"),
            "encoder_attention_mask": mask(),
            "encoder_hidden_states_2": when("text_embed_2_dim", text("text_embed_2_dim")),
            "encoder_attention_mask_2": when("text_embed_2_dim", mask()),
            "timestep_r": when("use_meanflow", lambda call: call.level),
            "guidance": when("guidance_embeds", constant(1000.0)),
        },
    ),
    # Image and text in one sequence.
    "AuraFlowTransformer2DModel": DenoiserFamily(
        "image",
        "joint_transformer_blocks.*|single_transformer_blocks.*",
        arguments={"encoder_hidden_states": text("joint_attention_dim")},
        scale="sigma",
        part=1,
    ),
    "Lumina2Transformer2DModel": DenoiserFamily(
        "image",
        "noise_refiner.*|layers.*",
        arguments={"encoder_hidden_states": text("cap_feat_dim"), "encoder_attention_mask": mask(dtype=torch.bool)},
        scale="clean",
    ),
    "OmniGenTransformer2DModel": DenoiserFamily(
        "image",
        "layers.*",
        arguments={
            "input_ids": lambda call: torch.zeros(
                call.batch, call.words, dtype=torch.int64, device=call.latents.device
            ),
            "input_img_latents": plain([]),
            "input_image_sizes": plain({}),
            "attention_mask": _omnigen_mask,
            "position_ids": lambda call: torch.arange(call.words + 1 + call.count, device=call.latents.device).expand(
                call.batch, -1
            ),
        },
        scale="clean",
        version=2,
    ),
    "ErnieImageTransformer2DModel": DenoiserFamily(
        "image",
        "layers.*",
        arguments={
            "text_bth": text("text_in_dim"),
            "text_lens": lambda call: call.ones(call.batch, dtype=torch.int64) * call.words,
        },
        output="sequence_first",
        side="first",
    ),
    "BriaFibo2Transformer2DModel": DenoiserFamily(
        "image",
        "noise_refiner.*|layers.*",
        arguments={
            "encoder_hidden_states": lambda call: call.zeros(
                call.batch, 1 + len(call.config.injection_layer_ids), call.words, call.config.cap_feat_dim
            ),
        },
        scale="sigma",
    ),
    "HiDreamImageTransformer2DModel": DenoiserFamily(
        "image",
        "double_stream_blocks.*|single_stream_blocks.*",
        arguments={
            "encoder_hidden_states_t5": text(lambda c: c.caption_channels[0]),
            "encoder_hidden_states_llama3": lambda call: call.zeros(
                1 + max(call.config.llama_layers), call.batch, call.words, call.config.caption_channels[-1]
            ),
            "pooled_embeds": vector("text_emb_dim"),
        },
        time="timesteps",
        side="first",
    ),
    "ZImageTransformer2DModel": DenoiserFamily(
        "image",
        "noise_refiner.*|layers.*",
        arguments={
            "x": lambda call: list(call.latents),
            "cap_feats": lambda call: list(call.zeros(call.batch, call.words, call.config.cap_feat_dim)),
            "patch_size": lambda call: call.config.all_patch_size[0],
            "f_patch_size": lambda call: call.config.all_f_patch_size[0],
        },
        layout="own",
        time="t",
        scale="clean",
        side="first",
        patch=lambda c: (c.all_f_patch_size[0], c.all_patch_size[0], c.all_patch_size[0]),
    ),
    # Packed squares of latents.
    "FluxTransformer2DModel": _flux(
        {
            "encoder_hidden_states": text("joint_attention_dim"),
            "pooled_projections": vector("pooled_projection_dim"),
            **_IDS,
            **_GUIDANCE,
        }
    ),
    "Flux2Transformer2DModel": _flux(
        {
            "encoder_hidden_states": text("joint_attention_dim"),
            "img_ids": image_ids(4, batched=True),
            "txt_ids": text_ids(4, batched=True, counted=(3,)),
            **_GUIDANCE,
        }
    ),
    "Flux3Transformer2DModel": _flux(
        {
            "encoder_hidden_states": text("joint_attention_dim"),
            # Half a place from cell to cell.
            "img_ids": lambda call: grid_ids(call, 4) * 0.5,
            "txt_ids": text_ids(4, counted=(3,)),
            "target_timestep": when("flow_map", lambda call: call.level),
        },
        version=2,
        blocks="mode_blocks.image.*|single_transformer_blocks.*",
    ),
    "ChromaTransformer2DModel": _flux({"encoder_hidden_states": text("joint_attention_dim"), **_IDS}),
    "LongCatImageTransformer2DModel": _flux(
        {
            "encoder_hidden_states": text("joint_attention_dim"),
            # The image begins where the longest text would end.
            "img_ids": image_ids(start=512, kind=1),
            "txt_ids": text_ids(counted=(1, 2)),
        }
    ),
    "OvisImageTransformer2DModel": _flux(
        {
            "encoder_hidden_states": text("joint_attention_dim"),
            "img_ids": image_ids(),
            "txt_ids": text_ids(counted=(1, 2)),
        }
    ),
    "BriaTransformer2DModel": _flux(
        {"encoder_hidden_states": text("joint_attention_dim"), **_IDS, **_GUIDANCE}, scale="steps"
    ),
    "BriaFiboTransformer2DModel": _flux(
        {
            "encoder_hidden_states": text("joint_attention_dim"),
            "text_encoder_layers": lambda call: (
                [text("text_encoder_dim")(call)] * (call.config.num_layers + call.config.num_single_layers)
            ),
            **_IDS,
            **_GUIDANCE,
        },
        scale="steps",
        pack=1,
    ),
    "QwenImageTransformer2DModel": _flux(
        {
            "encoder_hidden_states": text("joint_attention_dim"),
            "encoder_hidden_states_mask": mask(),
            "img_shapes": frame_shapes(),
            "additional_t_cond": when("use_additional_t_cond", constant(0, torch.int64)),
            **_GUIDANCE,
        },
        blocks="transformer_blocks.*",
    ),
    "QwenImage21Transformer2DModel": _flux(
        {
            "encoder_hidden_states": text("context_in_dim"),
            "img_shapes": frame_shapes(),
            "img_mask": _qwen_slots,
        },
        blocks="transformer_blocks.*",
        pack=1,
    ),
    "NucleusMoEImageTransformer2DModel": _flux(
        {
            "encoder_hidden_states": text("joint_attention_dim"),
            "encoder_hidden_states_mask": mask(),
            "img_shapes": frame_shapes(nested=False),
        },
        blocks="transformer_blocks.*",
    ),
    "Krea2Transformer2DModel": _flux(
        {
            "encoder_hidden_states": lambda call: call.zeros(
                call.batch, call.words, call.config.num_text_layers, call.config.text_hidden_dim
            ),
            "position_ids": _joint_positions(0),
        },
        blocks="transformer_blocks.*",
    ),
    "Ideogram4Transformer2DModel": _flux(
        {
            "hidden_states": _ideogram_states,
            "encoder_hidden_states": lambda call: call.zeros(
                call.batch, call.words + call.count, call.config.llm_features_dim
            ),
            "position_ids": _ideogram_positions,
            "segment_ids": lambda call: call.ones(call.batch, call.words + call.count, dtype=torch.int64),
            "indicator": _ideogram_roles,
        },
        blocks="layers.*",
        layout="own",
        scale="clean",
    ),
}
