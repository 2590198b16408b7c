# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Put a trained pair into the package: folders of both twins, checkpoints along the way, logs for the card.

make pair
python scripts/ship_pair.py --runs runs
"""

import argparse
import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from hf_vdrep.models import AutoencoderWalt, WaltPipeline

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "src" / "hf_vdrep" / "assets" / "walt-tiny"
CARDS = ROOT / "model_cards" / "walt-tiny"
TWINS = ("i-walt", "v-walt")
LOGS = ("config.yaml", "log.jsonl", "summary.json", "loss.png")


def main() -> None:
    parser = argparse.ArgumentParser(description="Ship a trained pair.")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs", help="holds <twin>-tiny, <twin>-tiny-seed1, …")
    parser.add_argument("--vae", type=Path, help="tokenizer of both folders; default: runs/tokenizer-tiny-decoder/vae")
    parser.add_argument("--steps", nargs="*", type=int, help="which snapshots to keep; default: all")
    args = parser.parse_args()
    vae = AutoencoderWalt.from_pretrained(args.vae or args.runs / "tokenizer-tiny-decoder" / "vae")
    for twin in TWINS:
        ship_twin(args.runs / f"{twin}-tiny", twin, vae)
    share_tokenizer()
    shutil.rmtree(ASSETS / "checkpoints", ignore_errors=True)
    (ASSETS / "checkpoints").mkdir()
    steps = json.loads((args.runs / f"{TWINS[0]}-tiny" / "summary.json").read_text())["steps"]
    (ASSETS / "checkpoints" / "training.json").write_text(json.dumps({"steps": steps}) + "\n")
    for twin in TWINS:
        for run in sorted(args.runs.glob(f"{twin}-tiny*")):
            seed = int(run.name.partition("seed")[2] or 0)
            ship_checkpoints(run, twin, seed, args.steps)
            if seed:
                copy_logs(run, f"{twin}-seed{seed}")
    for name in ("tokenizer-tiny", "tokenizer-tiny-decoder"):
        copy_logs(args.runs / name, name.replace("-tiny", ""))


def ship_twin(run: Path, twin: str, vae: AutoencoderWalt) -> None:
    """The pipeline folder, in float16."""
    pipeline = WaltPipeline.from_pretrained(run / "pipeline")
    pipeline.register_modules(vae=vae)
    shutil.rmtree(ASSETS / twin, ignore_errors=True)
    pipeline.save_pretrained(ASSETS / twin, storage_dtype=torch.float16)
    copy_logs(run, twin)
    print(f"{ASSETS / twin}")


def share_tokenizer() -> None:
    """The weights of the twins' one tokenizer stand in the tree once; the other folder links to them."""
    first, second = (ASSETS / twin / "vae" / "diffusion_pytorch_model.safetensors" for twin in TWINS)
    if first.read_bytes() != second.read_bytes():
        raise ValueError(f"the twins must have one tokenizer, got different {first} and {second}")
    first.unlink()
    first.symlink_to(os.path.relpath(second, first.parent))


def ship_checkpoints(run: Path, twin: str, seed: int, steps: list[int] | None) -> None:
    """Averaged weights: of the first seed the snapshots, its end being the pair itself; of the others the end."""
    kept = {} if seed else {int(file.stem.partition("-")[2]): file for file in run.glob("snapshots/*.safetensors")}
    wanted = {step: load_file(file) for step, file in kept.items() if steps is None or step in steps}
    if seed:
        last = max(int(folder.name.partition("-")[2]) for folder in run.glob("checkpoint-*"))
        wanted[last] = load_file(run / f"checkpoint-{last}" / "ema.safetensors")
    for step, weights in sorted(wanted.items()):
        path = ASSETS / "checkpoints" / f"{twin}-seed{seed}-step{step}.safetensors"
        save_file({name: value.to(torch.bfloat16).contiguous() for name, value in weights.items()}, path)
        path.chmod(0o644)
        print(path)


def copy_logs(run: Path, name: str) -> None:
    """What the card shows of a training."""
    folder = CARDS / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in LOGS:
        if (run / file).exists():
            temporary = folder / f".{file}.part"
            shutil.copyfile(run / file, temporary)
            os.replace(temporary, folder / file)


if __name__ == "__main__":
    main()
