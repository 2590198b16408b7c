# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How each pipeline of `tiny_denoisers_conditioned` is called, and the blocks of pipelines that are modular."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import diffusers
import tiny_denoisers_conditioned as tiny
import torch
from PIL import Image
from tiny_denoisers import tiny_denoiser
from tiny_denoisers_more import _seen, _text
from tiny_denoisers_pipelines import WORDS, _flow, _hunyuan_vae
from tiny_denoisers_steps import _TEXTS, _build, latents_in

from hf_vdrep.backbones.denoiser_latents import encode
from hf_vdrep.backbones.denoiser_layout import unpack


def _step_of(pipeline: Any, step: int) -> float:
    return float(pipeline.scheduler.timesteps[step])


@dataclass(frozen=True)
class Case:
    """One pipeline.

    Attributes:
        build: makes it.
        options: of its call.
        given: arguments of the denoiser that stand for what the pipeline was given: pictures, sound, a camera.
        part: its denoiser.
        level: the noise level of a step, in [0, 1000], or in the model's units where `raw`.
        latents: (B, C, T, h, w) among what the denoiser was told.
        skip: calls of the denoiser that are no steps.
        run: how it is called.
        blank: latents of a grey clip, where they are asked for.
        raw: see `level`.
        steps: that are compared.
    """

    build: Callable[[], Any]
    options: dict[str, Any]
    given: tuple[str, ...] = ()
    part: Callable[[Any], Any] = lambda pipeline: pipeline.transformer
    level: Callable[[Any, int], float] = _step_of
    latents: Callable[[dict[str, Any], Any], torch.Tensor] = latents_in
    skip: Callable[[dict[str, Any]], bool] = lambda told: False
    run: Callable[[Any, dict[str, Any]], Any] = lambda pipeline, options: pipeline(**options)
    blank: Callable[[Any], torch.Tensor | None] = lambda pipeline: None
    raw: bool = False
    steps: int = 2


_RUN = {"num_inference_steps": 3, "output_type": "latent"}
_SIZE = {"height": 64, "width": 64}
_FREE = {"guidance_scale": 1.0}
_ALL = {**_RUN, **_SIZE, **_FREE}
_CLIP = {"num_frames": 5}
_PICTURE = Image.new("RGB", (64, 64), (90, 160, 30))
_BLACK = [Image.new("RGB", (64, 64))] * 5


def _left(told: dict[str, Any], family: Any) -> torch.Tensor:
    return told["sample"][..., : told["sample"].shape[-1] // 2].unsqueeze(2)


def _grey(pipeline: Any) -> torch.Tensor:
    return encode(pipeline.vae, torch.zeros(1, 3, 5, 64, 64))[0].detach()


def _sigma_over(pipeline: Any, step: int) -> float:
    sigma = float(pipeline.scheduler.sigmas[step])
    return 1000 * sigma / (1 + sigma)


class Blocks(SimpleNamespace):
    """The parts of a modular pipeline, of which a test runs the blocks that take a step."""

    def set_progress_bar_config(self, **options: Any) -> None:
        """As pipelines have it."""


def _run_flux3(parts: Any, options: dict[str, Any]) -> None:
    """Its places of the image and the text, then the block that calls the denoiser."""
    from diffusers.modular_pipelines.flux3 import before_denoise, denoise

    ids = before_denoise._prepare_image_ids(4, 4, before_denoise.Flux3PrepareLatentsStep().image_rope_scale)
    words = before_denoise.Flux3TextRoPEInputsStep._prepare_text_ids(_text(32))
    for step, level in enumerate(parts.scheduler.timesteps):
        fields = {"prompt_embeds": _text(32), "txt_ids": words, "img_ids": ids}
        state = SimpleNamespace(latents=torch.randn(1, 16, 16), denoiser_input_fields=fields, num_inference_steps=3)
        denoise.Flux3LoopDenoiser()(parts, state, i=step, t=level)


def _flux3() -> Any:
    scheduler = _flow()
    scheduler.set_timesteps(3)
    guider = diffusers.ClassifierFreeGuidance(guidance_scale=1.0)
    return Blocks(transformer=tiny_denoiser("Flux3Transformer2DModel"), scheduler=scheduler, guider=guider)


def _minimax() -> Any:
    scheduler = diffusers.MiniMaxH3Scheduler()
    scheduler.set_timesteps(3)
    return Blocks(transformer=tiny_denoiser("MiniMaxH3Transformer3DModel"), scheduler=scheduler)


def _run_minimax(parts: Any, options: dict[str, Any]) -> None:
    """Its layout of two frames of 6 x 4 cells after the words and one token of sound, then its call of the denoiser."""
    from diffusers.modular_pipelines.minimax_h3 import before_denoise, denoise

    names = ("position_ids", "token_tags", "video_indices", "audio_indices", "text_indices")
    tags = torch.ones(WORDS, dtype=torch.int64)
    *found, videos, sounds = before_denoise.MiniMaxH3PrepareLayoutStep.build_packed_sequence(
        tags, 2, 12, 8, 1, (1, 2, 2), audio_channels=1, audio_tag=2, video_tag=0
    )
    fields = dict(zip(names, found, strict=True))
    for step, level in enumerate(parts.scheduler.timesteps):
        plan = before_denoise.MiniMaxH3SetTimestepsStep.build_row_timesteps(
            fields["video_indices"], fields["audio_indices"], videos, sounds, WORDS, *[float(level)] * 4
        )
        state = SimpleNamespace(
            latents=torch.randn(48, 16),
            audio_latents=torch.zeros(1, 6),
            prompt_embeds=_text(8),
            row_timestep_plan=[plan] * 3,
            denoiser_input_fields=fields,
            attention_kwargs=None,
        )
        denoise.MiniMaxH3LoopDenoiser()(parts, state, i=step, t=level)


def _run_wan_animate2(parts: Any, options: dict[str, Any]) -> None:
    """The pass over the driving clip, which is the pass that is read."""
    from diffusers.models.transformers.transformer_wan_animate_2 import WanAnimate2KVCache
    from diffusers.modular_pipelines.wan_animate_2 import denoise

    state = SimpleNamespace(
        timesteps=torch.tensor([999.0]),
        driving_video_latents=torch.randn(1, 4, 3, 8, 8),
        driving_video_condition=torch.randn(8, 3, 8, 8),
        prompt_ref_embeds=_text(16),
        condition_clip_context=torch.zeros(1, 257, 1280),
        kv_cache=WanAnimate2KVCache(2),
        max_seq_len_ref=48,
        grid_sizes_ref=torch.tensor([[3, 4, 4]]),
    )
    denoise.WanAnimate2RefExtractStep()(parts, state, k=0)


def _wan_animate2() -> Any:
    return Blocks(transformer=tiny_denoiser("WanAnimate2Transformer3DModel"), scheduler=None, _execution_device="cpu")


def _unet_part(pipeline: Any) -> Any:
    return pipeline.unet


def _ratio(pipeline: Any, step: int) -> float:
    return 1000 * float(pipeline.scheduler.timesteps[step])


def _clean(pipeline: Any, step: int) -> float:
    return 1000 * (1 - float(pipeline.scheduler.timesteps[step]))


_CASCADE = {"num_inference_steps": 3, "guidance_scale": 0.0, "prompt_embeds_pooled": torch.zeros(1, 1, 16)}
_CASCADE |= {"prompt_embeds": torch.zeros(1, 77, 16)}

CASES: dict[str, Case] = {
    "longcat": Case(tiny.longcat, {**_ALL, "prompt": "", "enable_prompt_rewrite": False}),
    "bria_fibo": Case(tiny.bria_fibo, {**_ALL, "height": 128, "width": 128, "prompt": ""}),
    "ideogram": Case(
        tiny.ideogram,
        {**_ALL, "prompt": "", "guidance_schedule": None, "max_sequence_length": WORDS},
        latents=lambda told, family: unpack(told["hidden_states"][:, WORDS:], (1, 4, 4), 2),
    ),
    "qwen21": Case(tiny.qwen21, {**_RUN, "height": 64, "width": 64, "prompt_embeds": _text(16)}),
    "omnigen": Case(
        tiny.omnigen,
        {**_RUN, **_SIZE, "prompt": "", "max_input_image_size": 1024},
        level=_clean,
        latents=lambda told, family: told["hidden_states"].unsqueeze(2),
    ),
    "dreamlite": Case(tiny.dreamlite, {**_RUN, **_SIZE, "prompt": ""}, part=_unet_part, latents=_left),
    "cascade_prior": Case(
        tiny.cascade_prior,
        {**_CASCADE, "height": 256, "width": 256},
        part=lambda pipeline: pipeline.prior,
        level=_ratio,
    ),
    "cascade": Case(
        tiny.cascade,
        {**_CASCADE, "image_embeddings": torch.zeros(1, 4, 2, 2), "output_type": "latent"},
        part=lambda pipeline: pipeline.decoder,
        level=_ratio,
    ),
    "unidiffuser": Case(
        tiny.unidiffuser,
        {"num_inference_steps": 3},
        ("image_embeds", "prompt_embeds"),
        part=_unet_part,
        latents=lambda told, family: told["latent_image_embeds"].unsqueeze(2),
    ),
    "joy": Case(
        tiny.joy,
        {**_ALL, "prompt_embeds": _text(16), "prompt_embeds_mask": _seen()},
        latents=lambda told, family: told["hidden_states"].flatten(0, 1),
    ),
    "joy_plus": Case(
        lambda: tiny.joy("Plus"),
        {**_ALL, "prompt": ""},
        latents=lambda told, family: unpack(told["hidden_states"].flatten(2), (1, 4, 4), 2),
    ),
    "flux3": Case(_flux3, {}, run=_run_flux3),
    "cosmos": Case(tiny.cosmos, {**_ALL, **_CLIP, "fps": 24, "prompt_embeds": _text(16)}, raw=True),
    "cosmos2": Case(tiny.cosmos2, {**_ALL, "prompt_embeds": _text(16)}, level=_sigma_over),
    "cosmos3": Case(
        tiny.cosmos3, {**_ALL, **_CLIP, "prompt": ""}, latents=lambda told, family: told["vision_tokens"][0]
    ),
    "helios": Case(tiny.helios, {**_ALL, **_CLIP, "num_latent_frames_per_chunk": 2, "prompt_embeds": _text(16)}),
    "kandinsky6": Case(
        lambda: _build("Kandinsky6TI2VAPipeline", "Kandinsky6Transformer3DModel", _hunyuan_vae(), _flow(), _TEXTS),
        {**_ALL, **_CLIP, "prompt_embeds": _text(8), "pooled_prompt_embeds": torch.zeros(1, 8), "sample_audio": False},
    ),
    "kandinsky6_sr": Case(
        tiny.kandinsky6_sr, {"video": torch.zeros(1, 5, 3, 128, 128), "resolution_scale": 2.0, "num_inference_steps": 3}
    ),
    "chronoedit": Case(tiny.chronoedit, {**_ALL, "image": _PICTURE, "prompt_embeds": _text(16)}),
    "vace": Case(
        lambda: tiny.wan_like("WanVACEPipeline", "WanVACETransformer3DModel", vace_in_channels=72),
        {**_ALL, **_CLIP, "prompt_embeds": _text(16)},
        blank=_grey,
    ),
    "wan_animate": Case(
        tiny.wan_animate,
        {
            **_ALL,
            "image": _PICTURE,
            "pose_video": _BLACK,
            "face_video": _BLACK,
            "segment_frame_length": 5,
            "prompt_embeds": _text(16),
        },
        ("pose_hidden_states",),
    ),
    "wan_animate2": Case(
        _wan_animate2,
        {},
        level=lambda pipeline, step: 999.0,
        latents=lambda told, family: torch.cat([told["hidden_states"][0], told["condition_latents"][0]]).unsqueeze(0),
        run=_run_wan_animate2,
        steps=1,
    ),
    "anyflow_far": Case(
        tiny.anyflow_far,
        {
            **_ALL,
            **_CLIP,
            "prompt_embeds": _text(16),
            "use_mean_velocity": False,
            "chunk_partition": [2],
            # 128 tokens: the pipeline's attention also sees what it pads up to the next such number.
            "height": 128,
            "width": 128,
        },
    ),
    "framepack": Case(
        tiny.framepack,
        {
            **_ALL,
            **_CLIP,
            "image": _PICTURE,
            "latent_window_size": 2,
            "prompt_embeds": _text(16),
            "pooled_prompt_embeds": torch.zeros(1, 8),
            "prompt_attention_mask": _seen(),
        },
    ),
    "consisid": Case(
        tiny.consisid,
        {
            **_ALL,
            "num_frames": 9,
            "image": _PICTURE,
            "prompt_embeds": _text(8),
            "id_cond": torch.zeros(1, 8),
            "id_vit_hidden": [torch.zeros(1, 577, 2)],
        },
    ),
    "ltx2": Case(
        tiny.ltx2,
        {
            **_ALL,
            "num_frames": 9,
            "height": 128,
            "width": 128,
            "latents": torch.randn(1, 32, 4, generator=torch.Generator().manual_seed(0)),
            "prompt_embeds": _text(16),
            "prompt_attention_mask": _seen(),
            "audio_guidance_scale": 1.0,
            "stg_scale": 0.0,
            "audio_stg_scale": 0.0,
            "spatio_temporal_guidance_blocks": None,
        },
        latents=lambda told, family: unpack(told["hidden_states"], (2, 4, 4), 1),
        # The pass in which picture and sound do not hear each other.
        skip=lambda told: not told["isolate_modalities"],
    ),
    "i2vgen": Case(
        tiny.i2vgen,
        {
            **_RUN,
            **_FREE,
            "height": 256,
            "width": 256,
            "num_frames": 3,
            "image": _PICTURE.resize((256, 256)),
            "prompt_embeds": _text(8),
        },
        part=_unet_part,
    ),
    "sana_wm": Case(
        tiny.sana_wm,
        {
            **_ALL,
            "height": 256,
            "width": 256,
            "num_frames": 17,
            "image": _PICTURE.resize((256, 256)),
            "prompt": "",
            "c2w": torch.eye(4).repeat(17, 1, 1).numpy(),
            "intrinsics": [256.0, 256.0, 128.0, 128.0],
        },
        ("camera_conditions", "chunk_plucker", "timestep"),
    ),
    "sana_wm_refiner": Case(
        tiny.sana_wm_refiner,
        {"sana_latent": torch.randn(1, 4, 3, 4, 4), "prompt": "", "fps": 16.0, "sink_size": 2, "output_type": "latent"},
        level=lambda pipeline, step: 0.0,
        latents=lambda told, family: unpack(told["hidden_states"], (2, 4, 4), 1),
        # The pass over the frames that all others attend to, which attends to itself alone.
        skip=lambda told: told["kv_cache_mode"] != "capture_pre_rope",
        steps=1,
    ),
    "minimax": Case(
        _minimax,
        {},
        level=_clean,
        latents=lambda told, family: unpack(told["hidden_states"], (2, 6, 4), 2),
        run=_run_minimax,
    ),
}
