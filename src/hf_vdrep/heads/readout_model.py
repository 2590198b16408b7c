# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What every head is: a `WaltModel`, one of its blocks, and a readout of `probes/` over it."""

import copy
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
import transformers.initialization as init
from torch import nn
from transformers.modeling_utils import PreTrainedModel

from ..models.configuration_walt import WaltConfig
from ..models.hidden_state_index import resolve_hidden_states
from ..models.layer_index import resolve_layers
from ..models.modeling_walt import CONDITIONS, WaltModel
from ..models.modeling_walt_base import WaltPreTrainedModel
from ..probes.readout import Readout
from .geometry import causal_spans, still_clip

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """What a head sees: features (B, T', H', W', C) of its block, the pixels' size, and what the caller asked for."""

    values: torch.Tensor
    pixel_size: tuple[int, int]
    hidden_states: tuple[torch.Tensor | None, ...] | None
    attentions: tuple[torch.Tensor, ...] | None


class WaltWithReadout(WaltPreTrainedModel):
    """Base of the heads.

    The readout is built from `config.readout_config`, where that is given, and else by `default_readout`. `layer`,
    `timestep` and `seed` of the config say which features it reads. The weights of `walt` are those of the pipeline
    folder; the readout's lie beside them in `readout/`.
    """

    readout_class: ClassVar[type[Readout]]
    # The readouts use weights of their parts without calling them: they stay on one device.
    _no_split_modules = [
        *WaltPreTrainedModel._no_split_modules,
        *("AttentiveClassifier", "SRTDepthReadout", "PoseReadout", "RecurrentPointReadout", "RecurrentBoxReadout"),
    ]
    _keys_to_ignore_on_load_unexpected: list[str] | None = None
    # Coordinates and log-depths want more digits than half precision has; a readout is small.
    _keep_in_fp32_modules_strict = ["readout"]

    def __init__(self, config: WaltConfig) -> None:
        super().__init__(config)
        self.walt = WaltModel(config)
        # Readouts check values (of frame spans) that have none on the meta device, where transformers builds models.
        with torch.device("cpu"):
            self.readout: Any = self.make_readout(config)
        self.post_init()
        if config.freeze_backbone:
            self.freeze_backbone()

    @classmethod
    def default_readout(cls, config: WaltConfig) -> dict[str, Any]:
        """Arguments of the readout for the geometry of a config."""
        return {"in_channels": config.hidden_size, "num_steps": 1 + (config.num_frames - 1) // config.tubelet_size}

    @classmethod
    def make_readout(cls, config: WaltConfig) -> Readout:
        """A fresh readout.

        Raises:
            ValueError: a `readout_config` of another class, with unknown arguments, or for another width.
        """
        given = config.readout_config or {"architectures": [cls.readout_class.__name__], **cls.default_readout(config)}
        readout = cls.readout_class.from_config(given)
        if (width := readout.config["in_channels"]) != config.hidden_size:
            raise ValueError(f"readout in_channels must be the backbone's width {config.hidden_size}, got {width}")
        return readout

    @classmethod
    def from_probe(
        cls,
        backbone: WaltModel | str | os.PathLike,
        readout: Readout | str | os.PathLike,
        *,
        layer: int | float | None = None,
        timestep: int | None = None,
        seed: int | None = None,
        labels: Sequence[str] | None = None,
    ) -> Self:
        """One model of a trained probe and its backbone, which is frozen (`unfreeze_backbone` to fine-tune it).

        Args:
            backbone: a model, which is taken over and not copied, or a model folder.
            readout: a trained readout, likewise, or its folder.
            layer: block that the probe was trained on; the config's by default.
            timestep: noise level that it was trained on; the config's by default.
            seed: of the noise; the config's by default.
            labels: names of the classes, in order.

        Raises:
            ValueError: a readout of another kind, or for another width, or a layer that does not exist.
        """
        walt = backbone if isinstance(backbone, WaltModel) else WaltModel.from_pretrained(backbone)
        readout = readout if isinstance(readout, Readout) else Readout.from_pretrained(Path(readout))
        if not isinstance(readout, cls.readout_class):
            expected = cls.readout_class.__name__
            raise ValueError(f"readout must be a {expected} for {cls.__name__}, got {type(readout).__name__}")
        config = copy.deepcopy(walt.config)
        given = {"layer": layer, "timestep": timestep, "seed": seed}
        for name, value in given.items():
            if value is not None:
                setattr(config, name, value)
        config.readout_config, config.freeze_backbone = dict(readout.config), True
        cls._name_classes(config, readout, labels)
        resolve_layers([config.layer], config.num_hidden_layers)
        with torch.device("meta"):
            model = cls(config)
        walt.config = config
        model.walt, model.readout = walt, readout.to(walt.device)
        model.freeze_backbone()
        return model.eval()

    @classmethod
    def _name_classes(cls, config: WaltConfig, readout: Readout, labels: Sequence[str] | None) -> None:
        if labels is not None:
            raise ValueError(f"labels must be None for {cls.__name__}, which has no classes, got {len(labels)}")

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> Any:
        """As the base; a backbone that was frozen comes back frozen."""
        loaded = super().from_pretrained(*args, **kwargs)
        # Loading puts other parameters in the place of those that the constructor froze.
        model = loaded[0] if isinstance(loaded, tuple) else loaded
        if model.config.freeze_backbone:
            model.freeze_backbone()
        return loaded

    def freeze_backbone(self) -> None:
        """Only the readout takes gradients."""
        self.config.freeze_backbone = True
        self.walt.requires_grad_(False)

    def unfreeze_backbone(self) -> None:
        """Everything takes gradients."""
        self.config.freeze_backbone = False
        self.walt.requires_grad_(True)

    @property
    def num_steps(self) -> int:
        """Latent steps T' that the readout reads."""
        config = self.readout.config
        return config["num_steps"] if "num_steps" in config else len(config["frame_spans"])

    @property
    def num_frames(self) -> int:
        """Frames of a clip that the readout reads, 1 + 4k."""
        return 1 + (self.num_steps - 1) * self.walt.vae.temporal_compression_ratio

    def look(
        self,
        pixel_values: torch.Tensor | None,
        pixel_values_videos: torch.Tensor | None,
        latents: torch.Tensor | None,
        timestep: int | torch.Tensor | None = None,
        seed: int | Sequence[int] | None = None,
        output_hidden_states: bool | int | Sequence[int] | None = None,
        output_attentions: bool | None = None,
        **kwargs: Any,
    ) -> Reading:
        """Features of the head's block; nothing runs after it unless the caller asks for more.

        A picture (4-D `pixel_values`) given to a head that reads clips is a clip in which nothing moves.

        Raises:
            ValueError: a clip of another length than the readout was made for.
        """
        # The backbone may be shared with another head, whose config says otherwise.
        timestep = self.config.timestep if timestep is None else timestep
        seed = self.config.seed if seed is None else seed
        clean = self.walt.encode_latents(still_clip(pixel_values, self.num_frames), pixel_values_videos, latents)
        if clean.shape[2] != self.num_steps:
            raise ValueError(
                f"the clip must have {self.num_frames} frames ({self.num_steps} latent steps), "
                f"got {clean.shape[2]} latent steps"
            )
        # Trainers pass notes of their own, such as `num_items_in_batch`.
        options = {name: kwargs[name] for name in (*CONDITIONS, "latent_noise") if name in kwargs}
        count = self.config.num_hidden_layers
        (layer,) = resolve_layers([self.config.layer], count)
        selection = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        wanted = resolve_hidden_states(selection, count + 1)
        attend = self.config.output_attentions if output_attentions is None else output_attentions
        ratio = self.walt.vae.spatial_compression_ratio
        size = (clean.shape[3] * ratio, clean.shape[4] * ratio)
        if not wanted and not attend:
            values = self.walt.read(clean, layer, timestep, seed, **options)
            return Reading(values.to(self.readout.dtype), size, None, None)
        seen = self.walt(
            latents=clean,
            timestep=timestep,
            seed=seed,
            output_hidden_states=sorted(wanted | {layer + 1}),
            output_attentions=attend,
            stop_early=not attend,
            return_dict=True,
            **options,
        )
        grid = self.walt.grid_of(clean)
        states = tuple(state if index in wanted else None for index, state in enumerate(seen.hidden_states))
        values = seen.hidden_states[layer + 1].unflatten(1, grid)
        return Reading(values.to(self.readout.dtype), size, states if wanted else None, seen.attentions)

    def _apply(self, fn: Any, recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        if hasattr(self, "readout"):
            self.readout.float()
        return self

    def _own_config(self, storage_dtype: torch.dtype | None) -> dict[str, Any]:
        # Not in `self.config` before: one config may serve heads of several kinds.
        readout = {"architectures": [type(self.readout).__name__], **self.readout.config}
        return super()._own_config(storage_dtype) | {"readout_config": readout}

    def _adjust_missing_and_unexpected_keys(self, loading_info: Any) -> None:
        super()._adjust_missing_and_unexpected_keys(loading_info)
        if loading_info.missing_keys == {f"readout.{name}" for name in self.readout.state_dict()}:
            # Of a table of the weights of a readout that was never trained, nobody learns more than this line says.
            self._untrained, loading_info.missing_keys = loading_info.missing_keys, set()

    @staticmethod
    def _finalize_model_loading(model: Any, load_config: Any, loading_info: Any) -> Any:
        """As the base; where all of the readout is missing, one line instead of transformers' report."""
        PreTrainedModel._finalize_model_loading(model, load_config, loading_info)
        if untrained := model.__dict__.pop("_untrained", None):
            loading_info.missing_keys = untrained
            _LOGGER.warning(
                "%s: the readout is new and untrained, as %s holds none: train it before use",
                type(model).__name__,
                load_config.pretrained_model_name_or_path,
            )
        return loading_info

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, Readout):
            _initialize_readout(module)
        else:
            super()._init_weights(module)


@torch.no_grad()
def _initialize_readout(readout: Readout) -> None:
    """Weights and tables of a fresh one; transformers' guarded copy spares what was loaded."""
    with torch.device("cpu"):
        fresh = type(readout).from_config(readout.config)
    for source, target in ((fresh.named_parameters(), readout), (fresh.named_buffers(), readout)):
        for name, value in source:
            parent, _, leaf = name.rpartition(".")
            init.copy_(getattr(target.get_submodule(parent), leaf), value)


def spans_of(config: WaltConfig, num_frames: int | None = None) -> list[list[int]]:
    """Frames that each latent step of a training clip covers."""
    return causal_spans(num_frames or config.num_frames, config.tubelet_size)
