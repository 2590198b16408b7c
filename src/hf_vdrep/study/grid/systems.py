# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The frozen models of a grid, by the words that configs name them with.

"chance"; whatever `open_backbone` takes; "v-walt@0:60", the checkpoint of a shipped twin from training seed 0 at step
60; "random:num_layers=4,num_attention_heads=2", V-WALT's architecture with random weights and some of its settings
changed; "random-vit", "random-dinov2", "random-videomae", tiny encoders of transformers with random weights.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...backbones.base import Backbone

_CHECKPOINT = re.compile(r"(?P<twin>[iv]-walt)@(?P<seed>\d+):(?P<step>\d+)")
_SIZED = re.compile(r"random:(?P<settings>\w+=\d+(,\w+=\d+)*)")
TINY_ENCODERS = ("random-vit", "random-dinov2", "random-videomae")


def open_system(spec: str, reading: str | None = None, site: str = "block") -> Backbone:
    """Open a model; those opened before stay open as long as they are small together.

    Args:
        spec: as the module says.
        reading: how a clip reaches a model of images; None is the backbone's own way.
        site: where in a block features are taken, of a WALT.

    Raises:
        ValueError: an unknown name, a reading or site that the model has not.
        OSError: a folder or repository that cannot be read.
    """
    key = (spec, reading, site)
    if key not in _OPENED:
        _OPENED[key] = _open(*key)
        while len(_OPENED) > 1 and sum(num_parameters(one) or 0 for one in _OPENED.values()) > _KEPT_PARAMETERS:
            _OPENED.pop(next(iter(_OPENED)))
    return _OPENED[key]


_OPENED: dict[tuple[str, str | None, str], Backbone] = {}
_KEPT_PARAMETERS = 500_000_000


def _open(spec: str, reading: str | None, site: str) -> Backbone:
    from ...backbones.registry import open_backbone
    from ...backbones.walt import WaltBackbone

    backbone: Backbone
    options = {"video_as": reading} if reading else {}
    if spec == "chance":
        from ..compare.blank import BlankBackbone

        backbone = BlankBackbone()
    elif spec in TINY_ENCODERS:
        backbone = _tiny_encoder(spec)
    elif _CHECKPOINT.fullmatch(spec):
        backbone = _checkpoint(spec, options)
    elif match := _SIZED.fullmatch(spec):
        backbone = _sized(dict(pair.split("=") for pair in match["settings"].split(",")))
    else:
        _check_at_hand(spec)
        backbone = open_backbone(spec, **options)
    if site == "block":
        return backbone
    if not isinstance(backbone, WaltBackbone):
        raise ValueError(f"site must be 'block' for {spec}, which is no WALT, got {site!r}")
    return backbone.at(site)


def reads_images(spec: str) -> bool:
    """Whether the model behind `spec` is a WALT of images, for which a clip can be read in several ways."""
    transformer = getattr(open_system(spec), "transformer", None)
    return transformer is not None and transformer.config.objective == "image"


def num_parameters(backbone: Backbone) -> int | None:
    """Weights of the network that is tapped, its tokenizer left out; None where there is none."""
    model = getattr(backbone, "transformer", None)
    model = model if model is not None else getattr(backbone, "model", None)
    return sum(weight.numel() for weight in model.parameters()) if model is not None else None


def checkpoint_specs(twin: str, seed: int = 0) -> list[str]:
    """Specs of every kept checkpoint of one training of a shipped twin, early before late; empty where none were kept.

    Args:
        twin: name of a shipped twin.
        seed: of the training; a curve along several trainings would mix their spread into its last point.
    """
    from ...models import shipped

    kept = [found for found in shipped.checkpoints() if (found.twin, found.seed) == (twin, seed)]
    return [f"{found.twin}@{found.seed}:{found.step}" for found in sorted(kept, key=lambda found: found.step)]


def finished_training(twin: str, seed: int) -> str:
    """Spec of the last checkpoint of a whole training.

    Raises:
        ValueError: none was kept.
    """
    from ...models import shipped

    for found in shipped.checkpoints():
        if (found.twin, found.seed, found.fraction) == (twin, seed, 1.0):
            return f"{twin}@{seed}:{found.step}"
    raise ValueError(
        f"training_seeds must name trainings whose last weights are there, got seed {seed} of {twin}"
        f" (none in assets/walt-tiny/checkpoints)"
    )


def checkpoint_of(spec: str) -> dict[str, Any]:
    """`twin`, `training_seed`, `training_step` and `fraction` of a checkpoint's spec; the twin alone of another."""
    from ...models import shipped

    match = _CHECKPOINT.fullmatch(spec)
    if not match:
        return {"twin": spec, "training_seed": None, "training_step": None, "fraction": None}
    wanted = (match["twin"], int(match["seed"]), int(match["step"]))
    fractions = {(kept.twin, kept.seed, kept.step): kept.fraction for kept in shipped.checkpoints()}
    return {
        "twin": wanted[0],
        "training_seed": wanted[1],
        "training_step": wanted[2],
        "fraction": fractions.get(wanted),
    }


def _check_at_hand(spec: str) -> None:
    """Raise OSError for a Hub id that is neither cached nor to be had: found out once, not by retries for each."""
    from huggingface_hub import try_to_load_from_cache

    if not re.fullmatch(r"[\w.-]+/[\w.-]+", spec) or Path(spec).is_dir():
        return
    cached = any(try_to_load_from_cache(spec, name) for name in ("config.json", "model_index.json"))
    if not cached and not _hub_answers():
        raise OSError("not in the cache, and the Hub cannot be reached")


@lru_cache(maxsize=1)
def _hub_answers() -> bool:
    import socket
    from urllib.parse import urlsplit

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    address = urlsplit(constants.ENDPOINT)
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), timeout=5).close()
    except OSError:
        return False
    return True


def open_pipeline(spec: str) -> Any:
    """The pipeline of a shipped twin, of a checkpoint of one, or of a folder.

    Raises:
        ValueError: no such model.
        OSError: a folder without a readable pipeline.
    """
    from diffusers.utils import logging

    from ...models import shipped
    from ...models.pipeline_walt import WaltPipeline

    match, shown = _CHECKPOINT.fullmatch(spec), logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        if match:
            return shipped.open_checkpoint(match["twin"], int(match["seed"]), int(match["step"]))
        return WaltPipeline.from_pretrained(shipped.path(spec) if spec in shipped.names() else spec)
    finally:
        if shown:
            logging.enable_progress_bar()


def _checkpoint(spec: str, options: dict[str, Any]) -> Backbone:
    from ...backbones.walt import WaltBackbone

    pipeline, twin = open_pipeline(spec), spec.partition("@")[0]
    return WaltBackbone(pipeline.vae, pipeline.transformer.float(), pipeline.scheduler, name=twin, **options)


def _sized(settings: dict[str, str]) -> Backbone:
    from ...backbones.fingerprint import public_config
    from ...backbones.random_init import randomize
    from ...backbones.walt import WaltBackbone

    base: Any = open_system("v-walt")
    config = public_config(base.transformer.config)
    unknown = sorted(set(settings) - set(config))
    if unknown:
        raise ValueError(f"random: must set arguments of the transformer, got {unknown}")
    changed = type(base.transformer)(**{**config, **{name: int(value) for name, value in settings.items()}})
    return WaltBackbone(base.vae, randomize(changed), base.scheduler, name="random")


def _tiny_encoder(spec: str) -> Backbone:
    import torch
    import transformers

    from ...backbones.encoder_input import Preprocessing
    from ...backbones.encoders import EncoderBackbone

    size: Any = {"hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 128}
    made: dict[str, tuple[Any, Any, dict[str, Any]]] = {
        "random-vit": (transformers.ViTConfig, transformers.ViTModel, {"image_size": 64, "patch_size": 8}),
        "random-dinov2": (transformers.Dinov2Config, transformers.Dinov2Model, {"image_size": 64, "patch_size": 8}),
        "random-videomae": (
            transformers.VideoMAEConfig,
            transformers.VideoMAEModel,
            {"image_size": 64, "patch_size": 8, "num_frames": 16, "tubelet_size": 2},
        ),
    }
    config, model, more = made[spec]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = model(config(**size, **more))
    return EncoderBackbone(network, Preprocessing((64, 64)), name=spec)
