# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The model folder on disk: one pipeline folder whose weights both diffusers and transformers read.

    model_index.json               diffusers: the components
    vae/ transformer/ scheduler/   diffusers: their configs and safetensors
    config.json                    transformers: `WaltConfig`
    model.safetensors.index.json   transformers: which component file holds each tensor
    preprocessor_config.json       transformers: `WaltImageProcessor`
    video_preprocessor_config.json transformers: `WaltVideoProcessor`

The last four hold no weights, so no tensor is stored twice.
"""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .safetensors_header import read_header

COMPONENTS = ("vae", "transformer")
WEIGHTS_NAME = "diffusion_pytorch_model.safetensors"
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
        files = [base / name for name in sorted(set(read_json(index).get("weight_map", {}).values()))]
    return {name: file for file in files for name in _header(file)}


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


def write_transformers_face(folder: str | Path, extra: Mapping[str, Any] | None = None) -> None:
    """Add the four files of transformers to a pipeline folder.

    Args:
        folder: a folder that holds the components already.
        extra: further keys of the root config, such as `timestep`.

    Raises:
        ModelFolderError: a component is missing or corrupt.
    """
    path = Path(folder)
    config: dict[str, Any] = {
        "architectures": ["WaltModel"],
        # Weights may be stored in half precision; they load in full precision unless asked otherwise.
        "dtype": "float32",
        "model_type": "walt",
        "transformers_version": version("transformers"),
    }
    for key, name in _CONFIGS.items():
        config[key] = {k: v for k, v in read_json(path / name).items() if not k.startswith("_")}
    weights = {name: file for component in COMPONENTS for name, file in weights_of(path, component).items()}
    size = sum(file.stat().st_size for file in set(weights.values()))
    index = {
        "metadata": {"total_size": size},
        "weight_map": {name: file.relative_to(path).as_posix() for name, file in sorted(weights.items())},
    }
    _write_json(path / INDEX_NAME, index)
    _write_processors(path, config["vae_config"], config["transformer_config"])
    _write_json(path / "config.json", config | dict(extra or {}))


def _write_processors(path: Path, vae: Mapping[str, Any], transformer: Mapping[str, Any]) -> None:
    """Processors of the training size: latents times the compression of the tokenizer."""
    side = transformer["sample_size"] * 2 ** (len(vae["block_out_channels"]) - 1)
    frames = 1 + (transformer["sample_frames"] - 1) * 2 ** sum(map(bool, vae["temporal_downsample"]))
    size = {"height": side, "width": side}
    _write_json(path / "preprocessor_config.json", {"image_processor_type": "WaltImageProcessor", "size": size})
    video = {"video_processor_type": "WaltVideoProcessor", "size": size, "num_frames": frames}
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
