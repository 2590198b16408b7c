# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Any image or video denoiser of diffusers as a frozen backbone."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F

from .base import Backbone, check_videos, to_pixels
from .denoiser_call import latent_channels
from .denoiser_families import family_of
from .denoiser_folder import DENOISER_PARTS, TOKENIZER_PARTS, load_parts
from .denoiser_latents import encode
from .denoiser_layout import cell_of, grid_of
from .denoiser_noise import STEPS, Noised, add_noise, noise_kind, stack_levels
from .denoiser_reading import read_denoiser
from .denoiser_sites import blocks_of, check_site
from .denoiser_tokenizer import DenoiserTokenizer
from .feature_map import FeatureMap
from .fingerprint import fingerprint, public_config
from .noise import sample_noise

# Below this side, in pixels, a tokenizer that fails has no pixels left to convolve.
_SMALLEST = 32


@dataclass(frozen=True)
class DenoiserInputs:
    """What `DenoiserBackbone.extract` takes.

    Attributes:
        latents: (B, C, T', h, w), clean and normalised.
        frame_spans: int64 (T', 2), the frames of each step.
        size: height and width of the clip, pixels.
    """

    latents: torch.Tensor
    frame_spans: torch.Tensor
    size: tuple[int, int]

    @property
    def ratios(self) -> tuple[int, int]:
        """Frames and pixels per latent."""
        frames = int((self.frame_spans[-1, 1] - self.frame_spans[-1, 0]).item())
        return frames, max(1, self.size[0] // self.latents.shape[3])


class DenoiserBackbone(Backbone):
    """Features of a frozen denoiser on noised latents, taken by hooks: the model is not changed.

    Pixels become latents by the pipeline's tokenizer, noise is added as its scheduler's family does, and the denoiser
    is called as its pipeline would call it, with null conditioning where none is given. An image model reads the
    frames of a clip on their own. A UNet's layers differ in resolution and so in stride.

    Args:
        denoiser: an image or video denoiser of diffusers.
        vae: its tokenizer; None for a denoiser of pixels.
        scheduler: of its pipeline.
        conditioning: arguments of the denoiser's forward pass that stand in for the null ones, such as
            `encoder_hidden_states` (1, L, D); tensors of one row serve every sample.
        site: where in a block: "block" its output; "norm" what goes into its attention, after normalisation and
            modulation; "attention" and "mlp" what these put out.
        discard: channels that are left out, those of massive activations for instance.
        name: short name for tables; the denoiser's class if None.

    Raises:
        ValueError: an unknown class, scheduler, site or channel, or parts that do not fit.
    """

    uses_timestep = True

    def __init__(
        self,
        denoiser: Any,
        vae: Any = None,
        scheduler: Any = None,
        *,
        conditioning: Mapping[str, Any] | None = None,
        site: str = "block",
        discard: Sequence[int] = (),
        name: str | None = None,
    ) -> None:
        if hasattr(denoiser, "_orig_mod"):
            raise ValueError("denoiser must be the module itself, got a torch.compile of it, which calls no hooks")
        self.family = family_of(denoiser)
        self.denoiser: Any = denoiser.eval().requires_grad_(False)
        self.vae: Any = vae if vae is None else vae.eval().requires_grad_(False)
        if scheduler is None:
            raise ValueError(f"scheduler must be that of the pipeline of {type(denoiser).__name__}, got None")
        self.scheduler: Any = scheduler
        self.noise = noise_kind(scheduler)
        self.site: str = check_site(site)
        self.conditioning = dict(conditioning or {})
        self.discard = tuple(discard)
        self.name = name or type(denoiser).__name__
        self.blocks = blocks_of(denoiser, self.family)
        self.num_layers = len(self.blocks)
        self._blank: tuple[tuple[int, ...], torch.Tensor] | None = None
        # Conditioning of several rows may be of the samples, and would not follow them into a larger batch.
        rows = [len(value) for value in self.conditioning.values() if isinstance(value, torch.Tensor) and value.ndim]
        self.can_stack = not (self.family.single or self.family.one_level) and max(rows, default=1) == 1

    @classmethod
    def from_pretrained(
        cls,
        path: str | os.PathLike[str],
        *,
        part: str | None = None,
        conditioning: Mapping[str, Any] | None = None,
        site: str = "block",
        discard: Sequence[int] = (),
        name: str | None = None,
        **options: Any,
    ) -> "DenoiserBackbone":
        """Open a saved pipeline or a Hub repository; text encoders are not loaded.

        Args:
            path: folder or Hub id of a pipeline.
            part: name of the denoiser's component, where a pipeline has two ("transformer_2" of Wan 2.2).
            conditioning: see the class, as `site`, `discard` and `name`.
            site: see the class.
            discard: see the class.
            name: short name for tables.
            options: of `from_pretrained`, such as `revision` and `torch_dtype`.

        Raises:
            ValueError: a pipeline without an image or video denoiser.
            OSError: a part is missing or unreadable.
        """
        parts = load_parts(path, part, **options)
        return cls(
            parts.denoiser,
            parts.vae,
            parts.scheduler,
            conditioning=conditioning,
            site=site,
            discard=discard,
            name=name,
        )

    @classmethod
    def from_pipeline(cls, pipeline: Any, **options: Any) -> "DenoiserBackbone":
        """The parts of a live pipeline.

        Raises:
            ValueError: a pipeline without an image or video denoiser.
        """
        parts = pipeline.components
        vae = next((parts[key] for key in TOKENIZER_PARTS if parts.get(key) is not None), None)
        for key in DENOISER_PARTS:
            if parts.get(key) is not None:
                return cls(parts[key], vae, parts.get("scheduler"), **options)
        raise ValueError(f"pipeline must have an image or video denoiser, got a {type(pipeline).__name__}")

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]
        """Hash of the weights, the configs, the site and the conditioning."""
        parts = {"denoiser": self.denoiser} | ({"vae": self.vae} if self.vae is not None else {})
        configs = {key: public_config(part.config) for key, part in (*parts.items(), ("scheduler", self.scheduler))}
        given, plain = torch.nn.Module(), {}
        for key, value in self.conditioning.items():
            if isinstance(value, torch.Tensor):
                given.register_buffer(key, value)
            else:
                plain[key] = repr(value)
        rest: dict[str, Any] = {"site": self.site, "discard": self.discard, "given": plain}
        if self.family.version > 1:
            rest["version"] = self.family.version
        return fingerprint({**parts, "conditioning": given}, {**configs, **rest})

    @property
    def device(self) -> torch.device:
        return next(self.denoiser.parameters()).device

    def to(self, device: torch.device | str) -> "DenoiserBackbone":
        """Move the weights."""
        self.denoiser.to(device)
        if self.vae is not None:
            self.vae.to(device)
        return self

    def layer_names(self) -> list[str]:
        """Names of the blocks, by index."""
        return [block.name for block in self.blocks]

    def check_timesteps(self, timesteps: Sequence[int | None]) -> None:
        if not timesteps:
            raise ValueError("timesteps must name at least one noise level, got none")
        for timestep in timesteps:
            if timestep is None or not 0 <= timestep < STEPS:
                raise ValueError(f"timestep must lie in [0, {STEPS - 1}], got {timestep}")

    @torch.inference_mode()
    def prepare(self, videos: torch.Tensor) -> DenoiserInputs:
        """Latents of uint8 (B, T, H, W, 3); a video tokenizer takes T = 1 + k times its ratio."""
        check_videos(videos)
        size = (videos.shape[2], videos.shape[3])
        try:
            latents, spans = encode(self.vae, to_pixels(videos, self.device), alone=self.family.kind == "image")
        except RuntimeError as error:
            if min(size) >= _SMALLEST:
                raise
            name = type(self.vae).__name__
            raise ValueError(f"videos must be larger for {name}, got {size[0]} x {size[1]} pixels: {error}") from None
        return self._inputs(latents, spans, size)

    @cached_property
    def tokenizer(self) -> DenoiserTokenizer | None:  # type: ignore[override]
        """The pipeline's; None for a denoiser of pixels."""
        return None if self.vae is None else DenoiserTokenizer(self.vae, self.family.kind == "image")

    @torch.inference_mode()
    def inputs_from(self, features: FeatureMap) -> DenoiserInputs:
        latents = features.values.permute(0, 4, 1, 2, 3).to(self.device)
        size = (latents.shape[3] * features.stride, latents.shape[4] * features.stride)
        return self._inputs(latents, features.frame_spans, size)

    def _inputs(self, latents: torch.Tensor, spans: torch.Tensor, size: tuple[int, int]) -> DenoiserInputs:
        # Convolutions round by the layout in memory: kept and fresh latents have the same.
        latents = self._fit(latents.contiguous()) * float(self.scheduler.config.get("sigma_data") or 1.0)
        steps = latents.shape[2] if self.family.kind == "video" else 1
        try:
            grid_of(latents[:, :, :steps], self.denoiser.config, self.family)
        except ValueError as error:
            raise ValueError(f"videos of {size[0]} x {size[1]} pixels do not fit {self.name}: {error}") from None
        # A tokenizer leaves out what is over, and cells would no longer lie where the pixels are.
        sides = zip(size, latents.shape[3:], strict=True)
        if len({side / cells for side, cells in sides}) > 1 or size[0] % latents.shape[3]:
            ratio = 1 << (max(size) // max(latents.shape[3:])).bit_length() - 1
            raise ValueError(f"videos must have sides of multiples of {ratio} pixels, got {size[0]} x {size[1]}")
        return DenoiserInputs(latents, spans, size)

    @torch.inference_mode()
    def extract(
        self,
        inputs: DenoiserInputs,
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float | str],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        self.check_timesteps(timesteps)
        levels = [self._at_levels(inputs, sample_ids, layers, [timestep], seed) for timestep in timesteps]
        return [features for maps in levels for features in maps]

    @torch.inference_mode()
    def extract_stacked(
        self,
        inputs: DenoiserInputs,
        *,
        sample_ids: Sequence[str],
        layers: Sequence[int | float | str],
        timesteps: Sequence[int | None],
        seed: int = 0,
    ) -> list[FeatureMap]:
        """What `extract` gives, up to rounding, in one forward pass; one after the other where `can_stack` is False."""
        if not self.can_stack:
            return self.extract(inputs, sample_ids=sample_ids, layers=layers, timesteps=timesteps, seed=seed)
        self.check_timesteps(timesteps)
        return self._at_levels(inputs, sample_ids, layers, timesteps, seed)

    def _at_levels(
        self,
        inputs: DenoiserInputs,
        sample_ids: Sequence[str],
        layers: Sequence[int | float | str],
        timesteps: Sequence[int | None],
        seed: int,
    ) -> list[FeatureMap]:
        """One forward pass over all the levels, timestep-major."""
        indices = self.resolve_layers(layers)
        self._check_cache()
        noised = [self._noised(inputs, sample_ids, timestep, seed) for timestep in timesteps]
        whole = noised[0] if len(noised) == 1 else stack_levels(noised)
        taken = [values.chunk(len(noised)) for values in self._read(whole, indices, inputs)]
        return [
            self._map(values[place], layer, timestep, inputs)
            for place, timestep in enumerate(timesteps)
            for layer, values in zip(indices, taken, strict=True)
        ]

    def _noised(self, inputs: DenoiserInputs, sample_ids: Sequence[str], timestep: int | None, seed: int) -> Noised:
        """The latents with each sample's noise at one level."""
        assert timestep is not None
        noise = sample_noise(inputs.latents.shape, seed=seed, sample_ids=sample_ids, timestep=timestep)
        return add_noise(self.scheduler, inputs.latents, noise.to(inputs.latents.device), timestep)

    def _fit(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents with the channels of the denoiser: squares of four into channels where it wants them so."""
        wanted, got = latent_channels(self.denoiser.config, self.family), latents.shape[1]
        if got > wanted:
            raise ValueError(f"denoiser must take the tokenizer's {got} channels, got in_channels={wanted}")
        if wanted == 4 * got and self.family.output == "sequence_first":
            frames = F.pixel_unshuffle(latents.transpose(1, 2).flatten(0, 1), 2)
            return frames.unflatten(0, (-1, latents.shape[2])).transpose(1, 2)
        return latents

    def _check_cache(self) -> None:
        if getattr(self.denoiser, "is_cache_enabled", False):
            raise ValueError(
                "denoiser must have no cache enabled, got one that skips blocks: call disable_cache() before"
            )

    def _grey(self, inputs: DenoiserInputs) -> torch.Tensor | None:
        """Latents of a grey clip of this size, for a family that asks for them."""
        if not self.family.grey or self.vae is None:
            return None
        shape = (int(inputs.frame_spans[-1, 1]), *inputs.size)
        if self._blank is None or self._blank[0] != shape:
            latents, _ = encode(self.vae, torch.zeros(1, 3, *shape, device=self.device))
            self._blank = shape, latents
        return self._blank[1]

    def _read(self, noised: Noised, layers: list[int], inputs: DenoiserInputs) -> list[torch.Tensor]:
        """Features (B, T', H', W', C) of `layers`."""
        latents, level, images = noised.latents, noised.timestep, self.family.kind == "image"
        batch, frames = latents.shape[0], latents.shape[2]
        if images:
            latents = latents.transpose(1, 2).flatten(0, 1).unsqueeze(2)
            level = level.repeat_interleave(frames) if isinstance(level, torch.Tensor) else level
        found = read_denoiser(
            self.denoiser,
            latents,
            level,
            [self.blocks[layer] for layer in layers],
            site=check_site(self.site),
            raw=noised.raw,
            ratios=inputs.ratios,
            given=self.conditioning,
            blank=self._grey(inputs),
        )
        return [values.squeeze(1).unflatten(0, (batch, -1)) for values in found] if images else found

    def _map(self, values: torch.Tensor, layer: int, timestep: int | None, inputs: DenoiserInputs) -> FeatureMap:
        if self.discard:
            if max(self.discard) >= values.shape[-1] or min(self.discard) < 0:
                raise ValueError(f"discard must name channels below {values.shape[-1]}, got {list(self.discard)}")
            kept = [channel for channel in range(values.shape[-1]) if channel not in set(self.discard)]
            values = values[..., kept]
        steps = cell_of(self.denoiser.config, self.family)[0] if self.family.kind == "video" else 1
        spans = torch.stack([inputs.frame_spans[::steps, 0], inputs.frame_spans[steps - 1 :: steps, 1]], dim=1)
        stride = max(1, round(inputs.size[0] / values.shape[2]))
        return FeatureMap(values, layer, timestep, spans, stride, self.site)
