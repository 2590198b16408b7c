# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Weights out of a checkpoint, averaged or raw: which of them to use can be decided after the training.

python -m hf_vdrep.training.averaging runs/walt/checkpoint-1000 --weights model --out raw/
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from .checkpoint import CheckpointError, resolve_resume, verify_checkpoint

WHICH = ("ema", "model")


def export_weights(checkpoint: str | os.PathLike, which: str = "ema") -> dict[str, torch.Tensor]:
    """The state dict of a checkpoint's model.

    Args:
        checkpoint: a `checkpoint-<step>` folder, or a run folder, whose newest is taken.
        which: ema (weights that are not trained have no average and come as they are) or model.

    Raises:
        ValueError: another `which`.
        CheckpointError: no checkpoint there, or a damaged one.
    """
    if which not in WHICH:
        raise ValueError(f"which must be one of {list(WHICH)}, got {which!r}")
    path = resolve_resume(Path(checkpoint), str(checkpoint))
    assert path is not None
    verify_checkpoint(path)
    weights = load_file(path / "model.safetensors")
    if which == "ema":
        averaged = load_file(path / "ema.safetensors")
        weights.update({name: value.to(weights[name].dtype) for name, value in averaged.items()})
    return weights


def export_model(checkpoint: str | os.PathLike, which: str = "ema") -> nn.Module:
    """The model of a checkpoint, built from the class and arguments that stand in it.

    Raises:
        CheckpointError: besides damage, a class that is not of `hf_vdrep.models`, or weights that do not fit.
    """
    from .. import models

    weights = export_weights(checkpoint, which)
    path = resolve_resume(Path(checkpoint), str(checkpoint))
    assert path is not None
    about = json.loads((path / "state.json").read_text()).get("architecture", {})
    kind: Any = getattr(models, str(about.get("class")), None)
    if not hasattr(kind, "from_config"):
        raise CheckpointError(f"{path} must say a model of hf_vdrep.models, got {about.get('class')}")
    model = kind.from_config(about["config"])
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path} must hold weights of {about['class']} ({' '.join(str(error).split())})"
        ) from error
    return model.eval()


def save_weights(checkpoint: str | os.PathLike, out: Path, which: str, vae: str | None = None) -> None:
    """Write them: a file of that name (*.safetensors), a model folder, or with `vae` a whole pipeline folder."""
    if out.suffix == ".safetensors":
        temporary = out.with_name(f".{out.name}.{os.getpid()}")
        save_file(export_weights(checkpoint, which), temporary)
        os.replace(temporary, out)
        return
    from .autoencoder import replace_folder

    model: Any = export_model(checkpoint, which)
    if vae is None:
        replace_folder(out, model.save_pretrained)
        return
    from .walt import load_vae, save_pipeline

    replace_folder(out, lambda folder: save_pipeline(folder, load_vae(vae), model))


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; exit code 2 and one line for what cannot be done."""
    parser = argparse.ArgumentParser(description="Write the averaged or the raw weights of a checkpoint.")
    parser.add_argument("checkpoint", help="checkpoint-<step> folder, or a run folder (its newest)")
    parser.add_argument("--weights", choices=WHICH, default="ema", help="averaged or raw (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="FILE.safetensors, or the folder of a saved model")
    parser.add_argument("--vae", help="tokenizer (folder or Hub id): write a whole pipeline with it")
    given = parser.parse_args(argv)
    try:
        save_weights(given.checkpoint, given.out, given.weights, given.vae)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(f"{given.weights} weights of {given.checkpoint} -> {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
