# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tiny pipelines that draw their own latents, and how each is called without text, for the check of their steps."""

from collections.abc import Callable
from typing import Any

import diffusers
import torch
from tiny_denoisers import tiny_denoiser
from tiny_denoisers_more import _qwen, _seen, _text
from tiny_denoisers_pipelines import _SPLINE, WORDS, _flow, _hunyuan_vae, _image_vae, _wan_vae

from hf_vdrep.backbones.denoiser_layout import unpack

_DOWN, _UP = "DownEncoderBlock2D", "UpDecoderBlock2D"
_TEXT = ("text_encoder", "tokenizer")
_TEXTS = (*_TEXT, "text_encoder_2", "tokenizer_2")


def _build(pipeline: str, denoiser: str, vae: Any, scheduler: Any, absent: tuple[str, ...] = _TEXT, **rest: Any) -> Any:
    parts = {"vae": vae, "transformer": tiny_denoiser(denoiser), "scheduler": scheduler, **dict.fromkeys(absent)}
    return getattr(diffusers, pipeline)(**(parts | rest))


def _no_guidance() -> Any:
    return diffusers.ClassifierFreeGuidance(guidance_scale=1.0)


def _codes(**options: Any) -> Any:
    known = {"down_block_types": (_DOWN,) * 2, "up_block_types": (_UP,) * 2, "norm_num_groups": 4}
    return diffusers.VQModel(block_out_channels=(8, 8), latent_channels=4, **known, **options)


def _squares_vae() -> Any:
    """FLUX.2 keeps its statistics for squares of four latents."""
    return diffusers.AutoencoderKLFlux2(
        block_out_channels=(8,) * 4,
        down_block_types=(_DOWN,) * 4,
        up_block_types=(_UP,) * 4,
        latent_channels=4,
        norm_num_groups=4,
    )


def _hunyuan_image() -> Any:
    vae = diffusers.AutoencoderKLHunyuanImage(
        in_channels=3,
        out_channels=3,
        latent_channels=4,
        block_out_channels=(32, 32, 32, 32),
        layers_per_block=1,
        spatial_compression_ratio=8,
        sample_size=64,
    )
    transformer, guider = "HunyuanImageTransformer2DModel", _no_guidance()
    return _build("HunyuanImagePipeline", transformer, vae, _flow(), _TEXTS, guider=guider)


def _easyanimate() -> Any:
    vae = diffusers.AutoencoderKLMagvit(
        in_channels=3,
        latent_channels=4,
        out_channels=3,
        block_out_channels=(8, 8, 8, 8),
        down_block_types=["SpatialDownBlock3D", *["SpatialTemporalDownBlock3D"] * 3],
        up_block_types=["SpatialUpBlock3D", *["SpatialTemporalUpBlock3D"] * 3],
        layers_per_block=1,
        norm_num_groups=2,
        spatial_group_norm=False,
    )
    return _build("EasyAnimatePipeline", "EasyAnimateTransformer3DModel", vae, _flow())


def _unet(pipeline: str, denoiser: str, scheduler: Any, absent: tuple[str, ...] = _TEXT, **parts: Any) -> Any:
    return getattr(diffusers, pipeline)(
        unet=tiny_denoiser(denoiser), scheduler=scheduler, **dict.fromkeys(absent), **parts
    )


def _amused() -> Any:
    return diffusers.AmusedPipeline(
        vqvae=_codes(lookup_from_codebook=True, num_vq_embeddings=32),
        transformer=tiny_denoiser("UVit2DModel"),
        scheduler=diffusers.AmusedScheduler(mask_token_id=39),
        **dict.fromkeys(_TEXT),
    )


_HIDREAM = tuple(f"{part}{end}" for part in _TEXT for end in ("", "_2", "_3", "_4"))
_GLM = (*_TEXT, "processor", "vision_language_encoder")
_CLIP = {"num_frames": 5}
_FREE = {"guidance_scale": 1.0}

# Name -> (how it is built, how it is called).
STEPS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "amused": (
        _amused,
        {"prompt_embeds": torch.zeros(1, 16), "encoder_hidden_states": torch.zeros(1, 77, 16), "guidance_scale": 0.0},
    ),
    "animatediff": (
        lambda: _unet(
            "AnimateDiffPipeline",
            "UNetMotionModel",
            diffusers.DDIMScheduler(**_SPLINE),
            vae=_image_vae(),
            motion_adapter=None,
        ),
        {"prompt_embeds": _text(16), "num_frames": 3, **_FREE},
    ),
    "anyflow": (
        lambda: _build(
            "AnyFlowPipeline",
            "AnyFlowTransformer3DModel",
            _wan_vae(),
            diffusers.FlowMapEulerDiscreteScheduler(),
        ),
        # The velocity at the level itself, not the mean of it down to the next.
        {"prompt_embeds": _text(16), "use_mean_velocity": False, **_CLIP, **_FREE},
    ),
    "bria_fibo2": (
        lambda: _build(
            "BriaFibo2Pipeline",
            "BriaFibo2Transformer2DModel",
            _image_vae(),
            _flow(),
            ("text_encoder", "processor"),
        ),
        {"prompt_embeds": torch.zeros(1, 2, WORDS, 16), "prompt_embeds_mask": _seen(), **_FREE},
    ),
    "ddpm": (
        lambda: diffusers.DDPMPipeline(
            unet=tiny_denoiser("UNet2DModel", sample_size=16), scheduler=diffusers.DDPMScheduler()
        ),
        {"output_type": "np"},
    ),
    "easyanimate": (_easyanimate, {"prompt_embeds": _text(16), "prompt_attention_mask": _seen(), **_CLIP, **_FREE}),
    "ernie": (
        lambda: _build("ErnieImagePipeline", "ErnieImageTransformer2DModel", _squares_vae(), _flow()),
        {"prompt_embeds": [torch.zeros(WORDS, 16)], "use_pe": False, **_FREE},
    ),
    "flux2": (
        lambda: _build("Flux2Pipeline", "Flux2Transformer2DModel", _squares_vae(), _flow()),
        {"prompt_embeds": _text(32), **_FREE},
    ),
    "glm": (
        lambda: _build("GlmImagePipeline", "GlmImageTransformer2DModel", _image_vae(), _flow(), _GLM),
        {
            "prompt_embeds": _text(8),
            "negative_prompt_embeds": _text(8),
            "prior_token_ids": torch.zeros(1, 16, dtype=torch.int64),
            "guidance_scale": 2.0,
        },
    ),
    "hidream": (
        lambda: _build("HiDreamImagePipeline", "HiDreamImageTransformer2DModel", _image_vae(), _flow(), _HIDREAM),
        {
            "prompt_embeds_t5": _text(8),
            "prompt_embeds_llama3": torch.zeros(2, 1, WORDS, 4),
            "pooled_prompt_embeds": torch.zeros(1, 8),
            "guidance_scale": 0.0,
        },
    ),
    "hunyuan_image": (
        _hunyuan_image,
        {
            "prompt_embeds": _text(16),
            "prompt_embeds_mask": _seen(),
            "prompt_embeds_2": _text(8),
            "prompt_embeds_mask_2": _seen(),
        },
    ),
    "hunyuan_video15": (
        lambda: _build(
            "HunyuanVideo15Pipeline",
            "HunyuanVideo15Transformer3DModel",
            _hunyuan_vae(),
            _flow(),
            _TEXTS,
            guider=_no_guidance(),
        ),
        {
            "prompt_embeds": _text(16),
            "prompt_embeds_mask": _seen(),
            "prompt_embeds_2": _text(8),
            "prompt_embeds_mask_2": _seen(),
            **_CLIP,
        },
    ),
    "kandinsky3": (
        lambda: _unet("Kandinsky3Pipeline", "Kandinsky3UNet", diffusers.DDPMScheduler(), movq=_codes()),
        {"prompt_embeds": _text(12), "attention_mask": _seen(), **_FREE},
    ),
    "kandinsky5": (
        lambda: _build("Kandinsky5T2VPipeline", "Kandinsky5Transformer3DModel", _hunyuan_vae(), _flow(), _TEXTS),
        {
            "prompt_embeds_qwen": _text(8),
            "prompt_embeds_clip": torch.zeros(1, 8),
            "prompt_cu_seqlens": torch.tensor([0, WORDS], dtype=torch.int32),
            **_CLIP,
            **_FREE,
        },
    ),
    "lumina": (
        lambda: _build("LuminaPipeline", "LuminaNextDiT2DModel", _image_vae(), _flow()),
        {
            "prompt_embeds": _text(32),
            "prompt_attention_mask": _seen(),
            "negative_prompt": None,
            "guidance_scale": 0.0,
        },
    ),
    "motif": (
        lambda: _build(
            "MotifVideoPipeline", "MotifVideoTransformer3DModel", _wan_vae(), _flow(), guider=_no_guidance()
        ),
        {"prompt_embeds": _text(32), "prompt_attention_mask": _seen(), **_CLIP},
    ),
    "nucleus": (
        lambda: _build(
            "NucleusMoEImagePipeline",
            "NucleusMoEImageTransformer2DModel",
            _qwen().vae,
            _flow(),
            ("text_encoder", "processor"),
        ),
        {"prompt_embeds": _text(16), "prompt_embeds_mask": _seen(), **_FREE},
    ),
    "prx": (
        lambda: _build("PRXPipeline", "PRXTransformer2DModel", _image_vae(0.06), _flow()),
        {
            "prompt_embeds": _text(16),
            "prompt_attention_mask": _seen(torch.bool),
            "use_resolution_binning": False,
            **_FREE,
        },
    ),
    "text_to_video": (
        lambda: _unet(
            "TextToVideoSDPipeline", "UNet3DConditionModel", diffusers.DDIMScheduler(**_SPLINE), vae=_image_vae()
        ),
        {"prompt_embeds": _text(8), "num_frames": 3, **_FREE},
    ),
    "zimage": (
        lambda: _build("ZImagePipeline", "ZImageTransformer2DModel", _image_vae(0.06), _flow()),
        {"prompt_embeds": [torch.zeros(WORDS, 16)], "guidance_scale": 0.0},
    ),
}


def answer_of(output: Any) -> torch.Tensor:
    """The tensor of an output, or the first of its list."""
    found = output if isinstance(output, (torch.Tensor, tuple, list)) else output.sample
    while isinstance(found, (tuple, list)):
        found = found[0]
    return found


def latents_in(named: dict[str, Any], family: Any) -> torch.Tensor:
    """What the denoiser took, as (B, C, T, h, w)."""
    if "x" in named:
        return torch.stack(named["x"])
    if "input_ids" in named:
        return named["input_ids"][:, None, None].float()
    states = named[family.key]
    if family.layout == "packed":
        side = round(states.shape[1] ** 0.5)
        return unpack(states, (1, side, side), family.pack)
    if family.layout == "image":
        return states.unsqueeze(2)
    if family.layout == "last":
        return states.movedim(-1, 1)
    return states.transpose(1, 2) if family.layout == "frames" else states
