# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What a tokenizer loses: clips through encoder and decoder, measured."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..metrics.reconstruction import flicker, psnr, ssim

if TYPE_CHECKING:
    from ..models import AutoencoderWalt

METRICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {"psnr": psnr, "ssim": ssim, "flicker": flicker}
"""Name -> function of (reconstructions, originals), uint8 (N, T, H, W, 3) -> (N,)."""


@dataclass
class Reconstruction:
    """Clips and what came back of them.

    Attributes:
        names: N identifiers.
        originals: N uint8 (T, H, W, 3) clips; T may differ, photos have 1.
        copies: the decoded latents of each, uint8.
        scores: metric -> N values; flicker is NaN for photos.
    """

    names: list[str]
    originals: list[np.ndarray]
    copies: list[np.ndarray]
    scores: dict[str, list[float]] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Means over videos and over photos: {"videos": {"count", "psnr", "ssim", "flicker"}, "photos": {…}}."""
        groups = {"videos": [len(clip) > 1 for clip in self.originals], "photos": [len(c) == 1 for c in self.originals]}
        result: dict[str, Any] = {}
        for group, members in groups.items():
            chosen = [index for index, member in enumerate(members) if member]
            if chosen:
                names = [name for name in self.scores if group == "videos" or name != "flicker"]
                means = {name: float(np.mean([self.scores[name][index] for index in chosen])) for name in names}
                result[group] = {"count": len(chosen), **means}
        return result


@torch.inference_mode()
def reconstruct(
    vae: "AutoencoderWalt",
    clips: Sequence[np.ndarray | torch.Tensor],
    names: Sequence[str] | None = None,
    *,
    batch_size: int = 16,
    progress: Callable[[int], object] | None = None,
) -> Reconstruction:
    """Encode and decode clips and compare them with the originals, as 8-bit pictures.

    Args:
        vae: in eval mode, on the device to use.
        clips: uint8 (T, H, W, 3), T = 1 + k * temporal ratio, sides multiples of the spatial ratio.
        names: one per clip (default: their numbers).
        batch_size: clips of one shape that run together.
        progress: called with the number of clips done after each batch.

    Raises:
        ValueError: no clips, names of another number, or a clip the tokenizer cannot take.
    """
    if not len(clips):
        raise ValueError("clips must hold at least one clip, got none")
    if names is not None and len(names) != len(clips):
        raise ValueError(f"names must be as many as clips ({len(clips)}), got {len(names)}")
    originals = [np.asarray(clip) for clip in clips]
    copies: list[np.ndarray] = [np.empty(0)] * len(originals)
    scores = {name: [float("nan")] * len(originals) for name in METRICS}
    for members in _batches([clip.shape for clip in originals], batch_size):
        batch = np.stack([originals[index] for index in members])
        made = _through(vae, batch)
        values = {name: metric(made, batch) for name, metric in METRICS.items()}
        for place, index in enumerate(members):
            copies[index] = made[place]
            for name in METRICS:
                scores[name][index] = float(values[name][place])
        if progress is not None:
            progress(len(members))
    return Reconstruction([str(n) for n in names or range(len(originals))], originals, copies, scores)


def _through(vae: "AutoencoderWalt", clips: np.ndarray) -> np.ndarray:
    parameter = next(vae.parameters())
    pixels = torch.from_numpy(clips).movedim(-1, 1).to(parameter.device).float().div(127.5).sub(1)
    decoded = vae(pixels.to(parameter.dtype)).sample.float()
    return decoded.add(1).mul(127.5).round().clamp(0, 255).byte().movedim(1, -1).cpu().numpy()


def _batches(shapes: Sequence[tuple[int, ...]], size: int) -> Iterator[list[int]]:
    """Places of clips of one shape, `size` at a time."""
    for shape in dict.fromkeys(shapes):
        places = [index for index, other in enumerate(shapes) if other == shape]
        for start in range(0, len(places), size):
            yield places[start : start + size]


def open_tokenizer(name: str) -> "AutoencoderWalt":
    """The tokenizer of a shipped model, of a saved pipeline, or one saved on its own (folder or Hub id), in eval mode.

    Raises:
        ValueError: nothing loadable there.
    """
    from ..models import AutoencoderWalt, shipped

    folder = Path(name)
    if not folder.exists() and name in shipped.names():
        folder = shipped.path(name)
    where = folder / "vae" if (folder / "vae").is_dir() else folder
    try:
        vae = AutoencoderWalt.from_pretrained(where if where.exists() else name)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise ValueError(
            f"vae must be a shipped model ({', '.join(shipped.names())}), a saved tokenizer or pipeline, "
            f"got {name} ({reason})"
        ) from error
    return vae.to(memory_format=torch.channels_last_3d).eval()  # type: ignore[call-overload]
