# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The transformers among diffusers' video denoisers, a few lines each."""

from typing import Any

import torch

from .denoiser_arguments import constant, mask, plain, text, vector, when
from .denoiser_family import Argument, Call, DenoiserFamily
from .denoiser_rotary import allegro_rotary, cogvideox_rotary
from .denoiser_sequences import (
    HELIOS_HISTORY,
    HELIOS_PAST,
    MINIMAX,
    cosmos3_positions,
    cosmos3_rows,
    framepack_places,
    past,
)

_TWO_STREAMS = "transformer_blocks.*|single_transformer_blocks.*"
_GUIDANCE: dict[str, Argument] = {"guidance": when("guidance_embeds", constant(1000.0))}
# What CLIP makes of an image, in tokens, and how wide; models that are conditioned on images see zeros.
_CLIP_TOKENS, _CLIP_WIDTH = 257, 1280


def _wan(blocks: str = "blocks.*", **options: Any) -> DenoiserFamily:
    arguments: dict[str, Argument] = {
        "encoder_hidden_states": text("text_dim"),
        "encoder_hidden_states_image": when("image_dim", text("image_dim", _CLIP_TOKENS)),
        **options.pop("arguments", {}),
    }
    return DenoiserFamily("video", blocks, arguments=arguments, **{"layout": "clip", **options})


def _vace_control(call: Call) -> torch.Tensor:
    """Nothing is given of the clip, all of it is to be made: grey twice, kept and new, and a mask of ones."""
    grey = call.grey(call.config.in_channels)
    held = call.config.vace_in_channels - 2 * grey.shape[1]
    return torch.cat([grey, grey, call.ones(call.batch, held, *call.latents.shape[2:])], dim=1)


def _cogvideox(**arguments: Argument) -> DenoiserFamily:
    known: dict[str, Argument] = {
        "encoder_hidden_states": text("text_embed_dim", "max_text_seq_length"),
        "image_rotary_emb": cogvideox_rotary,
    }
    return DenoiserFamily("video", arguments=known | arguments, layout="frames")


def _hunyuan(version: int = 1, **arguments: Argument) -> DenoiserFamily:
    known: dict[str, Argument] = {
        "encoder_hidden_states": text("text_embed_dim"),
        "encoder_attention_mask": mask(),
        "pooled_projections": vector("pooled_projection_dim"),
        **_GUIDANCE,
    }
    return DenoiserFamily("video", _TWO_STREAMS, arguments=known | arguments, layout="clip", version=version)


def _per_frame(call: Call) -> torch.Tensor:
    return call.level.unsqueeze(1).expand(-1, call.frames)


_EVERY_FRAME: dict[str, Argument] = {"timestep": _per_frame, "r_timestep": _per_frame}


def _silence(width: str) -> Argument:
    """One zero token of sound."""
    return lambda call: call.zeros(call.batch, 1, getattr(call.config, width))


def _ltx_scale(call: Call) -> tuple[float, float, float]:
    """Seconds per latent frame at 25 per second, and pixels per latent; LTX's own tokenizer where none is known."""
    frames, pixels = call.ratios or (8, 32)
    return (frames / 25, pixels, pixels)


_SIDES: dict[str, Argument] = {
    "num_frames": lambda call: call.grid[0],
    "height": lambda call: call.grid[1],
    "width": lambda call: call.grid[2],
}


def _refiner_rotary(call: Call) -> Any:
    frames, height, width = call.grid
    return call.model.build_rotary_emb_for_absolute_positions(
        batch_size=call.batch,
        frame_positions=list(range(frames)),
        height=height,
        width=width,
        device=call.latents.device,
        fps=16.0,  # SANA-WM's own
    )


def _axes_of_grid(call: Call) -> tuple[torch.Tensor, ...]:
    return tuple(torch.arange(side, device=call.latents.device) for side in call.grid)


def _kandinsky_scale(call: Call) -> tuple[float, float, float]:
    """Positions are closer together where a side is longer than the 480 to 854 pixels of the smaller training size."""
    pixels = call.ratios[1] if call.ratios else 8
    small = all(480 <= side * pixels <= 854 for side in call.latents.shape[3:])
    return (1, 2, 2) if small else (1, 3.16, 3.16)


def _words(call: Call) -> torch.Tensor:
    return torch.arange(call.words, device=call.latents.device)


def _wan_reference_pass(call: Call) -> Any:
    """A fresh store of keys and values: the pass over reference latents, which attends within itself."""
    from diffusers.models.transformers.transformer_wan_animate_2 import WanAnimate2KVCache

    return WanAnimate2KVCache(call.config.num_layers)


VIDEOS: dict[str, DenoiserFamily] = {
    # Text by cross-attention.
    "WanTransformer3DModel": _wan(),
    "ChronoEditTransformer3DModel": _wan(),
    "SkyReelsV2Transformer3DModel": _wan(
        arguments={"fps": when("inject_sample_info", constant(0, torch.int64))},
    ),
    "WanVACETransformer3DModel": _wan(arguments={"control_hidden_states": _vace_control}, grey=True, version=2),
    "WanAnimateTransformer3DModel": _wan(
        arguments={
            "pose_hidden_states": lambda call: call.zeros(
                call.batch, call.config.latent_channels, call.frames - 1, *call.latents.shape[3:]
            ),
            # Black, as where the pipeline guides away from a face.
            "face_pixel_values": lambda call: (
                -call.ones(call.batch, 3, 4 * (call.frames - 1) - 3, *[call.config.motion_encoder_size] * 2)
            ),
        },
        channels=lambda c: 2 * c.latent_channels + 4,
        version=2,
        note="the first latent frame is the reference image's place; needs two or more",
    ),
    "WanAnimate2Transformer3DModel": DenoiserFamily(
        "video",
        "blocks.*",
        arguments={
            "hidden_states": lambda call: list(call.latents[:, : call.config.out_dim]),
            "condition_latents": lambda call: list(call.latents[:, call.config.out_dim :]),
            "encoder_hidden_states": lambda call: list(call.zeros(call.batch, call.words, call.config.text_dim)),
            "encoder_hidden_states_image": when("use_img_emb", text(_CLIP_WIDTH, _CLIP_TOKENS)),
            "kv_cache": _wan_reference_pass,
            "kv_cache_mode": plain("extract"),
            "seq_len": lambda call: call.count,
            "offset_grid_sizes": lambda call: torch.tensor([call.grid]),
        },
        layout="own",
        channels="in_dim",
        note="its pass over reference latents, which the model runs at noise level 1 whatever the timestep",
    ),
    "AnyFlowTransformer3DModel": _wan(arguments=_EVERY_FRAME, layout="frames"),
    "AnyFlowFARTransformer3DModel": _wan(
        arguments={**_EVERY_FRAME, "chunk_partition": lambda call: [call.frames]}, layout="frames"
    ),
    "HeliosTransformer3DModel": DenoiserFamily(
        "video",
        "blocks.*",
        arguments={
            "encoder_hidden_states": text("text_dim"),
            "indices_hidden_states": lambda call: (
                torch.arange(call.frames, device=call.latents.device).expand(call.batch, -1) + HELIOS_PAST
            ),
            **HELIOS_HISTORY,
        },
        layout="clip",
        version=2,
    ),
    "AllegroTransformer3DModel": DenoiserFamily(
        "video",
        arguments={
            "encoder_hidden_states": text("caption_channels"),
            "encoder_attention_mask": mask(),
            "image_rotary_emb": allegro_rotary,
        },
        layout="clip",
    ),
    "LatteTransformer3DModel": DenoiserFamily(
        "video",
        "transformer_blocks.*|temporal_transformer_blocks.*",
        arguments={"encoder_hidden_states": text("caption_channels")},
        layout="clip",
        output="latte",
    ),
    "SanaVideoTransformer3DModel": DenoiserFamily(
        "video",
        arguments={
            "encoder_hidden_states": text("caption_channels"),
            "encoder_attention_mask": mask(),
            "guidance": when("guidance_embeds", lambda call: call.ones(call.batch) * call.config.guidance_embeds_scale),
        },
        layout="clip",
    ),
    "SanaWMTransformer3DModel": DenoiserFamily(
        "video",
        "blocks.*",
        arguments={
            "timestep": lambda call: call.level.view(-1, 1, 1).expand(-1, 1, call.frames),
            "encoder_hidden_states": lambda call: call.zeros(call.batch, 1, call.words, call.config.caption_channels),
            "mask": mask(),
        },
        layout="clip",
        note="without a camera's path",
    ),
    "CosmosTransformer3DModel": DenoiserFamily(
        "video",
        arguments={
            "encoder_hidden_states": text(
                lambda c: c.crossattn_proj_in_channels if c.use_crossattn_projection else c.text_embed_dim
            ),
            "fps": plain(24),
            "condition_mask": lambda call: None,
            "padding_mask": when("concat_padding_mask", lambda call: call.zeros(1, 1, *call.latents.shape[3:])),
        },
        layout="clip",
        scale="sigma",
    ),
    "Kandinsky5Transformer3DModel": DenoiserFamily(
        "video",
        "visual_transformer_blocks.*",
        arguments={
            "encoder_hidden_states": text("in_text_dim"),
            "pooled_projections": vector("in_text_dim2"),
            "visual_rope_pos": _axes_of_grid,
            "text_rope_pos": _words,
            "scale_factor": _kandinsky_scale,
        },
        layout="last",
        channels=lambda c: 2 * c.in_visual_dim + 1 if c.visual_cond else c.in_visual_dim,
        version=2,
    ),
    "Kandinsky6Transformer3DModel": DenoiserFamily(
        "video",
        "visual_transformer_blocks.*",
        arguments={
            "encoder_hidden_states": text("in_text_dim"),
            "pooled_projections": vector("in_text_dim2"),
            "audio_hidden_states": plain(None),
        },
        layout="last",
        channels=lambda c: 2 * c.in_visual_dim + 1 if c.visual_cond else c.in_visual_dim,
        version=2,
        note="without sound",
    ),
    "Kandinsky6SRTransformer3DModel": DenoiserFamily(
        "video",
        "visual_transformer_blocks.*",
        layout="last",
        output="fractal",
        channels=lambda c: 2 * c.in_visual_dim + 1,
        note="grids of multiples of 8",
    ),
    # Video and text side by side.
    "CogVideoXTransformer3DModel": _cogvideox(ofs=when("ofs_embed_dim", lambda call: call.zeros(1) + 2.0)),
    "ConsisIDTransformer3DModel": _cogvideox(
        id_cond=when("is_train_face", lambda call: call.zeros(call.batch, call.config.LFE_id_dim)),
        id_vit_hidden=when(
            "is_train_face",
            lambda call: [call.zeros(call.batch, 577, call.config.LFE_vit_dim)] * call.config.LFE_num_scale,
        ),
    ),
    "EasyAnimateTransformer3DModel": DenoiserFamily(
        "video",
        arguments={
            "encoder_hidden_states": text("text_embed_dim"),
            "encoder_hidden_states_t5": when("text_embed_dim_t5", text("text_embed_dim_t5")),
        },
        layout="clip",
    ),
    "MochiTransformer3DModel": DenoiserFamily(
        "video",
        arguments={"encoder_hidden_states": text("text_embed_dim"), "encoder_attention_mask": mask(dtype=torch.bool)},
        layout="clip",
        scale="clean_steps",
    ),
    "HunyuanVideoTransformer3DModel": _hunyuan(),
    "HunyuanVideoFramepackTransformer3DModel": _hunyuan(
        version=2,
        image_embeds=when("has_image_proj", text("image_proj_dim", _CLIP_TOKENS)),
        indices_latents=lambda call: torch.arange(1, call.frames + 1, device=call.latents.device),
        latents_clean=past(2),
        indices_latents_clean=framepack_places(0),
        latents_history_2x=past(2),
        indices_latents_history_2x=framepack_places(1, 3),
        latents_history_4x=past(16),
        indices_latents_history_4x=framepack_places(3, 19),
    ),
    "HunyuanVideo15Transformer3DModel": DenoiserFamily(
        "video",
        arguments={
            "encoder_hidden_states": text("text_embed_dim"),
            "encoder_attention_mask": mask(),
            "encoder_hidden_states_2": text("text_embed_2_dim"),
            "encoder_attention_mask_2": mask(),
            "image_embeds": text("image_embed_dim"),
            "timestep_r": when("use_meanflow", lambda call: call.level),
        },
        layout="clip",
    ),
    "MotifVideoTransformer3DModel": DenoiserFamily(
        "video",
        _TWO_STREAMS,
        arguments={
            "encoder_hidden_states": text("text_embed_dim"),
            "encoder_attention_mask": mask(),
        },
        layout="clip",
    ),
    # Packed latents.
    "LTXVideoTransformer3DModel": DenoiserFamily(
        "video",
        arguments={
            "encoder_hidden_states": text("caption_channels"),
            "encoder_attention_mask": mask(),
            "rope_interpolation_scale": _ltx_scale,
            **_SIDES,
        },
        layout="packed",
    ),
    "LTX2VideoTransformer3DModel": DenoiserFamily(
        "video",
        arguments={
            "audio_hidden_states": _silence("audio_in_channels"),
            "encoder_hidden_states": text("caption_channels"),
            "audio_encoder_hidden_states": text("caption_channels"),
            "encoder_attention_mask": mask(),
            "audio_encoder_attention_mask": mask(),
            "sigma": lambda call: call.level,
            "audio_num_frames": plain(1),
            # The one token of sound is there as the model wants it to be, and neither hears the other.
            "isolate_modalities": plain(True),
            "use_cross_timestep": plain(True),
            **_SIDES,
        },
        layout="packed",
        version=2,
        note="without sound",
    ),
    "SanaWMLTX2RefinerTransformer3DModel": DenoiserFamily(
        "video",
        arguments={
            "encoder_hidden_states": text("caption_channels"),
            "encoder_attention_mask": mask(),
            "video_rotary_emb": _refiner_rotary,
        },
        layout="packed",
        version=2,
    ),
    "MiniMaxH3Transformer3DModel": DenoiserFamily(
        "video",
        arguments={
            "timestep": lambda call: call.level[:1],
            "encoder_hidden_states": text("text_dim"),
            "audio_hidden_states": _silence("audio_in_channels"),
            **MINIMAX,
        },
        layout="packed",
        pack=2,
        patch=(1, 1, 1),
        channels=lambda c: 4 * c.in_channels,
        scale="clean",
        version=2,
        one_level=True,
    ),
    "Cosmos3OmniTransformer": DenoiserFamily(
        "video",
        "layers.*",
        arguments={
            "input_ids": lambda call: torch.zeros(call.words, dtype=torch.int64, device=call.latents.device),
            "text_indexes": _words,
            "position_ids": cosmos3_positions,
            "und_len": lambda call: call.words,
            "sequence_length": lambda call: call.words + call.count,
            "vision_tokens": lambda call: [call.latents],
            "vision_token_shapes": lambda call: [call.grid],
            "vision_sequence_indexes": cosmos3_rows,
            "vision_mse_loss_indexes": cosmos3_rows,
            "vision_timesteps": lambda call: call.level.expand(call.count),
            "vision_noisy_frame_indexes": lambda call: [_axes_of_grid(call)[0]],
        },
        layout="own",
        time="",
        part=1,
        inner=1,
        channels="latent_channel",
        patch=lambda c: (1, c.latent_patch_size, c.latent_patch_size),
        single=True,
    ),
}
