# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the WALT models of transformers share: how they start, load and save."""

import dataclasses
import os
import re
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from diffusers.models.attention_dispatch import AttentionBackendName
from torch import nn
from transformers.modeling_utils import PreTrainedModel

from .configuration_walt import WaltConfig
from .folder import check_folder, write_head, write_transformers_face
from .folder_writing import staged_folder
from .pipeline_inputs import local_folder, within_reach
from .pipeline_super_resolution import WaltSuperResolutionPipeline
from .pipeline_walt import WaltPipeline
from .walt_initialization import initialize_module

# Tensors are named in the files as the components name them; the top-level names of the two are disjoint, and
# transformers adds the prefix `walt.` of a head's backbone by itself.
_KEY_MAPPING = {
    r"^(encoder|decoder)\.": r"vae.\1.",
    r"^(?!vae\.|transformer\.|readout\.|walt\.)(.+)": r"transformer.\1",
}
_UPLOAD_ARGUMENTS = ("repo_id", "private", "commit_message", "create_pr")
# Of the root config, what is written from the components or anew at every save.
_NOT_OWN = {
    *("vae_config", "transformer_config", "scheduler_config", "transformers_version", "architectures", "auto_map"),
    *("stage_names", "out_indices"),
}


class WaltPreTrainedModel(PreTrainedModel):
    """Base of the models over a WALT tokenizer and denoiser.

    `from_pretrained` reads the folder that `WaltPipeline.save_pretrained` wrote, and the other way round.
    """

    config_class = WaltConfig
    base_model_prefix = "walt"
    main_input_name = "pixel_values"
    input_modalities = ("image", "video")
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _no_split_modules = ["WaltFirstBlock", "WaltSpatialBlock", "WaltSpatiotemporalBlock", "WaltResnetBlock"]
    # A readout beside the backbone is no concern of the models without one.
    _keys_to_ignore_on_load_unexpected: list[str] | None = [r"^readout\."]
    # Pictures are squeezed to the model's size rather than cropped where the answer is a map of them.
    keeps_whole_picture: ClassVar[bool] = False

    def __init__(self, config: WaltConfig) -> None:
        super().__init__(config)
        self.register_load_state_dict_pre_hook(_accept_names_of_files)

    def get_input_embeddings(self) -> nn.Module:
        """The patch embedding."""
        return self.backbone_model.transformer.patch_embed

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the patch embedding."""
        self.backbone_model.transformer.patch_embed = value

    @property
    def backbone_model(self) -> Any:
        """The `WaltModel` within; the model itself where it is one."""
        return getattr(self, self.base_model_prefix, self)

    def set_attn_implementation(self, attn_implementation: str | dict[str, str], *args: Any, **kwargs: Any) -> None:
        """ "sdpa" (fused) or "eager" (the same sums, one after the other)."""
        super().set_attn_implementation(attn_implementation, *args, **kwargs)
        self._apply_attention()

    def _apply_attention(self) -> None:
        backend = AttentionBackendName("_native_math" if self.config._attn_implementation == "eager" else "native")
        # Not through `set_attention_backend`, which changes the default of every other model in the process too.
        for processor in self.backbone_model.transformer.attn_processors.values():
            processor._attention_backend = backend

    def _init_weights(self, module: nn.Module) -> None:
        initialize_module(module)

    def _initialize_weights(self, module: nn.Module, is_custom_code: bool = False) -> None:
        # For code outside its tree transformers skips modules without own parameters, such as the tokenizer's
        # adaptive norm. Ours initialises through the guarded torch.nn.init, which spares loaded weights by itself.
        super()._initialize_weights(module)

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike | None, *args: Any, **kwargs: Any
    ) -> Self:
        """Load a local folder, checked first, or a Hub repository.

        Raises:
            ModelFolderError: a local folder that is missing or has a missing or corrupt file.
            ConnectionError: a Hub repository that was not downloaded before, and the Hub does not answer.
        """
        path = pretrained_model_name_or_path
        folder = None if path is None else local_folder(path)
        if folder is not None and not kwargs.get("subfolder"):
            check_folder(folder)
        elif path is not None and folder is None:
            kwargs = within_reach(path, kwargs)
        kwargs["key_mapping"] = _KEY_MAPPING | (kwargs.get("key_mapping") or {})
        return super().from_pretrained(path, *args, **kwargs)

    @staticmethod
    def _load_pretrained_model(
        model: Any, state_dict: Any, checkpoint_files: Any, load_config: Any, **kwargs: Any
    ) -> Any:
        # For tensors that stay on disk, transformers seeks the index's files beside the first of them.
        index = load_config.sharded_metadata
        if index and checkpoint_files:
            first = Path(checkpoint_files[0]).parent
            moved = {name: os.path.relpath(first.parent / file, first) for name, file in index["weight_map"].items()}
            load_config = dataclasses.replace(load_config, sharded_metadata=index | {"weight_map": moved})
        return PreTrainedModel._load_pretrained_model(model, state_dict, checkpoint_files, load_config, **kwargs)

    def save_pretrained(
        self,
        save_directory: str | os.PathLike,
        is_main_process: bool = True,
        state_dict: dict[str, torch.Tensor] | None = None,
        push_to_hub: bool = False,
        max_shard_size: int | str | None = None,
        token: str | bool | None = None,
        storage_dtype: torch.dtype | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the folder that the auto classes and `DiffusionPipeline` all load.

        The backbone lies in the component folders, a head's readout in a file of its own: no tensor is stored twice.

        Args:
            save_directory: the folder; other files in it stay.
            is_main_process: write nothing if False.
            state_dict: weights to write instead of the model's, such as those gathered from several processes.
            push_to_hub: upload the folder after it is whole, with `repo_id`, `private`, `create_pr`, `commit_message`.
            max_shard_size: as in diffusers.
            token: of the Hub.
            storage_dtype: precision of the components on disk, such as torch.float16; both faces still load float32.
            kwargs: of the upload; what else transformers passes is ignored.
        """
        if not is_main_process:
            return
        model = self if state_dict is None else self._with_weights(state_dict)
        pipeline = model.to_pipeline()
        with staged_folder(save_directory) as stage:
            own = self._own_config(storage_dtype)
            pipeline.save_pretrained(
                stage, max_shard_size=max_shard_size, storage_dtype=storage_dtype, transformers_config=own
            )
            if (readout := getattr(model, "readout", None)) is not None:
                write_head(stage, {f"readout.{name}": value for name, value in readout.state_dict().items()})
                write_transformers_face(stage, own, whole_picture=self.keeps_whole_picture)
        if push_to_hub:
            upload = {name: kwargs[name] for name in _UPLOAD_ARGUMENTS if name in kwargs}
            pipeline._push_folder(Path(save_directory), **upload | ({"token": token} if token is not None else {}))

    def to_pipeline(self) -> Any:
        """A pipeline over the same modules: `WaltSuperResolutionPipeline` for such a denoiser, else `WaltPipeline`."""
        walt = self.backbone_model
        upsamples = walt.transformer.config.get("low_res_scale") is not None
        pipeline: Any = WaltSuperResolutionPipeline if upsamples else WaltPipeline
        return pipeline(walt.vae, walt.transformer, walt.scheduler)

    def _with_weights(self, state_dict: dict[str, torch.Tensor]) -> Self:
        with torch.device("meta"):
            other = type(self)(self.config)
        other.load_state_dict(state_dict, assign=True)
        return other

    def _own_config(self, storage_dtype: torch.dtype | None) -> dict[str, Any]:
        """What the root config holds beyond the component configs, which are written from the components."""
        own = {name: value for name, value in self.config.to_diff_dict().items() if name not in _NOT_OWN}
        if self.config.out_features == self.config.stage_names[-1:]:
            own.pop("out_features", None)
        dtype = torch.float32 if storage_dtype is not None else self.dtype
        return own | {"architectures": [type(self).__name__], "dtype": str(dtype).removeprefix("torch.")}

    @classmethod
    def register_for_auto_class(cls, auto_class: str | type = "AutoModel") -> None:
        """Nothing to do: a saved folder names the package's own classes, and copied code would not import."""


def _accept_names_of_files(model: nn.Module, state_dict: dict[str, torch.Tensor], prefix: str, *unused: Any) -> None:
    """`load_state_dict` takes tensors as the files name them too: transformers' Trainer reads files by itself when it
    resumes, and passes over names that it does not know."""
    if prefix:
        return
    owned = model.state_dict().keys()
    for name in [name for name in state_dict if name not in owned]:
        inside = next((re.sub(old, new, name) for old, new in _KEY_MAPPING.items() if re.match(old, name)), name)
        for renamed in (inside, f"{WaltPreTrainedModel.base_model_prefix}.{inside}"):
            if renamed in owned:
                state_dict[renamed] = state_dict.pop(name)
                break
