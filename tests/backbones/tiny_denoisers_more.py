# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""More tiny pipelines for the self-check: how each is built, and how it is called without text."""

from collections.abc import Callable
from typing import Any

import diffusers
import torch
from tiny_denoisers import tiny_denoiser
from tiny_denoisers_pipelines import WORDS, _flow, _image_vae, _wan_vae


def _build(pipeline: str, denoiser: str, vae: Any, scheduler: Any, text: tuple[str, ...] = (), **config: Any) -> Any:
    absent = dict.fromkeys(text or ("text_encoder", "tokenizer"))
    model = tiny_denoiser(denoiser, **config)
    return getattr(diffusers, pipeline)(vae=vae, transformer=model, scheduler=scheduler, **absent)


def _text(width: int) -> torch.Tensor:
    return torch.zeros(1, WORDS, width)


def _seen(kind: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.ones(1, WORDS, dtype=kind)


def _sana() -> Any:
    vae = diffusers.AutoencoderDC(
        in_channels=3,
        latent_channels=4,
        attention_head_dim=2,
        encoder_block_types=("ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        encoder_qkv_multiscales=((), (5,)),
        decoder_qkv_multiscales=((), (5,)),
        encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=[1, 1],
        downsample_block_type="conv",
        upsample_block_type="interpolate",
        decoder_norm_types="rms_norm",
        decoder_act_fns="silu",
        scaling_factor=0.41407,
    )
    return _build("SanaPipeline", "SanaTransformer2DModel", vae, _flow(shift=7.0))


def _qwen() -> Any:
    vae = diffusers.AutoencoderKLQwenImage(
        base_dim=24,
        z_dim=4,
        dim_mult=[1, 2, 4],
        num_res_blocks=1,
        temperal_downsample=[False, True],
        latents_mean=[0.1, -0.2, 0.3, 0.0],
        latents_std=[1.5, 0.5, 2.0, 1.0],
    )
    return _build("QwenImagePipeline", "QwenImageTransformer2DModel", vae, _flow())


def _mochi() -> Any:
    """Its pipeline decodes 12 channels."""
    vae = diffusers.AutoencoderKLMochi(
        latent_channels=12,
        encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(32, 32, 32, 32),
        layers_per_block=(1, 1, 1, 1, 1),
        latents_mean=[0.1, -0.2, 0.3, 0.0] * 3,
        latents_std=[1.5, 0.5, 2.0, 1.0] * 3,
    )
    return _build("MochiPipeline", "MochiTransformer3DModel", vae, _flow(invert_sigmas=True), in_channels=12)


def _allegro() -> Any:
    vae = diffusers.AutoencoderKLAllegro(
        down_block_types=("AllegroDownBlock3D",) * 4,
        up_block_types=("AllegroUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_downsample_blocks=(True, True, False, False),
        temporal_upsample_blocks=(False, True, True, False),
    )
    return _build("AllegroPipeline", "AllegroTransformer3DModel", vae, diffusers.DDIMScheduler())


_DDIM = diffusers.DDIMScheduler


def _unipc() -> Any:
    return diffusers.UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True)


MORE: dict[str, Callable[[], Any]] = {
    "sana": _sana,
    "qwenimage": _qwen,
    "mochi": _mochi,
    "allegro": _allegro,
    "auraflow": lambda: _build("AuraFlowPipeline", "AuraFlowTransformer2DModel", _image_vae(), _flow()),
    "lumina2": lambda: _build("Lumina2Pipeline", "Lumina2Transformer2DModel", _image_vae(0.06), _flow()),
    "chroma": lambda: _build("ChromaPipeline", "ChromaTransformer2DModel", _image_vae(0.06), _flow()),
    "cogview4": lambda: _build("CogView4Pipeline", "CogView4Transformer2DModel", _image_vae(), _flow()),
    "cogview3": lambda: _build(
        "CogView3PlusPipeline", "CogView3PlusTransformer2DModel", _image_vae(), diffusers.CogVideoXDDIMScheduler()
    ),
    "latte": lambda: _build("LattePipeline", "LatteTransformer3DModel", _image_vae(), _DDIM()),
    "hunyuan_dit": lambda: diffusers.HunyuanDiTPipeline(
        vae=_image_vae(),
        transformer=tiny_denoiser("HunyuanDiT2DModel"),
        scheduler=diffusers.DDPMScheduler(),
        requires_safety_checker=False,
        **dict.fromkeys(
            ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2", "safety_checker", "feature_extractor")
        ),
    ),
    "ovis": lambda: _build("OvisImagePipeline", "OvisImageTransformer2DModel", _image_vae(0.06), _flow()),
    "bria": lambda: _build("BriaPipeline", "BriaTransformer2DModel", _image_vae(0.06), _flow()),
    "skyreels": lambda: _build("SkyReelsV2Pipeline", "SkyReelsV2Transformer3DModel", _wan_vae(), _unipc()),
    "sana_video": lambda: _build("SanaVideoPipeline", "SanaVideoTransformer3DModel", _wan_vae(), _unipc()),
    "krea2": lambda: _build("Krea2Pipeline", "Krea2Transformer2DModel", _qwen().vae, _flow()),
}

MORE_CALLS: dict[str, dict[str, Any]] = {
    "sana": {
        "prompt_embeds": _text(8),
        "prompt_attention_mask": _seen(),
        "guidance_scale": 0.0,
        "use_resolution_binning": False,
    },
    "qwenimage": {"prompt_embeds": _text(16), "prompt_embeds_mask": _seen(), "true_cfg_scale": 1.0},
    "mochi": {"prompt_embeds": _text(16), "prompt_attention_mask": _seen(torch.bool), "guidance_scale": 1.0},
    # Its tokenizer decodes by tiles alone.
    "allegro": {
        "prompt_embeds": _text(8),
        "prompt_attention_mask": _seen(),
        "guidance_scale": 0.0,
        "output_type": "latent",
    },
    "auraflow": {"prompt_embeds": _text(32), "prompt_attention_mask": _seen(), "guidance_scale": 1.0},
    "lumina2": {"prompt_embeds": _text(32), "prompt_attention_mask": _seen(torch.bool), "guidance_scale": 1.0},
    "chroma": {"prompt_embeds": _text(32), "prompt_attention_mask": _seen(), "guidance_scale": 1.0},
    "cogview4": {"prompt_embeds": _text(8), "guidance_scale": 1.0},
    "cogview3": {"prompt_embeds": _text(8), "guidance_scale": 1.0},
    "latte": {"prompt_embeds": _text(8), "guidance_scale": 1.0, "mask_feature": False, "negative_prompt": None},
    "hunyuan_dit": {
        "prompt_embeds": torch.zeros(1, 4, 8),
        "prompt_embeds_2": torch.zeros(1, 4, 8),
        "prompt_attention_mask": torch.ones(1, 4),
        "prompt_attention_mask_2": torch.ones(1, 4),
        "guidance_scale": 1.0,
        "use_resolution_binning": False,
    },
    "skyreels": {"prompt_embeds": _text(16), "guidance_scale": 0.0},
    "sana_video": {
        "prompt_embeds": _text(16),
        "prompt_attention_mask": _seen(),
        "guidance_scale": 0.0,
        "use_resolution_binning": False,
    },
    "ovis": {"prompt_embeds": _text(32), "guidance_scale": 1.0},
    "bria": {"prompt_embeds": _text(32), "guidance_scale": 1.0},
    "krea2": {
        "prompt_embeds": torch.zeros(1, WORDS, 2, 16),
        "prompt_embeds_mask": _seen(torch.bool),
        "guidance_scale": 0.0,
    },
}
# Frames of a clip, and frames per latent.
MORE_FRAMES = {"skyreels": (5, 4), "sana_video": (5, 4), "mochi": (7, 6), "allegro": (8, 4), "latte": (3, 1)}
# Latents along a side of 64 pixels, where they are not 8.
MORE_SIDES = {"sana": 32, "qwenimage": 16, "krea2": 16}
