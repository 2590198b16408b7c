# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The model folder on disk: one pipeline folder whose weights both diffusers and transformers read.

    model_index.json               diffusers: the components
    hf_vdrep_shim.py               both: the classes, for `trust_remote_code=True`
    vae/ transformer/ scheduler/   diffusers: their configs and safetensors
    config.json                    transformers: `WaltConfig`
    model.safetensors.index.json   transformers: which component file holds each tensor
    preprocessor_config.json       transformers: `WaltImageProcessor`
    video_preprocessor_config.json transformers: `WaltVideoProcessor`
    readout/                       transformers: the weights of a head's readout, where there is one

Of the root's files none holds weights, so no tensor is stored twice.
"""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from .compression import sides, spatial_ratio, temporal_ratio
from .folder_shim import auto_map, write_shims
from .safetensors_header import read_header

if TYPE_CHECKING:
    import torch

COMPONENTS = ("vae", "transformer")
WEIGHTS_NAME = "diffusion_pytorch_model.safetensors"
HEAD_NAME = "readout/model.safetensors"
INDEX_NAME = "model.safetensors.index.json"
_CONFIGS = {
    "vae_config": "vae/config.json",
    "transformer_config": "transformer/config.json",
    "scheduler_config": "scheduler/scheduler_config.json",
}


class ModelFolderError(ValueError, OSError):
    """A model folder that is missing, incomplete or corrupt; the message is one line that names the file."""


def check_folder(folder: str | Path) -> Path:
    """Read every JSON file and every safetensors header before any loading starts.

    Args:
        folder: a folder written by `WaltPipeline.save_pretrained` or `WaltModel.save_pretrained`.

    Returns:
        The folder as a `Path`.

    Raises:
        ModelFolderError: the folder, or a file in it, is missing, truncated or not what its name says.
    """
    path = Path(folder)
    if not path.is_dir():
        state = "a file" if path.is_file() else "nothing there"
        raise ModelFolderError(f"model folder must be an existing folder, got {path} ({state})")
    read_json(path / "model_index.json")
    for name in _CONFIGS.values():
        read_json(path / name)
    for component in COMPONENTS:
        weights_of(path, component)
    if (path / INDEX_NAME).is_file() and HEAD_NAME in _files_of_index(path / INDEX_NAME):
        _header(path / HEAD_NAME)
    return path


def weights_of(folder: Path, component: str) -> dict[str, Path]:
    """Tensor name -> file that holds it, from the headers of one component's safetensors.

    Raises:
        ModelFolderError: a weight file is missing or corrupt.
    """
    base = folder / component
    index = base / f"{WEIGHTS_NAME}.index.json"
    files = [base / WEIGHTS_NAME]
    if index.is_file():
        files = [base / name for name in _files_of_index(index)]
    return {name: file for file in files for name in _header(file)}


def _files_of_index(path: Path) -> list[str]:
    """Names that an index gives to its files, sorted; all lie beside it or below.

    Raises:
        ModelFolderError: no such table, or a name that leads elsewhere.
    """
    table = read_json(path).get("weight_map")
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table.values()):
        raise ModelFolderError(f"{path} must map tensors to files in weight_map, got {type(table).__name__}")
    for name in table.values():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
            raise ModelFolderError(f"{path} must name files of its folder, got {name}")
    return sorted(set(table.values()))


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ModelFolderError: no such file, or not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelFolderError(f"{path} is missing: a model folder needs it") from None
    except (OSError, ValueError) as error:
        raise ModelFolderError(f"{path} must be a JSON file, got {error}") from None
    if not isinstance(content, dict):
        raise ModelFolderError(f"{path} must hold a JSON object, got {type(content).__name__}")
    return content


def write_head(folder: str | Path, tensors: "Mapping[str, torch.Tensor]") -> None:
    """Write a head's tensors into a file of their own.

    Args:
        folder: a staged folder.
        tensors: by their names in the model, all beginning with `readout.`.
    """
    from safetensors.torch import save_file

    file = Path(folder) / HEAD_NAME
    file.parent.mkdir(exist_ok=True)
    save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, file, {"format": "pt"})


def write_transformers_face(
    folder: str | Path, extra: Mapping[str, Any] | None = None, whole_picture: bool = False
) -> None:
    """Add the files of transformers, and those of `trust_remote_code`, to a pipeline folder.

    Args:
        folder: a folder that holds the components already, and perhaps a head.
        extra: further keys of the root config, such as `timestep`.
        whole_picture: the processors squeeze a picture into the model's size instead of cropping it.

    Raises:
        ModelFolderError: a component is missing or corrupt.
    """
    path = Path(folder)
    config: dict[str, Any] = {
        "architectures": ["WaltModel"],
        "auto_map": auto_map("model"),
        # Weights may be stored in half precision; they load in full precision unless asked otherwise.
        "dtype": "float32",
        "model_type": "walt",
        "transformers_version": version("transformers"),
    }
    for key, name in _CONFIGS.items():
        config[key] = {k: v for k, v in read_json(path / name).items() if not k.startswith("_")}
    _write_index(path)
    _write_processors(path, config["vae_config"], config["transformer_config"], whole_picture)
    write_shims(path, read_json(path / "model_index.json"))
    _write_json(path / "config.json", config | dict(extra or {}))


def _write_index(path: Path) -> None:
    """Tensor name -> file, over the components and the head."""
    weights = {name: file for component in COMPONENTS for name, file in weights_of(path, component).items()}
    if (path / HEAD_NAME).is_file():
        weights |= dict.fromkeys(_header(path / HEAD_NAME), path / HEAD_NAME)
    index = {
        "metadata": {"total_size": sum(file.stat().st_size for file in set(weights.values()))},
        "weight_map": {name: file.relative_to(path).as_posix() for name, file in sorted(weights.items())},
    }
    _write_json(path / INDEX_NAME, index)


def _write_processors(path: Path, vae: Mapping[str, Any], transformer: Mapping[str, Any], whole: bool) -> None:
    """Processors of the training size: latents times the compression of the tokenizer."""
    height, width = (side * spatial_ratio(vae) for side in sides(transformer["sample_size"]))
    frames = 1 + (transformer["sample_frames"] - 1) * temporal_ratio(vae)
    shared = {"size": {"height": height, "width": width}, "do_center_crop": not whole}
    image = shared | {"image_processor_type": "WaltImageProcessor", "auto_map": auto_map("image")}
    video = shared | {"video_processor_type": "WaltVideoProcessor", "auto_map": auto_map("video"), "num_frames": frames}
    _write_json(path / "preprocessor_config.json", image)
    _write_json(path / "video_preprocessor_config.json", video)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _header(file: Path) -> dict[str, Any]:
    try:
        return read_header(file)
    except FileNotFoundError:
        raise ModelFolderError(f"{file} is missing: a model folder needs it") from None
    except (OSError, ValueError) as error:
        raise ModelFolderError(f"{file} must be a whole safetensors file, got {error}") from None
