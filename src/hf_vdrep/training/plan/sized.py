# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Published sizes and data sets, made ready for a plan."""

from dataclasses import replace

from ...models.autoencoder_configs import AUTOENCODERS, autoencoder_config
from ...models.walt_sizes import SIZES, size_config
from .denoiser_shape import DenoiserShape
from .extraction import Extractor, backbone_extractor, walt_extractor
from .jobs import DenoiserJob
from .task_data import TASK_DATA, TaskData, find_data
from .tokenizer_shape import TokenizerShape

# (steps, batch): WALT Table 8; epochs of ImageNet and of Kinetics-600 (about 390,000 clips) as steps.
_TABLE_8 = {
    "walt-l-k600": (274_000, 512),
    "walt-xl-ucf": (60_000, 256),
    "walt-l-imagenet": (437_000, 1024),
    "walt-t2v-3b": (550_000, 512),
    "walt-t2v-1.3b": (675_000, 512),
    "walt-t2v-419m": (275_000, 512),
}
_STAGES = {"walt-l-imagenet": "imagenet", "walt-t2v-1.3b": "t2v-2x", "walt-t2v-419m": "t2v-2x2x"}
_PROBEWORLD_BYTES = 17 * 64 * 64 * 3


def size_job(name: str) -> DenoiserJob:
    """The training of a published size: steps and batch of WALT Table 8, those of its base for the study's twins.

    Raises:
        ValueError: no such size.
    """
    config = size_config(name)
    stage = AUTOENCODERS[_STAGES.get(name, "t2v-base")]
    steps, batch = _TABLE_8.get(name, _TABLE_8["walt-t2v-3b"])
    known = name in _TABLE_8
    assumed = [] if known else ["steps and batch are those of WALT's text-to-video base: the study does not say"]
    return DenoiserJob(
        name,
        DenoiserShape.of(config),
        steps,
        batch,
        (stage.frames, stage.height, stage.width),
        TokenizerShape(stage.arguments()),
        assumed=assumed,
    )


def extractor_of(model: str, frames: int, resolution: int | None) -> Extractor:
    """A published size by formula, any other backbone by counting.

    Args:
        model: key of `SIZES`, or what `open_backbone` takes.
        frames: of a clip.
        resolution: side of a frame; that of the size's training, or 64, if None.
    """
    if model in SIZES:
        stage = _STAGES.get(model, "t2v-base")
        side = AUTOENCODERS[stage]
        height, width = (resolution, resolution) if resolution else (side.height, side.width)
        tokenizer = TokenizerShape(autoencoder_config(stage))
        return walt_extractor(model, size_config(model), tokenizer, (frames, height, width))
    return backbone_extractor(model, frames, resolution or 64)


def data_of(name: str, samples: int | None, frames: int) -> list[TaskData]:
    """What `--data` and `--samples` say.

    Raises:
        ValueError: no such data set, or ProbeWorld without a number of clips.
    """
    if name == "all":
        found = list(TASK_DATA.values())
    elif name == "probeworld":
        if samples is None:
            raise ValueError("samples must be given for probeworld, which has no end")
        found = [TaskData("", "probeworld", samples, 0, frames, _PROBEWORLD_BYTES, "given")]
    else:
        found = [find_data(name)]
    found = [replace(data, frames=frames) if data.frames > 1 else data for data in found]
    if samples is None:
        return found
    return [replace(data, train=samples, test=0, how="given") for data in found]
