# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The transformers face of WALT: pixels, or latents, to the hidden states of one denoising step."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from transformers.modeling_utils import PreTrainedModel
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from .autoencoder_walt import AutoencoderWalt
from .configuration_walt import WaltConfig
from .folder import check_folder
from .hidden_state_index import resolve_hidden_states
from .latent_noise import noise_like
from .pipeline_inputs import local_folder
from .pipeline_walt import WaltPipeline
from .scheduler_walt import make_scheduler
from .transformer_walt import WaltTransformer3DModel
from .walt_initialization import initialize_module

# Tensors are named in the files as the components name them; the top-level names of the two are disjoint.
_KEY_MAPPING = {
    r"^(encoder|decoder)\.": r"vae.\1.",
    r"^(?!vae\.|transformer\.)(.+)": r"transformer.\1",
}


@dataclass
class WaltModelOutput(ModelOutput):
    """Features of one denoising step.

    Args:
        last_hidden_state: (B, T'*H'*W', D), output of the last block that ran; tokens in the order t, h, w.
        hidden_states: the embedding, then the output of every block, each (B, T'*H'*W', D); None where it was not
            asked for.
    """

    last_hidden_state: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor | None, ...] | None = None


class WaltModel(PreTrainedModel):
    """Tokenizer and denoiser as a frozen encoder; `self.vae` and `self.transformer` are the diffusers models.

    `from_pretrained` reads the folder that `WaltPipeline.save_pretrained` wrote, and the other way round.
    """

    config_class = WaltConfig
    base_model_prefix = "walt"
    main_input_name = "pixel_values"
    input_modalities = ("image", "video")
    supports_gradient_checkpointing = True
    _no_split_modules = ["WaltSpatialBlock", "WaltSpatiotemporalBlock", "WaltResnetBlock"]

    def __init__(self, config: WaltConfig) -> None:
        super().__init__(config)
        self.vae: AutoencoderWalt = AutoencoderWalt.from_config(config.vae_config)
        self.transformer: WaltTransformer3DModel = WaltTransformer3DModel.from_config(config.transformer_config)
        self.post_init()

    @cached_property
    def scheduler(self) -> DDIMScheduler:
        """The noise schedule, made on first use: loading builds the model without memory for any tensor."""
        return make_scheduler(**(self.config.scheduler_config or {}))

    @can_return_tuple
    def forward(
        self,
        pixel_values: torch.Tensor | None = None,
        pixel_values_videos: torch.Tensor | None = None,
        latents: torch.Tensor | None = None,
        timestep: int | torch.Tensor | None = None,
        seed: int | Sequence[int] = 0,
        latent_noise: torch.Tensor | None = None,
        class_labels: torch.Tensor | None = None,
        output_hidden_states: bool | int | Sequence[int] | None = None,
        stop_early: bool = False,
        **kwargs: Any,
    ) -> WaltModelOutput:
        """Noise the latents to `timestep` and read the blocks; give one of the first three arguments.

        Args:
            pixel_values: images (B, 3, H, W) or clips (B, 3, 1 + 4k, H, W), in [-1, 1].
            pixel_values_videos: clips (B, 1 + 4k, 3, H, W) in [-1, 1], the order of transformers' video processors.
            latents: normalised clean latents (B, c, 1 + k, h, w).
            timestep: noise level in [0, 999], one or (B,); by default `config.timestep`.
            seed: seed of the noise, drawn on the CPU for each sample alone, so that a sample's features do not
                depend on its batch. One seed gives every sample the same noise; a sequence gives each its own.
            latent_noise: (B, c, 1 + k, h, w) standard normal noise instead of a drawn one.
            class_labels: (B,) labels of a class-conditional denoiser; absent means the null class.
            output_hidden_states: True for all; an index or several for those alone (0 is the embedding, i the output
                of block i - 1, negative from the end), the other entries being None.
            stop_early: run no block beyond the deepest hidden state asked for; `last_hidden_state` is then its output.
            kwargs: ignored, for the callers of transformers.

        Raises:
            ValueError: none or several inputs, a timestep outside [0, 999], or a hidden state that does not exist.
        """
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        count = len(self.transformer.blocks)
        wanted = resolve_hidden_states(output_hidden_states, count + 1)
        clean = self._latents(pixel_values, pixel_values_videos, latents)
        steps = self._timesteps(timestep, clean)
        drawn = noise_like(clean, seed) if latent_noise is None else latent_noise.to(clean)
        noisy = self.scheduler.add_noise(clean, drawn, steps)

        transformer = self.transformer
        tokens, grid, shared, embedding = transformer._embed(noisy, steps, class_labels, None, None)
        states: list[torch.Tensor | None] = [tokens if 0 in wanted else None]
        for block in transformer.blocks[: max(wanted, default=count) if stop_early else count]:
            tokens = transformer._run_block(block, tokens, shared, embedding, grid, None)
            states.append(tokens if len(states) in wanted else None)
        states += [None] * (count + 1 - len(states))
        return WaltModelOutput(last_hidden_state=tokens, hidden_states=tuple(states) if wanted else None)

    def token_grid(self, num_frames: int, height: int, width: int) -> tuple[int, int, int]:
        """(T', H', W') of the tokens of a clip of `num_frames` x `height` x `width` pixels."""
        stride = self.vae.spatial_compression_ratio * self.transformer.config["patch_size"]
        steps = 1 + (num_frames - 1) // self.vae.temporal_compression_ratio
        return steps, height // stride, width // stride

    def _latents(
        self, images: torch.Tensor | None, videos: torch.Tensor | None, latents: torch.Tensor | None
    ) -> torch.Tensor:
        given = {"pixel_values": images, "pixel_values_videos": videos, "latents": latents}
        names = [name for name, value in given.items() if value is not None]
        if len(names) != 1:
            raise ValueError(f"give exactly one of {', '.join(given)}, got {', '.join(names) or 'none'}")
        if latents is not None:
            return latents.to(self.device, self.dtype)
        pixels = images if videos is None else videos.transpose(1, 2)
        assert pixels is not None
        if pixels.ndim == 4:
            pixels = pixels.unsqueeze(2)
        return self.vae.normalize(self.vae.encode(pixels.to(self.device, self.dtype)).latent_dist.mode())

    def _timesteps(self, timestep: int | torch.Tensor | None, latents: torch.Tensor) -> torch.Tensor:
        timestep = self.config.timestep if timestep is None else timestep
        steps = torch.as_tensor(timestep, device=latents.device).reshape(-1)
        last = self.scheduler.config.num_train_timesteps - 1
        if steps.is_floating_point() or steps.min() < 0 or steps.max() > last:
            raise ValueError(f"timestep must be an integer in [0, {last}], got {timestep}")
        return steps.long().expand(latents.shape[0])

    def _init_weights(self, module: torch.nn.Module) -> None:
        initialize_module(module)

    def _initialize_weights(self, module: torch.nn.Module, is_custom_code: bool = False) -> None:
        # For code outside its tree transformers skips modules without own parameters, such as the tokenizer's
        # adaptive norm. Ours initialises through the guarded torch.nn.init, which spares loaded weights by itself.
        super()._initialize_weights(module)

    def to_pipeline(self) -> WaltPipeline:
        """A pipeline over the same modules."""
        return WaltPipeline(self.vae, self.transformer, self.scheduler)

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike | None, *args: Any, **kwargs: Any
    ) -> "WaltModel":
        """Load a local folder, checked first, or a Hub repository; float32 unless `dtype` says otherwise.

        Raises:
            ModelFolderError: a local folder that is missing or has a missing or corrupt file.
        """
        path = pretrained_model_name_or_path
        if path is not None and (folder := local_folder(path)) is not None and not kwargs.get("subfolder"):
            check_folder(folder)
        kwargs["key_mapping"] = _KEY_MAPPING | (kwargs.get("key_mapping") or {})
        return super().from_pretrained(path, *args, **kwargs)

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
        """Write the folder that `AutoModel` and `DiffusionPipeline` both load.

        Args:
            save_directory: the folder; other files in it stay.
            is_main_process: write nothing if False.
            state_dict: weights to write instead of the model's, such as those gathered from several processes.
            push_to_hub: upload the folder after it is whole, with `repo_id`, `private`, `create_pr`, `commit_message`.
            max_shard_size: as in diffusers.
            token: of the Hub.
            storage_dtype: precision on disk, such as torch.float16; both faces still load float32.
            kwargs: of the upload; what else transformers passes is ignored.
        """
        if not is_main_process:
            return
        upload = {name: kwargs[name] for name in _UPLOAD_ARGUMENTS if name in kwargs}
        model = self if state_dict is None else self._with_weights(state_dict)
        model.to_pipeline().save_pretrained(
            save_directory,
            max_shard_size=max_shard_size,
            push_to_hub=push_to_hub,
            storage_dtype=storage_dtype,
            transformers_config=self._own_config(),
            **upload | ({"token": token} if token is not None else {}),
        )

    def _with_weights(self, state_dict: dict[str, torch.Tensor]) -> "WaltModel":
        with torch.device("meta"):
            other = type(self)(self.config)
        other.load_state_dict(state_dict, assign=True)
        return other

    def _own_config(self) -> dict[str, Any]:
        """What the root config holds beyond the component configs, which are written from the components."""
        components = {"vae_config", "transformer_config", "scheduler_config", "dtype", "transformers_version"}
        own = {name: value for name, value in self.config.to_diff_dict().items() if name not in components}
        return own | {"architectures": [type(self).__name__]}

    @classmethod
    def register_for_auto_class(cls, auto_class: str | type = "AutoModel") -> None:
        """Nothing to do: the auto classes find WALT after `import hf_vdrep`, and copied code would not import."""


_UPLOAD_ARGUMENTS = ("repo_id", "private", "commit_message", "create_pr")
