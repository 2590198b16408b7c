# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What passes through a denoiser's blocks: hidden states and attention weights, on the way, not computed again."""

import threading
from collections.abc import Collection
from types import TracebackType
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from .walt_blocks import WaltSpatiotemporalBlock


class ExplicitAttention(TorchFunctionMode):
    """Within it, scaled dot-product attention is computed step by step and its weights are kept.

    Args:
        beside: compute the weights beside the fused kernel, without gradients. Gradient checkpointing needs it: the
            second forward pass runs outside of this mode and must save the same tensors.
    """

    def __init__(self, beside: bool = False) -> None:
        super().__init__()
        self.beside = beside
        self.kept: list[torch.Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is not F.scaled_dot_product_attention:
            return func(*args, **kwargs)
        if self.beside:
            with torch.no_grad():
                self.kept.append(_weights(*args, **kwargs)[0])
            return func(*args, **kwargs)
        weights, value = _weights(*args, **kwargs)
        self.kept.append(weights)
        return weights @ value

    def take(self) -> list[torch.Tensor]:
        """What was kept since the last call."""
        kept, self.kept = self.kept, []
        return kept


def _weights(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """softmax(q k^T scale + mask) (N, heads, L, S), in float32 as transformers' eager attention, and the values."""
    scores = query @ key.transpose(-1, -2) * (scale if scale is not None else query.shape[-1] ** -0.5)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -torch.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    return scores.float().softmax(-1).to(query.dtype), value


class BlockRecorder:
    """Context that keeps what the blocks see while it is open, in this thread alone.

    Args:
        blocks: of the denoiser.
        wanted: indices of hidden states to keep; 0 is the first block's input, i the output of block i - 1.
        attentions: keep the weights of every block's self-attention.
        beside: see `ExplicitAttention`.

    Attributes:
        hidden_states: index -> (B, T*H*W, D).
        attentions: one (B * windows, heads, L, L) per block that ran; None if not asked for.
    """

    def __init__(
        self, blocks: nn.ModuleList, wanted: Collection[int], attentions: bool = False, beside: bool = False
    ) -> None:
        self.blocks, self.wanted = blocks, set(wanted)
        self.hidden_states: dict[int, torch.Tensor] = {}
        self.attentions: list[torch.Tensor] | None = [] if attentions else None
        self._mode = ExplicitAttention(beside) if attentions else None
        self._hooks: list[Any] = []
        self._thread = threading.get_ident()

    def __enter__(self) -> Self:
        first: nn.Module = self.blocks[0]
        self._hooks.append(first.register_forward_pre_hook(self._before_first))
        for index, block in enumerate(self.blocks):
            self._hooks.append(block.register_forward_hook(self._after(index)))
        if self._mode is not None:
            self._mode.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._mode is not None:
            self._mode.__exit__(kind, error, trace)
        for hook in self._hooks:
            hook.remove()

    def _before_first(self, block: nn.Module, inputs: tuple[Any, ...]) -> None:
        if 0 in self.wanted and threading.get_ident() == self._thread:
            self.hidden_states[0] = inputs[0]

    def _after(self, index: int) -> Any:
        def hook(block: nn.Module, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
            if threading.get_ident() != self._thread:
                return
            if index + 1 in self.wanted:
                self.hidden_states[index + 1] = output
            if self._mode is not None and self.attentions is not None:
                self.attentions.append(_self_attention(self._mode.take(), block, inputs))

        return hook


def _self_attention(kept: list[torch.Tensor], block: Any, inputs: tuple[Any, ...]) -> torch.Tensor:
    """The first attention of a block; images in a spatiotemporal block attend each token to itself alone."""
    tokens, grid, image_mask = inputs[0], inputs[3], inputs[4] if len(inputs) > 4 else None
    temporal = isinstance(block, WaltSpatiotemporalBlock)
    if temporal and grid[0] == 1:
        identity = torch.eye(tokens.shape[1], dtype=tokens.dtype, device=tokens.device)
        return identity.expand(tokens.shape[0], block.attn.heads, -1, -1)
    if not kept:
        raise ValueError("output_attentions needs the denoiser's attention backend to be 'native', got another")
    weights = kept[0]
    if not temporal or image_mask is None:
        return weights
    alone = image_mask.repeat_interleave(len(weights) // len(image_mask))[:, None, None, None]
    return torch.where(alone, torch.eye(weights.shape[-1]).to(weights), weights)
