# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Latent caches that are filled by processes which die, run as a program so that a test may kill them.

latent_filling.py DATA PICTURES FOLDER KILLS SEED: fills FOLDER/whole in peace, FOLDER/alone by one process and
FOLDER/together by two at once, which are killed KILLS times, at random moments; between two kills some shard is
damaged on disk. What then stands in the three folders is for the test to compare.
"""

import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import torch
from conftest import TINY_VAE

from hf_vdrep.features.shard_file import ShardWriter
from hf_vdrep.models import AutoencoderWalt
from hf_vdrep.training import latent_fill, latent_store
from hf_vdrep.training.latent_cache import CachedLatents
from hf_vdrep.training.walt_config import WaltTrainConfig

latent_fill.SAMPLES_PER_SHARD, latent_fill._POLL_S = 2, 0.02
latent_store.PATIENCE_S = 0.5


def cache(folder, data, pictures):
    settings = {"data": data, "image_data": pictures, "image_fraction": 0.5, "resolution": 16, "batch_size": 4}
    config = WaltTrainConfig(output_dir=str(folder / "run"), seed=1, max_corrupt=0.9, latent_cache=True, **settings)
    torch.manual_seed(0)
    vae = AutoencoderWalt(**TINY_VAE, latents_mean=[0.1] * 4, latents_std=[0.5] * 4).eval()
    return CachedLatents(config, vae, folder)


def start(found, pause):
    """A process that fills the cache; its writes are slowed, so that kills fall into them."""
    child = os.fork()
    if child:
        return child
    append = ShardWriter.append

    def slowly(self, rows):
        append(self, rows)
        self._file.flush()
        time.sleep(pause)

    ShardWriter.append = slowly
    try:
        found.draw(0, 0, 1)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def end(children):
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(children)


def damage(folder, chance):
    """As after a power cut: a shard that lost its end, or in which a byte is wrong."""
    shards = sorted(folder.glob("latents-*/shard-*.safetensors"))
    if shards:
        path = chance.choice(shards)
        content = bytearray(path.read_bytes())
        place = chance.randrange(len(content))
        content[place] ^= 1 << chance.randrange(8)
        path.write_bytes(content if chance.random() < 0.5 else content[:place])


def shards(folder):
    return len(list(folder.glob("latents-*/shard-*.safetensors")))


def torture(folder, processes, kills, total, chance, words):
    for attempt in range(kills):
        children = [start(cache(folder, *words), 0.03) for _ in range(processes)]
        goal = total * (attempt + chance.random()) / (kills + 1)
        while shards(folder) < goal:
            time.sleep(0.001)
        for child in chance.sample(children, processes):
            time.sleep(chance.random() * 0.1)
            os.kill(child, signal.SIGKILL)
        codes = [os.waitpid(child, 0)[1] for child in children]
        assert set(codes) <= {0, signal.SIGKILL}, codes
        left = len(list(folder.glob("latents-*/.*.tmp")))
        print(folder.name, attempt, codes, shards(folder), "shards,", left, "left-overs", flush=True)
        if attempt % 3 == 2:
            damage(folder, chance)
    time.sleep(2 * latent_store.PATIENCE_S)
    end([start(cache(folder, *words), 0) for _ in range(processes)])
    time.sleep(2 * latent_store.PATIENCE_S)
    end([start(cache(folder, *words), 0)])


if __name__ == "__main__":
    torch.set_num_threads(1)
    data, pictures, root, kills, seed = *sys.argv[1:3], Path(sys.argv[3]), *map(int, sys.argv[4:])
    end([start(cache(root / "whole", data, pictures), 0)])
    for place, processes in (("alone", 1), ("together", 2)):
        chance = random.Random(seed + processes)
        torture(root / place, processes, kills, shards(root / "whole"), chance, (data, pictures))
