# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Rows and places of the long sequences that some video denoisers read: a past before the clip, words, sound."""

import torch

from .denoiser_arguments import when
from .denoiser_family import Argument, Call
from .denoiser_rotary import minimax_places


def past(frames: int) -> Argument:
    """Zero latents of that many frames: nothing has been generated yet."""
    return lambda call: call.zeros(*call.latents.shape[:2], frames, *call.latents.shape[3:])


def framepack_places(*ends: int) -> Argument:
    """Places on FramePack's time axis: its first image at 0, the clip from 1, then 1, 2 and 16 frames of the past."""

    def build(call: Call) -> torch.Tensor:
        after = call.frames + 1
        if len(ends) == 1:
            return torch.tensor([0, after + ends[0]], device=call.latents.device)
        return torch.arange(after + ends[0], after + ends[1], device=call.latents.device)

    return build


def _helios_places(*places: int) -> Argument:
    """Places on Helios' time axis: its first image at 0, then 16, 2 and 1 frames of the past, and the clip."""
    return lambda call: torch.tensor(places, device=call.latents.device).expand(call.batch, -1)


# Frames of the past that Helios keeps, at three scales, behind the place of its first image.
HELIOS_PAST = 1 + 16 + 2 + 1
HELIOS_HISTORY: dict[str, Argument] = {
    name: when("has_multi_term_memory_patch", build)
    for name, build in {
        "latents_history_short": past(2),
        "indices_latents_history_short": _helios_places(0, 19),
        "latents_history_mid": past(2),
        "indices_latents_history_mid": _helios_places(17, 18),
        "latents_history_long": past(16),
        "indices_latents_history_long": _helios_places(*range(1, 17)),
    }.items()
}


def _minimax_head(call: Call, cells: torch.Tensor) -> torch.Tensor:
    """Places of the words, in their order, and of the sound: where the clip begins, at the left of its grid."""
    words = torch.arange(call.words + 1, device=cells.device, dtype=cells.dtype)
    head = torch.stack([words, torch.zeros_like(words), torch.zeros_like(words)], dim=1)
    head[-1, 2] = cells[0, 2]
    return head


def _minimax(name: str) -> Argument:
    """Rows of the packed sequence: words, one of sound, then the grid's."""

    def build(call: Call) -> torch.Tensor:
        device, head = call.latents.device, call.words + 1
        length = head + call.count
        cells = minimax_places(call)
        tags = torch.zeros(length, dtype=torch.int64, device=device)
        tags[: call.words], tags[call.words] = 1, 2
        rows = torch.arange(length, device=device)
        known = {
            "timestep_indices": torch.zeros(length, dtype=torch.int64, device=device),
            "token_tags": tags,
            "position_ids": torch.cat([_minimax_head(call, cells), cells]),
            "text_indices": rows[: call.words],
            "audio_indices": rows[call.words : head],
            "video_indices": rows[head:],
        }
        return known[name]

    return build


MINIMAX = {
    name: _minimax(name)
    for name in ("timestep_indices", "token_tags", "position_ids", "text_indices", "audio_indices", "video_indices")
}


def cosmos3_positions(call: Call) -> torch.Tensor:
    """(3, L + N): words counted on all axes, then the grid, after the margin that the config sets between them."""
    device = call.latents.device
    words = torch.arange(call.words, device=device).expand(3, -1)
    cells = torch.cartesian_prod(*(torch.arange(side, device=device) for side in call.grid)).reshape(-1, 3).T.clone()
    cells[0] += call.words + call.config.unified_3d_mrope_temporal_modality_margin
    return torch.cat([words, cells], dim=1)


def cosmos3_rows(call: Call) -> torch.Tensor:
    return torch.arange(call.words, call.words + call.count, device=call.latents.device)
