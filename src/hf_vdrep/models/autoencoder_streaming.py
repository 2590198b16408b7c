# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Clips in chunks: the first frame on its own, then equal runs."""

from collections.abc import Iterable, Iterator

import torch


def chunks_of(sample: torch.Tensor, run: int) -> Iterator[torch.Tensor]:
    """Cut (B, C, 1 + n, H, W) into its first frame and views of up to `run` frames."""
    yield sample[:, :, :1]
    for start in range(1, sample.shape[2], run):
        yield sample[:, :, start : start + run]


def regroup(pieces: Iterable[torch.Tensor], run: int, unit: int, name: str) -> Iterator[torch.Tensor]:
    """Pieces of any number of frames to chunks of 1, then `run` frames each, one chunk held at a time.

    Args:
        pieces: (B, C, n, H, W) in order; equal but for n.
        run: frames per chunk after the first, a multiple of `unit`.
        unit: what a shorter last chunk must be a multiple of.
        name: of the pieces, for the error.

    Raises:
        ValueError: there are not 1 + k * unit frames in all, or a piece has another shape.
    """
    waiting: list[torch.Tensor] = []
    count, wanted, shape, begun = 0, 1, None, False
    for piece in pieces:
        shape = _same_shape(piece, shape, name)
        while piece.shape[2]:
            waiting.append(piece[:, :, : wanted - count])
            count += waiting[-1].shape[2]
            piece = piece[:, :, waiting[-1].shape[2] :]
            if count == wanted:
                yield _joined(waiting)
                waiting, count, wanted, begun = [], 0, run, True
    if not begun:
        raise ValueError(f"{name} must hold at least one frame, got none")
    if count % unit:
        raise ValueError(f"{name} must have 1 + {unit}k frames in all, got {count} too many at the end")
    if waiting:
        yield _joined(waiting)


def _same_shape(piece: torch.Tensor, shape: tuple | None, name: str) -> tuple:
    if piece.ndim != 5:
        raise ValueError(f"{name} must be (B, C, n, H, W), got {tuple(piece.shape)}")
    own = (*piece.shape[:2], *piece.shape[3:])
    if shape is not None and own != shape:
        raise ValueError(f"{name} must keep (B, C, H, W), got {own} after {shape}")
    return own


def _joined(frames: list[torch.Tensor]) -> torch.Tensor:
    return frames[0] if len(frames) == 1 else torch.cat(frames, dim=2)
