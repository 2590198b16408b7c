# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Writing a model folder so that a crash in the middle leaves the old one, or none."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from .folder import COMPONENTS, INDEX_NAME, ModelFolderError

# What announces a folder as loadable comes last.
_LAST = (INDEX_NAME, "config.json", "model_index.json")


@contextmanager
def staged_folder(target: str | os.PathLike, replace_weights: bool = True) -> Iterator[Path]:
    """A temporary folder beside `target`; on a clean exit it becomes `target`, otherwise it goes.

    Where `target` exists already, file after file is replaced, so that what else lies there (a card, curves) stays.

    Args:
        target: the folder to write.
        replace_weights: remove weights of an earlier save that this one did not write again, such as old shards.

    Raises:
        ModelFolderError: `target` cannot be written.
    """
    path = Path(target).absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not (path.is_dir() and os.access(path, os.W_OK)):
            raise PermissionError(13, "not a writable folder")
        stage = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    except OSError as error:
        raise ModelFolderError(f"save_directory must be a writable folder, got {path} ({error.strerror})") from None
    try:
        yield stage
        _install(stage, path, replace_weights)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _install(stage: Path, target: Path, replace_weights: bool) -> None:
    if not target.exists():
        stage.chmod(0o777 & ~_umask())  # mkdtemp makes it private
        os.replace(stage, target)
        return
    files = [file for file in stage.rglob("*") if file.is_file()]
    for file in sorted(files, key=lambda file: (file.name in _LAST and file.parent == stage, file)):
        destination = target / file.relative_to(stage)
        destination.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, destination)
    if replace_weights:
        written = {file.relative_to(stage) for file in files}
        for component in COMPONENTS:
            for old in (target / component).glob("diffusion_pytorch_model*"):
                if old.relative_to(target) not in written:
                    old.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def cast_weights(folder: Path, dtype: torch.dtype) -> None:
    """Rewrite the floating-point tensors of every component in `dtype`, for storage.

    Args:
        folder: a staged pipeline folder.
        dtype: such as torch.float16; both faces still load float32.
    """
    for component in COMPONENTS:
        for file in sorted((folder / component).glob("*.safetensors")):
            with safe_open(file, framework="pt") as opened:
                metadata = opened.metadata()
                tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            cast = {
                name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
            }
            save_file(cast, file, metadata=metadata)
