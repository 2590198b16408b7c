# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tiny pipelines with random weights and without text encoders, and the arguments that run them for one step."""

from typing import Any

import diffusers
import torch
from tiny_denoisers import tiny_denoiser

WORDS = 8
_SPLINE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def _image_vae(shift: float | None = None, levels: int = 4) -> Any:
    """8 pixels per latent, as the pipelines assume; SD3 and Flux shift as well as scale."""
    return diffusers.AutoencoderKL(
        block_out_channels=(8,) * levels,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        latent_channels=4,
        norm_num_groups=4,
        shift_factor=shift,
        scaling_factor=0.4,
    )


def _wan_vae() -> Any:
    return diffusers.AutoencoderKLWan(
        base_dim=3,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.1, -0.2, 0.3, 0.0],
        latents_std=[1.5, 0.5, 2.0, 1.0],
    )


def _cogvideox_vae() -> Any:
    return diffusers.AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
    )


def _ltx_vae() -> Any:
    vae = diffusers.AutoencoderKLLTXVideo(
        latent_channels=4,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, False, False),
        decoder_spatio_temporal_scaling=(True, True, False, False),
        decoder_inject_noise=(False,) * 5,
        upsample_residual=(False,) * 4,
        upsample_factor=(1,) * 4,
        patch_size=2,
    )
    vae.latents_mean.copy_(torch.tensor([0.1, -0.2, 0.3, 0.0]))
    vae.latents_std.copy_(torch.tensor([1.5, 0.5, 2.0, 1.0]))
    return vae


def _hunyuan_vae() -> Any:
    return diffusers.AutoencoderKLHunyuanVideo(
        latent_channels=4,
        down_block_types=("HunyuanVideoDownBlock3D",) * 4,
        up_block_types=("HunyuanVideoUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        norm_num_groups=4,
    )


def _svd_vae() -> Any:
    return diffusers.AutoencoderKLTemporalDecoder(
        block_out_channels=(32, 32, 32, 32), down_block_types=("DownEncoderBlock2D",) * 4, latent_channels=4
    )


def _sdxl() -> Any:
    """Pooled text of 8 and six sizes of 8."""
    return tiny_denoiser(
        "UNet2DConditionModel",
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=56,
    )


def _no_text(*names: str) -> dict[str, None]:
    return dict.fromkeys(names)


def _flow(**options: Any) -> Any:
    return diffusers.FlowMatchEulerDiscreteScheduler(**options)


def _stable_diffusion() -> Any:
    return diffusers.StableDiffusionPipeline(
        vae=_image_vae(),
        unet=tiny_denoiser("UNet2DConditionModel"),
        scheduler=diffusers.DDIMScheduler(**_SPLINE),
        requires_safety_checker=False,
        **_no_text("text_encoder", "tokenizer", "safety_checker", "feature_extractor"),
    )


def _stable_diffusion_xl() -> Any:
    return diffusers.StableDiffusionXLPipeline(
        vae=_image_vae(),
        unet=_sdxl(),
        scheduler=diffusers.EulerDiscreteScheduler(**_SPLINE),
        **_no_text("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"),
    )


def _stable_diffusion_3() -> Any:
    absent = [f"{part}{end}" for part in ("text_encoder", "tokenizer") for end in ("", "_2", "_3")]
    return diffusers.StableDiffusion3Pipeline(
        vae=_image_vae(0.06),
        transformer=tiny_denoiser("SD3Transformer2DModel"),
        scheduler=_flow(),
        **_no_text(*absent),
    )


def _flux() -> Any:
    absent = [f"{part}{end}" for part in ("text_encoder", "tokenizer") for end in ("", "_2")]
    return diffusers.FluxPipeline(
        vae=_image_vae(0.06),
        transformer=tiny_denoiser("FluxTransformer2DModel"),
        scheduler=_flow(shift=3.0),
        **_no_text(*absent),
    )


def _dit() -> Any:
    """Its pipeline takes 1000 for no class."""
    return diffusers.DiTPipeline(
        transformer=tiny_denoiser("DiTTransformer2DModel", num_embeds_ada_norm=1000, out_channels=4),
        vae=_image_vae(),
        scheduler=diffusers.DDIMScheduler(),
    )


def _pixart() -> Any:
    return diffusers.PixArtSigmaPipeline(
        vae=_image_vae(),
        transformer=tiny_denoiser("PixArtTransformer2DModel"),
        scheduler=diffusers.DPMSolverMultistepScheduler(),
        **_no_text("text_encoder", "tokenizer"),
    )


def _video(pipeline: str, denoiser: str, vae: Any, scheduler: Any, absent: tuple[str, ...] = ()) -> Any:
    return getattr(diffusers, pipeline)(
        vae=vae,
        transformer=tiny_denoiser(denoiser),
        scheduler=scheduler,
        **_no_text("text_encoder", "tokenizer", *absent),
    )


def _svd() -> Any:
    return diffusers.StableVideoDiffusionPipeline(
        vae=_svd_vae(),
        unet=tiny_denoiser("UNetSpatioTemporalConditionModel"),
        scheduler=diffusers.EulerDiscreteScheduler(
            **_SPLINE,
            prediction_type="v_prediction",
            sigma_max=700.0,
            sigma_min=0.002,
            timestep_spacing="leading",
            timestep_type="continuous",
            use_karras_sigmas=True,
        ),
        **_no_text("image_encoder", "feature_extractor"),
    )


PIPELINES: dict[str, Any] = {
    "sd1": _stable_diffusion,
    "sdxl": _stable_diffusion_xl,
    "sd3": _stable_diffusion_3,
    "flux": _flux,
    "dit": _dit,
    "pixart": _pixart,
    "wan": lambda: _video(
        "WanPipeline",
        "WanTransformer3DModel",
        _wan_vae(),
        diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=3.0
        ),
    ),
    "cogvideox": lambda: _video(
        "CogVideoXPipeline",
        "CogVideoXTransformer3DModel",
        _cogvideox_vae(),
        diffusers.CogVideoXDDIMScheduler(prediction_type="v_prediction"),
    ),
    "ltx": lambda: _video("LTXPipeline", "LTXVideoTransformer3DModel", _ltx_vae(), _flow()),
    "hunyuan_video": lambda: _video(
        "HunyuanVideoPipeline",
        "HunyuanVideoTransformer3DModel",
        _hunyuan_vae(),
        _flow(shift=7.0),
        ("text_encoder_2", "tokenizer_2"),
    ),
    "svd": _svd,
}


def tiny_pipeline(name: str, build: Any = None) -> Any:
    """A pipeline of that family, the same at every call; `build` makes one that is not in the table."""
    torch.manual_seed(0)
    pipeline = (build or PIPELINES[name])()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
