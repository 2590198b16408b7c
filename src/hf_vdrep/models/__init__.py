# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""WALT itself, in Hugging Face form."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "AutoencoderWalt": ".autoencoder_walt",
    "ModelFolderError": ".folder",
    "WaltConfig": ".configuration_walt",
    "WaltImageProcessor": ".image_processing_walt",
    "WaltImageProcessorPil": ".image_processing_walt",
    "WaltModel": ".modeling_walt",
    "WaltModelOutput": ".modeling_walt",
    "WaltCascadePipeline": ".pipeline_cascade",
    "WaltImageToVideoPipeline": ".pipeline_image_to_video",
    "WaltPipeline": ".pipeline_walt",
    "WaltPipelineOutput": ".pipeline_output",
    "WaltSuperResolutionPipeline": ".pipeline_super_resolution",
    "WaltTransformer3DModel": ".transformer_walt",
    "WaltVideoProcessor": ".video_processing_walt",
    "autoencoder_config": ".autoencoder_configs",
    "autoencoder_sizes": ".autoencoder_configs",
    "build_size": ".walt_sizes",
    "check_folder": ".folder",
    "clean_from_velocity": ".scheduler_walt",
    "forward_flops": ".walt_flops",
    "image_twin": ".walt_twin",
    "interpolate_positions": ".walt_resizing",
    "load_pair": ".shipped",
    "make_image_twin": ".walt_twin",
    "make_scheduler": ".scheduler_walt",
    "resolve_layers": ".layer_index",
    "size_config": ".walt_sizes",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
