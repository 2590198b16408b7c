# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Making the WALT classes known to diffusers and transformers by name.

`DiffusionPipeline.from_pretrained`, diffusers' `AutoModel` and transformers' `AutoConfig`, `AutoModel` and processors
find them after `import hf_vdrep`, whichever was imported first. Nothing here imports a model before somebody asks for
it.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .folder_shim import PACKAGE, SHIM
from .post_import import after_import

_DIFFUSERS_NAMES = (
    "AutoencoderWalt",
    "WaltCascadePipeline",
    "WaltImageToVideoPipeline",
    "WaltPipeline",
    "WaltSuperResolutionPipeline",
    "WaltTransformer3DModel",
)
_DIFFUSERS_BASES = ("ModelMixin", "SchedulerMixin", "DiffusionPipeline")


def register() -> None:
    """Register everything, now or when the other library is imported. Calling it again changes nothing."""
    after_import("diffusers", _serve_names_to_diffusers)
    after_import("diffusers.pipelines.pipeline_loading_utils", _let_diffusers_load_components)
    after_import("diffusers.pipelines.pipeline_utils", _prefer_this_package_over_shims)
    after_import("transformers.models.auto.configuration_auto", _register_config)
    after_import("transformers.models.auto.modeling_auto", _register_model)
    after_import("transformers.models.auto.image_processing_auto", _register_image_processor)
    after_import("transformers.models.auto.video_processing_auto", _register_video_processor)


def _serve_names_to_diffusers() -> None:
    """`getattr(diffusers, "WaltPipeline")` is how diffusers looks up the class that model_index.json names."""
    diffusers = sys.modules["diffusers"]
    earlier = vars(diffusers).get("__getattr__")

    def __getattr__(name: str) -> Any:
        if name in _DIFFUSERS_NAMES:
            return _ours(name)
        if earlier is not None:
            return earlier(name)
        raise AttributeError(f"module 'diffusers' has no attribute {name!r}")

    if getattr(earlier, "__module__", None) != __name__:
        diffusers.__getattr__ = __getattr__  # type: ignore[method-assign]


def _let_diffusers_load_components() -> None:
    """Components are written as ["hf_vdrep", class], and loaded through the bases that hf_vdrep exposes."""
    module = sys.modules["diffusers.pipelines.pipeline_loading_utils"]
    module.LOADABLE_CLASSES["hf_vdrep"] = {base: ["save_pretrained", "from_pretrained"] for base in _DIFFUSERS_BASES}


def _prefer_this_package_over_shims() -> None:
    """A folder's shim would only import this package, which is here: take the class, run no file, ask for no trust."""
    loading: Any = sys.modules["diffusers.pipelines.pipeline_loading_utils"]
    pipelines: Any = sys.modules["diffusers.pipelines.pipeline_utils"]
    find_class, find_pipeline = loading.get_class_from_dynamic_module, pipelines._get_pipeline_class
    if find_class.__module__ == __name__:
        return

    def get_class_from_dynamic_module(path: Any, module_file: str, *args: Any, **kwargs: Any) -> Any:
        if Path(module_file).name in (f"{SHIM}.py", f"{PACKAGE}.py"):
            return _ours(kwargs["class_name"])
        return find_class(path, module_file, *args, **kwargs)

    def _get_pipeline_class(class_obj: Any, config: Any = None, **kwargs: Any) -> Any:
        # What a folder names is but a default: `WaltPipeline.from_pretrained` asks for its own class.
        if Path(kwargs.get("custom_pipeline") or "").stem == SHIM:
            kwargs["custom_pipeline"] = kwargs["repo_id"] = None
        return find_pipeline(class_obj, config, **kwargs)

    loading.get_class_from_dynamic_module = get_class_from_dynamic_module
    pipelines._get_pipeline_class = _get_pipeline_class


def _register_config() -> None:
    from .configuration_walt import WaltConfig

    module = sys.modules["transformers.models.auto.configuration_auto"]
    module.CONFIG_MAPPING.register(WaltConfig.model_type, WaltConfig, exist_ok=True)


def _register_model() -> None:
    from .configuration_walt import WaltConfig

    module = sys.modules["transformers.models.auto.modeling_auto"]
    module.MODEL_MAPPING.register(WaltConfig, LazyClasses(("WaltModel",), _ours), exist_ok=True)


def _register_image_processor() -> None:
    from .configuration_walt import WaltConfig
    from .image_processing_walt import WaltImageProcessor

    # One class for both backends: it needs neither torchvision nor PIL's resampling.
    classes = {"pil": WaltImageProcessor, "torchvision": WaltImageProcessor}
    module = sys.modules["transformers.models.auto.image_processing_auto"]
    module.IMAGE_PROCESSOR_MAPPING.register(WaltConfig, classes, exist_ok=True)


def _register_video_processor() -> None:
    from .configuration_walt import WaltConfig
    from .video_processing_walt import WaltVideoProcessor

    module = sys.modules["transformers.models.auto.video_processing_auto"]
    module.VIDEO_PROCESSOR_MAPPING.register(WaltConfig, {"torchvision": WaltVideoProcessor}, exist_ok=True)


class LazyClasses(tuple):
    """Class names that turn into the classes when looked at; the auto classes accept a tuple of model classes.

    Args:
        names: of the classes.
        find: name -> class.
    """

    find: Callable[[str], Any]

    def __new__(cls, names: Sequence[str], find: Callable[[str], Any]) -> "LazyClasses":
        made = super().__new__(cls, names)
        made.find = find
        return made

    def __iter__(self) -> Iterator[Any]:
        return (self.find(name) for name in super().__iter__())

    def __getitem__(self, index: Any) -> Any:
        return list(self)[index]


def _ours(name: str) -> Any:
    return getattr(importlib.import_module("hf_vdrep.models"), name)
