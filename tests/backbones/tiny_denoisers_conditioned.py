# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Tiny pipelines of the families whose calls take more than text and latents: pictures, sound, a camera, the past."""

from types import SimpleNamespace
from typing import Any
from unittest import mock

import diffusers
import torch
from diffusers.pipelines.consisid.pipeline_consisid import ConsisIDPipeline
from tiny_denoisers import tiny_denoiser
from tiny_denoisers_more import _seen, _text
from tiny_denoisers_pipelines import WORDS, _cogvideox_vae, _flow, _hunyuan_vae, _image_vae, _wan_vae
from tiny_denoisers_steps import _TEXT, _TEXTS, _build, _squares_vae


class Part(torch.nn.Module):
    """In the place of a text or image encoder, a guard or a tokenizer that is never asked: what it is said to be."""

    device, dtype = torch.device("cpu"), torch.float32

    def __init__(self, **facts: Any) -> None:
        super().__init__()
        for name, value in facts.items():
            setattr(self, name, value)

    def forward(self, *args: Any, **named: Any) -> Any:
        """Of text: as many words as ever."""
        return SimpleNamespace(input_ids=[0] * WORDS)


def saying(pipeline: Any, answer: Any, name: str = "encode_prompt") -> Any:
    """The pipeline with null text or pictures: its own encoding is answered for."""
    pipeline.__dict__[name] = lambda *args, **named: answer
    return pipeline


def longcat() -> Any:
    """Its pipeline draws latents of 16 channels."""
    name, parts = "LongCatImageTransformer2DModel", (*_TEXT, "text_processor")
    transformer = tiny_denoiser(name, in_channels=64)
    pipeline = _build("LongCatImagePipeline", name, _image_vae(0.06), _flow(), parts, transformer=transformer)
    places = torch.arange(WORDS, dtype=torch.float32)
    return saying(pipeline, (_text(32), torch.stack([0 * places, places, places], dim=1)))


def bria_fibo() -> Any:
    pipeline = _build("BriaFiboPipeline", "BriaFiboTransformer2DModel", _wan_vae(), _flow())
    return saying(pipeline, (_text(32), None, torch.zeros(WORDS, 3), _seen(), None, [_text(16)] * 3, None))


def ideogram() -> Any:
    name = "Ideogram4Transformer2DModel"
    parts = {"unconditional_transformer": tiny_denoiser(name)}
    pipeline = _build("Ideogram4Pipeline", name, _squares_vae(), _flow(), **parts)
    ids = pipeline._prepare_ids([WORDS], 4, 4, WORDS, torch.device("cpu"))
    return saying(pipeline, (torch.zeros(1, WORDS + 16, 16), *ids))


def qwen21() -> Any:
    processor = Part(apply_chat_template=lambda *a, **k: [[0]], tokenizer=SimpleNamespace(encode=lambda text: [0]))
    parts = {"processor": processor}
    return _build("QwenImage21Pipeline", "QwenImage21Transformer2DModel", None, _flow(), ("text_encoder",), **parts)


def omnigen() -> Any:
    """What gets pictures ready asks for torchvision; the words are got ready without."""
    from diffusers.pipelines.omnigen import pipeline_omnigen, processor_omnigen

    class Words(processor_omnigen.OmniGenMultiModalProcessor):
        def __init__(self, tokenizer: Any, max_image_size: int) -> None:
            self.text_tokenizer, self.max_image_size = tokenizer, max_image_size
            self.collator = processor_omnigen.OmniGenCollator()

    scheduler = _flow(invert_sigmas=True, num_train_timesteps=1)
    name, words = "OmniGenTransformer2DModel", Part(model_max_length=WORDS)
    with mock.patch.object(pipeline_omnigen, "OmniGenMultiModalProcessor", Words, create=True):
        return _build("OmniGenPipeline", name, _image_vae(), scheduler, (), tokenizer=words)


def dreamlite() -> Any:
    vae = diffusers.AutoencoderTiny(
        encoder_block_out_channels=(8,) * 4,
        decoder_block_out_channels=(8,) * 4,
        num_encoder_blocks=(1,) * 4,
        num_decoder_blocks=(1,) * 4,
    )
    sizes = {"addition_time_embed_dim": 8, "projection_class_embeddings_input_dim": 16}
    unet = tiny_denoiser("DreamLiteUNetModel", addition_embed_type="time", **sizes)
    parts = {"text_encoder": Part(), "tokenizer": None, "processor": None}
    pipeline = diffusers.DreamLiteMobilePipeline(vae=vae, unet=unet, scheduler=_flow(), **parts)
    return saying(pipeline, (_text(8), torch.ones(1, WORDS, dtype=torch.int64)))


def cascade_prior() -> Any:
    unet = tiny_denoiser("StableCascadeUNet", clip_text_in_channels=16, clip_image_in_channels=16)
    parts: dict[str, Any] = dict.fromkeys(("tokenizer", "feature_extractor", "image_encoder"))
    parts["text_encoder"] = Part()
    return diffusers.StableCascadePriorPipeline(prior=unet, scheduler=diffusers.DDPMWuerstchenScheduler(), **parts)


def cascade() -> Any:
    unet = tiny_denoiser("StableCascadeUNet", effnet_in_channels=4)
    parts = dict.fromkeys((*_TEXT, "vqgan"))
    return diffusers.StableCascadeDecoderPipeline(decoder=unet, scheduler=diffusers.DDPMWuerstchenScheduler(), **parts)


def unidiffuser() -> Any:
    from diffusers.pipelines.deprecated.unidiffuser import UniDiffuserPipeline

    text = Part(config=SimpleNamespace(hidden_size=16, max_position_embeddings=6))
    picture = Part(config=SimpleNamespace(projection_dim=16))
    decoder = Part(prefix_inner_dim=16, prefix_hidden_dim=None, encode=lambda states: states)
    pipeline = UniDiffuserPipeline(
        vae=_image_vae(),
        text_encoder=text,
        image_encoder=picture,
        text_decoder=decoder,
        unet=tiny_denoiser("UniDiffuserModel"),
        scheduler=diffusers.DDIMScheduler(),
        **dict.fromkeys(("clip_image_processor", "clip_tokenizer", "text_tokenizer")),
    )
    pipeline.set_image_mode()
    return pipeline


def joy(plus: str = "") -> Any:
    name = f"JoyImageEdit{plus}Transformer3DModel"
    pipeline = _build(f"JoyImageEdit{plus}Pipeline", name, _wan_vae(), _flow(), (*_TEXT, "processor"))
    saying(getattr(pipeline, "vae_image_processor", pipeline.image_processor), (64, 64), "get_default_height_width")
    return saying(pipeline, (_text(16), _seen()), "encode_prompt_multiple_images")


def cosmos() -> Any:
    """The guard of what is made lives in a library of its own."""
    vae = diffusers.AutoencoderKLCosmos(
        latent_channels=4,
        encoder_block_out_channels=(8, 8, 8, 8),
        decode_block_out_channels=(8, 8, 8, 8),
        attention_resolutions=(8,),
        resolution=64,
        num_layers=2,
        temporal_compression_ratio=4,
        latents_mean=None,
        latents_std=None,
    )
    sigmas = {"sigma_min": 0.002, "sigma_max": 80, "sigma_data": 0.5, "final_sigmas_type": "sigma_min"}
    scheduler = diffusers.EDMEulerScheduler(sigma_schedule="karras", prediction_type="epsilon", **sigmas)
    return _build("CosmosTextToWorldPipeline", "CosmosTransformer3DModel", vae, scheduler, safety_checker=Part())


def cosmos2() -> Any:
    name, scheduler = "CosmosTransformer3DModel", _flow(use_karras_sigmas=True)
    return _build("Cosmos2TextToImagePipeline", name, _wan_vae(), scheduler, safety_checker=Part())


def cosmos3() -> Any:
    words = Part(convert_tokens_to_ids=lambda token: 0, eos_token_id=0)
    pipeline = diffusers.Cosmos3OmniPipeline(
        transformer=tiny_denoiser("Cosmos3OmniTransformer"),
        text_tokenizer=words,
        vae=_wan_vae(),
        scheduler=diffusers.UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True),
        enable_safety_checker=False,
    )
    return saying(pipeline, ([0] * WORDS, [0] * WORDS), "tokenize_prompt")


def helios() -> Any:
    scheduler = diffusers.HeliosScheduler(stages=1, stage_range=[0, 1], gamma=1 / 3)
    return _build("HeliosPipeline", "HeliosTransformer3DModel", _wan_vae(), scheduler)


def wan_like(pipeline: str, denoiser: str, absent: tuple[str, ...] = _TEXT, **config: Any) -> Any:
    return _build(pipeline, denoiser, _wan_vae(), _flow(), absent, transformer=tiny_denoiser(denoiser, **config))


_SEE, _UNSEEN = "encode_image", torch.zeros(1, 257, 16)
_SEEING = (*_TEXT, "image_encoder", "image_processor")


def chronoedit() -> Any:
    config = {"in_channels": 12, "image_dim": 16, "added_kv_proj_dim": 24}
    return saying(wan_like("ChronoEditPipeline", "ChronoEditTransformer3DModel", _SEEING, **config), _UNSEEN, _SEE)


def wan_animate() -> Any:
    return saying(wan_like("WanAnimatePipeline", "WanAnimateTransformer3DModel", _SEEING), _UNSEEN, _SEE)


def anyflow_far() -> Any:
    scheduler = diffusers.FlowMapEulerDiscreteScheduler()
    name = "AnyFlowFARTransformer3DModel"
    transformer = tiny_denoiser(name, full_chunk_limit=1)
    return _build("AnyFlowFARPipeline", name, _wan_vae(), scheduler, transformer=transformer)


def framepack() -> Any:
    pipeline = _build(
        "HunyuanVideoFramepackPipeline",
        "HunyuanVideoFramepackTransformer3DModel",
        _hunyuan_vae(),
        _flow(),
        (*_TEXTS, "image_encoder", "feature_extractor"),
    )
    saying(pipeline, torch.zeros(1, 4, 1, 8, 8), "prepare_image_latents")
    return saying(pipeline, _UNSEEN, _SEE)


def consisid() -> Any:
    """Taken from its module: the name that diffusers exports asks for OpenCV, which draws key points alone."""
    return ConsisIDPipeline(
        vae=_cogvideox_vae(),
        transformer=tiny_denoiser("ConsisIDTransformer3DModel", in_channels=8),
        scheduler=diffusers.CogVideoXDDIMScheduler(),
        **dict.fromkeys(_TEXT),
    )


def ltx2() -> Any:
    facts = SimpleNamespace(sample_rate=16000, mel_hop_length=160, mel_bins=16, latent_channels=1)
    ratios = {"mel_compression_ratio": 4, "temporal_compression_ratio": 4}
    sound = Part(config=facts, latents_mean=torch.zeros(4), latents_std=torch.ones(4), **ratios)
    absent = (*_TEXT, "vocoder", "connectors")
    pipeline = _build("LTX2Pipeline", "LTX2VideoTransformer3DModel", None, _flow(), absent, audio_vae=sound)
    return saying(pipeline, (_text(16), _text(16), _seen()), "connectors")


def i2vgen() -> Any:
    from diffusers.pipelines.deprecated.i2vgen_xl import I2VGenXLPipeline

    pipeline = I2VGenXLPipeline(
        vae=_image_vae(),
        unet=tiny_denoiser("I2VGenXLUNet"),
        scheduler=diffusers.DDIMScheduler(),
        feature_extractor=Part(crop_size={"width": 8, "height": 8}),
        **dict.fromkeys((*_TEXT, "image_encoder")),
    )
    nothing = SimpleNamespace(latent_dist=SimpleNamespace(sample=lambda: torch.zeros(1, 4, 32, 32)))
    saying(pipeline.vae, nothing, "encode")
    return saying(pipeline, torch.zeros(1, 1, 8), "_encode_image")


def sana_wm() -> Any:
    name, width = "SanaWMTransformer3DModel", {"hidden_size": 32, "linear_head_dim": 16}
    pipeline = _build("SanaWMPipeline", name, None, _flow(), transformer=tiny_denoiser(name, **width))
    saying(pipeline, torch.ones(1, 4, 1, 8, 8), "_encode_first_frame")
    states = torch.zeros(1, 1, WORDS, 16)
    return saying(pipeline, (states, _seen(), states, _seen()))


def sana_wm_refiner() -> Any:
    from diffusers.pipelines.sana_wm.refiner import SanaWMLTX2Refiner

    pipeline = SanaWMLTX2Refiner(
        transformer=tiny_denoiser("SanaWMLTX2RefinerTransformer3DModel"),
        scheduler=_flow(),
        **dict.fromkeys((*_TEXT, "connectors")),
    )
    return saying(pipeline, (_text(16), _seen()), "_encode_prompt")


def kandinsky6_sr() -> Any:
    transformer = tiny_denoiser("Kandinsky6SRTransformer3DModel", tile_sizes=((256, 256),))
    pipeline = diffusers.Kandinsky6SRPipeline(transformer=transformer, vae=None, scheduler=_flow())
    return saying(pipeline, torch.zeros(1, 4, 2, 16, 16), "encode_video")
