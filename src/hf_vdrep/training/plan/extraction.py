# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The plan of an extraction: layers times noise levels over data sets."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...features.storage_dtype import num_stored_bytes
from ...models.walt_flops import forward_flops
from .figure import How, Plan, Table
from .task_data import TaskData
from .tokenizer_shape import TokenizerShape
from .training import Machine

Shape = tuple[int, int, int, int]


@dataclass(frozen=True)
class LayerCost:
    """A layer that is kept.

    Attributes:
        shape: (T', H', W', C) of a sample's features.
        flops: of the model up to here, for one sample at one noise level.
    """

    shape: Shape
    flops: float


@dataclass(frozen=True)
class Extractor:
    """A backbone as plans see it.

    Attributes:
        name: for people.
        parameters: of all that runs.
        clip: layers of a clip, by depth.
        image: layers of an image.
        encode: FLOPs of the tokenizer for a clip and for an image.
        latents: numbers in the latents of a clip and of an image, kept beside the features; 0 without a tokenizer.
        uses_timestep: whether it is read at noise levels.
        frames: of a clip, latents' or features' as it is read.
    """

    name: str
    parameters: int
    clip: list[LayerCost]
    image: list[LayerCost]
    encode: tuple[float, float] = (0.0, 0.0)
    latents: tuple[int, int] = (0, 0)
    uses_timestep: bool = True


def walt_extractor(
    name: str, config: dict, tokenizer: TokenizerShape, pixels: tuple[int, int, int], text_length: int = 128
) -> Extractor:
    """WALT by formula, for clips of (frames, height, width) pixels.

    Args:
        name: for people.
        config: arguments of `WaltTransformer3DModel`.
        tokenizer: its own.
        pixels: of a clip.
        text_length: tokens of text, for models that read some.
    """
    from .denoiser_shape import DenoiserShape

    shape = DenoiserShape.of(config)
    channels, frames, height, width = tokenizer.latent_shape(*pixels)
    if channels != shape.config["in_channels"]:
        raise ValueError(f"tokenizer must give {shape.config['in_channels']} channels, got {channels}")
    sizes = ((frames, height, width), (1, height, width))
    clip, image = (_walt_layers(shape.config, size, text_length) for size in sizes)
    encode = float(tokenizer.encode_flops(*pixels)), float(tokenizer.encode_flops(1, *pixels[1:]))
    latents = channels * frames * height * width, channels * height * width
    return Extractor(name, shape.parameters + tokenizer.parameters, clip, image, encode, latents)


def _walt_layers(config, size: tuple[int, int, int], text_length: int) -> list[LayerCost]:  # type: ignore[no-untyped-def]
    patch, width = config["patch_size"], config["num_attention_heads"] * config["attention_head_dim"]
    shape = (size[0], size[1] // patch, size[2] // patch, width)
    whole = [
        forward_flops({**config, "num_layers": depth + 1}, frames=size[0], size=size[1:], text_length=text_length)
        for depth in range(config["num_layers"])
    ]
    return [LayerCost(shape, float(flops)) for flops in whole]


def backbone_extractor(name: str, frames: int, resolution: int) -> Extractor:
    """Any backbone, counted on one clip and one image of it.

    Raises:
        ValueError: no such backbone, or clips that it cannot take.
    """
    from ...backbones import open_backbone
    from ...backbones.layer_table import layer_table

    backbone = open_backbone(name)
    tables = [layer_table(backbone, num_frames=count, resolution=resolution) for count in (frames, 1)]
    clip, image = ([LayerCost(_four(row.shape), float(row.flops)) for row in table] for table in tables)
    parts = [part for part in vars(backbone).values() if hasattr(part, "parameters")]
    parameters = sum(value.numel() for part in parts for value in part.parameters())
    encode, latents = _tokenizer_of(backbone, frames, resolution)
    return Extractor(name, parameters, clip, image, encode, latents, backbone.uses_timestep)


def _four(shape: tuple[int, ...]) -> Shape:
    steps, height, width, channels = shape
    return steps, height, width, channels


def _tokenizer_of(backbone, frames: int, resolution: int):  # type: ignore[no-untyped-def]
    """FLOPs of preparing a clip and an image, and the numbers in their latents."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    flops, numbers = [], []
    for count in (frames, 1):
        clip = torch.zeros(1, count, resolution, resolution, 3, dtype=torch.uint8)
        with FlopCounterMode(display=False) as counter:
            inputs = backbone.prepare(clip)
        flops.append(float(counter.get_total_flops()))
        latents = getattr(inputs, "latents", None)
        numbers.append(latents.numel() if backbone.tokenizer is not None and latents is not None else 0)
    return (flops[0], flops[1]), (numbers[0], numbers[1])


def plan_extraction(
    extractor: Extractor,
    data: Sequence[TaskData],
    machine: Machine,
    *,
    layers: Sequence[int],
    levels: int,
    dtype: str = "float16",
    pool: int = 1,
) -> Plan:
    """Cost of the features of whole data sets.

    One forward pass up to the deepest layer serves all layers of a noise level; the tokenizer runs once a sample.

    Args:
        extractor: the backbone.
        data: what it is run over.
        machine: on what.
        layers: that are kept, indices from 0.
        levels: noise levels; 1 where the backbone uses none.
        dtype: on disk.
        pool: cells averaged along each side.
    """
    levels = levels if extractor.uses_timestep else 1
    rows = [_row(extractor, item, machine, layers, levels, dtype, pool) for item in data]
    totals = [sum(column) for column in zip(*(row[4:] for row in rows), strict=True)]
    rows.append(["", "all", sum(row[2] for row in rows), "", *totals])
    time: How = machine.how
    columns: list[tuple[str, str, How]] = [
        ("task", "", "exact"),
        ("data", "", "exact"),
        ("samples", "samples", "published"),
        ("frames", "frames", "exact"),
        ("work", "FLOP", "formula"),
        ("time", "s", time),
        ("GPU hours", "h", time),
        ("features", "B", "formula"),
        ("latents", "B", "formula"),
        ("data read", "B", "assumed"),
    ]
    notes = [f"{item.name}: {item.how}" for item in data if item.how != "published"]
    notes += [machine.note] if machine.note else []
    what = f"{len(layers)} layers x {levels} noise levels, {dtype}" + (f", pooled {pool} x {pool}" if pool > 1 else "")
    title = f"features of {extractor.name} ({extractor.parameters / 1e6:,.1f} M parameters): {what}"
    return Plan(title, {}, {"extraction": Table(columns, rows, notes)})


def _row(
    extractor: Extractor, data: TaskData, machine: Machine, layers: Sequence[int], levels: int, dtype: str, pool: int
) -> list:
    kind = int(data.frames == 1)
    costs = (extractor.clip, extractor.image)[kind]
    work = data.samples * (extractor.encode[kind] + levels * costs[max(layers)].flops)
    stored = sum(_stored(data.samples, costs[layer].shape, dtype, pool) for layer in layers) * levels
    seconds = work / machine.speed / machine.gpus
    latents = 4 * data.samples * extractor.latents[kind]
    hours = seconds * machine.gpus / 3600
    return [
        data.task, data.name, data.samples, data.frames, work, seconds, hours, stored, latents,
        data.samples * data.stored,
    ]  # fmt: skip


def _stored(samples: int, shape: Shape, dtype: str, pool: int) -> int:
    steps, height, width, channels = shape
    return num_stored_bytes((samples, steps, height // pool, width // pool, channels), dtype)
