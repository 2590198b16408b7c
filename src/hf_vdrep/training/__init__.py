# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "AutoencoderTrainConfig": ".autoencoder",
    "CheckpointError": ".checkpoint",
    "DataConfig": ".data_config",
    "Ema": ".ema",
    "IndexStream": ".stream",
    "LoopConfig": ".loop_config",
    "PerceptualLoss": ".perceptual",
    "VideoDiscriminator": ".discriminator",
    "WaltTrainConfig": ".walt",
    "build": ".loop",
    "fit": ".loop",
    "load_config": ".config",
    "make_accelerator": ".loop",
    "save_config": ".config",
    "train_autoencoder": ".autoencoder",
    "train_walt": ".walt",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
