# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The end-to-end reference on disk: model.safetensors and config.json, written aside and renamed into place."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from .end_to_end import EndToEndReference

WEIGHTS, CONFIG = "model.safetensors", "config.json"


def save_reference(
    model: EndToEndReference,
    folder: Path | str,
    *,
    dtype: torch.dtype = torch.float16,
    record: dict[str, Any] | None = None,
) -> Path:
    """Write the network to a folder.

    Args:
        model: the network.
        folder: made if absent.
        dtype: of the floating-point tensors in the file; half precision costs 1e-3 and halves it.
        record: anything JSON to keep under "record" in the config: command, seed, scores.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: _stored(value, dtype) for name, value in model.state_dict().items()}
    part = folder / f".{WEIGHTS}.part"
    save_file(state, part)
    part.chmod(0o644)  # safetensors writes for the owner alone; packages are read by all
    os.replace(part, folder / WEIGHTS)
    part = folder / f".{CONFIG}.part"
    part.write_text(json.dumps({**model.config, "record": record or {}}, indent=2) + "\n")
    os.replace(part, folder / CONFIG)
    return folder


def load_reference(folder: Path | str) -> EndToEndReference:
    """Read what `save_reference` wrote; float32, in evaluation mode.

    Raises:
        ValueError: a file is missing or damaged, or the weights do not fit the config; the line names the file.
    """
    folder = Path(folder)
    try:
        config = json.loads((folder / CONFIG).read_text())
        config.pop("record", None)
        state = load_file(folder / WEIGHTS)
    except (OSError, json.JSONDecodeError, SafetensorError) as error:
        raise ValueError(f"folder must hold {CONFIG} and {WEIGHTS} of a reference, got {folder} ({error})") from error
    model = EndToEndReference(**config)
    try:
        model.load_state_dict({name: _widened(value) for name, value in state.items()})
    except RuntimeError as error:
        raise ValueError(f"{folder / WEIGHTS} does not fit {folder / CONFIG}: {error}") from error
    return model.eval()


def _stored(value: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return value.detach().to(dtype if value.is_floating_point() else value.dtype).contiguous().clone()


def _widened(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value
