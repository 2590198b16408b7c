# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Saving and loading of the WALT pipelines: one folder for diffusers and transformers."""

import os
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils.hub_utils import load_or_create_model_card, populate_model_card
from huggingface_hub import create_repo

from .folder import check_folder, write_transformers_face
from .folder_writing import cast_weights, staged_folder
from .pipeline_inputs import local_folder, within_reach


class WaltFolderPipeline(DiffusionPipeline):
    """A pipeline whose folder is checked before it is read and whole when it is written."""

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike, **kwargs: Any) -> Any:
        """Load a local folder, checked first, or a Hub repository; float32 unless `dtype` says otherwise.

        Raises:
            ModelFolderError: a local folder that is missing or has a missing or corrupt file.
            ConnectionError: a Hub repository that was not downloaded before, and the Hub does not answer.
        """
        if (folder := local_folder(pretrained_model_name_or_path)) is not None:
            check_folder(folder)
        else:
            kwargs = within_reach(pretrained_model_name_or_path, kwargs)
        return super().from_pretrained(str(pretrained_model_name_or_path), **kwargs)

    def save_pretrained(
        self,
        save_directory: str | os.PathLike,
        safe_serialization: bool = True,
        variant: str | None = None,
        max_shard_size: int | str | None = None,
        push_to_hub: bool = False,
        storage_dtype: torch.dtype | None = None,
        transformers_config: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the folder that `DiffusionPipeline` and `AutoModel` both load; a crash leaves no half of it.

        Args:
            save_directory: the folder; other files in it stay.
            safe_serialization: must be True.
            variant: file-name variant, for the diffusers face only.
            max_shard_size: as in diffusers.
            push_to_hub: upload the folder after it is whole; `repo_id`, `private`, `token`, `create_pr` and
                `commit_message` go with it.
            storage_dtype: precision on disk, such as torch.float16; both faces still load float32.
            transformers_config: further keys of the root `config.json`, such as `timestep`.

        Raises:
            ValueError: `safe_serialization=False`.
            ModelFolderError: the folder cannot be written.
        """
        if not safe_serialization:
            raise ValueError("safe_serialization must be True, got False (weights are only written as safetensors)")
        with staged_folder(save_directory, replace_weights=variant is None) as stage:
            super().save_pretrained(str(stage), variant=variant, max_shard_size=max_shard_size)
            if storage_dtype is not None:
                cast_weights(stage, storage_dtype)
            if variant is None:
                write_transformers_face(stage, transformers_config)
        if push_to_hub:
            self._push_folder(Path(save_directory), **kwargs)

    def _push_folder(
        self,
        folder: Path,
        repo_id: str | None = None,
        private: bool | None = None,
        token: str | None = None,
        commit_message: str | None = None,
        create_pr: bool = False,
    ) -> None:
        # diffusers would upload before the transformers face is written.
        repo_id = create_repo(repo_id or folder.name, private=private, token=token, exist_ok=True).repo_id
        if not (folder / "README.md").exists():
            card = populate_model_card(load_or_create_model_card(repo_id, token=token, is_pipeline=True))
            card.save(folder / "README.md")
        self._upload_folder(folder, repo_id, token=token, commit_message=commit_message, create_pr=create_pr)
