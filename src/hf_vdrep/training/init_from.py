# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A denoiser to go on training from: pipeline folder, shipped name, Hub id, or a run and its checkpoints."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file

from .checkpoint import list_checkpoints, verify_checkpoint
from .config import read_yaml
from .twins import IDENTITY

if TYPE_CHECKING:
    from ..models import WaltTransformer3DModel

# Arguments that add parameters to a model, which then start fresh, or as zeros where a projection grows.
_MAY_GROW = ("num_classes", "text_dim", "frame_conditioning")


def open_start(source: str) -> "WaltTransformer3DModel":
    """The denoiser that `source` names, float32, with averaged weights where there are any.

    Args:
        source: a pipeline folder, a transformer folder, a run's folder (its `pipeline/`, else its newest checkpoint),
            a checkpoint folder, a shipped name such as "v-walt", or a Hub id.

    Raises:
        ValueError: nothing of the kind is there.
    """
    path = Path(source)
    if (path / "manifest.json").is_file():
        return _from_checkpoint(path)
    if (path / "config.yaml").is_file() and not (path / "pipeline").is_dir():
        kept = list_checkpoints(path)
        if not kept:
            raise ValueError(f"init_from must be a run with a pipeline/ or a checkpoint, got {source} with neither")
        return _from_checkpoint(kept[-1])
    return _from_pretrained(source)


def start_from(
    source: str, objective: str, model: dict[str, Any], latents: dict[str, Any], *, frozen: bool = False
) -> "WaltTransformer3DModel":
    """A denoiser of the given objective with the weights of `source`.

    Args:
        source: see `open_start`.
        objective: "video" or "image"; the twins' parameters are the same in name and shape.
        model: arguments to change. Those that add a condition add fresh parameters; a first projection that grows
            ignores its new channels at first. Positions are interpolated to another latent size.
        latents: `in_channels`, `sample_frames` and `sample_size` of the data.
        frozen: the weights will not be trained (LoRA), so that nothing may be added to them.

    Raises:
        ValueError: an argument that would change parameters which are there, or add some to a frozen model.
    """
    from ..models import WaltTransformer3DModel
    from ..models.walt_resizing import interpolate_positions

    base = open_start(source)
    own = {name: value for name, value in base.config.items() if not name.startswith("_")}
    grid = {name: {**latents, **model}.get(name, own[name]) for name in ("sample_frames", "sample_size")}
    if any(grid[name] != own[name] for name in grid):
        base = interpolate_positions(base, **grid)
    fresh = WaltTransformer3DModel(**{**own, **latents, **model, "objective": objective})
    grown = [name for name in _MAY_GROW if base.config[name] != fresh.config[name]]
    if frozen and grown:
        raise ValueError(f"lora_rank must be 0 for conditions that {source} lacks, got {', '.join(grown)} untrained")
    _copy_weights(base, fresh, source, grown)
    return fresh


@torch.no_grad()
def _copy_weights(
    base: "WaltTransformer3DModel", fresh: "WaltTransformer3DModel", source: str, grown: list[str]
) -> None:
    old, new = base.state_dict(), fresh.state_dict()
    lost = [name for name in old if name not in new]
    added = [name for name in new if name not in old and not grown]
    odd = [name for name in old if name in new and not _fits(name, old[name], new[name], grown)]
    if lost or added or odd:
        names = ", ".join([*lost, *added, *odd][:3])
        raise ValueError(f"model must keep the parameters of {source}, got another shape or none for {names}")
    for name, value in old.items():
        if value.shape == new[name].shape:
            new[name].copy_(value)
        else:  # the new channels of every place of a patch stand behind its old ones, see `patchify`
            places = fresh.config.patch_size**2
            new[name].zero_()
            old_part = value.unflatten(1, (places, -1))
            new[name].unflatten(1, (places, -1))[:, :, : old_part.shape[2]].copy_(old_part)


def _fits(name: str, old: torch.Tensor, new: torch.Tensor, grown: list[str]) -> bool:
    widened = name == "patch_embed.weight" and "frame_conditioning" in grown
    return old.shape == new.shape or (widened and len(old) == len(new) and old.shape[1] < new.shape[1])


def _from_pretrained(source: str) -> "WaltTransformer3DModel":
    from ..models import WaltTransformer3DModel, shipped

    if source in shipped.names():
        source = str(shipped.path(source))
    path = Path(source)
    root = path / "pipeline" if (path / "pipeline").is_dir() else path
    inside = not root.is_dir() or (root / "transformer").is_dir()
    try:
        found = WaltTransformer3DModel.from_pretrained(str(root), subfolder="transformer" if inside else None)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise ValueError(f"init_from must name a trained WALT denoiser, got {source} ({reason})") from error
    return found.float()


def _from_checkpoint(path: Path) -> "WaltTransformer3DModel":
    """The averaged weights in a run's checkpoint; the run's `identity.json` says how the model was built."""
    from ..models import WaltTransformer3DModel

    verify_checkpoint(path)
    identity = path.parent / IDENTITY
    if not identity.is_file():
        raise ValueError(f"init_from must be a checkpoint beside its run's {IDENTITY}, got {path} without")
    if read_yaml(path.parent / "config.yaml").get("lora_rank"):
        raise ValueError(f"init_from must be a run that trained a whole model, got {path} with adapters alone")
    stored = json.loads(identity.read_text())
    model = WaltTransformer3DModel(**stored["model"], objective=stored["objective"])
    model.load_state_dict({**load_file(path / "model.safetensors"), **load_file(path / "ema.safetensors")})
    return model
