# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Predict, look, correct: the recurrence that point and box readouts share (MooG, arXiv 2411.05927; papers.md 8.3)."""

import torch
from torch import nn

from .fourier import fourier_features, pixel_grid
from .frame_tokens import StepTokens
from .glance import OFFSET_SCALE, Glance, GlanceStack, Sight, bilinear_weights
from .readout import Readout
from .resample import TimeMode
from .standardise import standardised_width

PLACE_OCTAVES = 4


class RecurrentReadout(Readout):
    """Follows queries of frame 0 through the features; a subclass says what a query is and what is emitted.

    The state of a track starts from the query's Fourier features and from the feature under it. In every frame a
    corrector (cross-attention to that frame's tokens alone) revises it, the outputs are read from the revised state,
    and a predictor carries it to the next frame. An output is the previous one plus a correction, which starts at zero:
    an untrained readout says that nothing moves. Errors flow back through the state, not through the places: every
    frame learns to correct what the frames before it left.

    Everything that does not depend on the state (tokens, keys, values, similarities) is made once, for all frames.
    """

    def _build(
        self,
        in_channels: int,
        frame_spans: torch.Tensor | list[list[int]],
        num_frames: int,
        *,
        coordinates: int,
        width: int,
        num_heads: int,
        num_blocks: int,
        mlp_ratio: float,
        octaves: int,
        match_width: int,
        centred_looks: bool,
        statistics: bool,
        time_mode: TimeMode,
    ) -> None:
        self.octaves, self.statistics = octaves, statistics
        self.tokens = StepTokens(
            in_channels,
            torch.as_tensor(frame_spans),
            num_frames,
            width,
            time_mode=time_mode,
            statistics=statistics,
        )
        self.sight = Sight(standardised_width(in_channels, statistics), num_heads, match_width, centred=centred_looks)
        self.encode = mlp(2 * coordinates * octaves, width, width)
        self.recall = nn.Linear(width, width)
        self.moment = nn.Parameter(torch.zeros(num_frames, width))
        self.whereabouts = nn.Linear(coordinates + 2 * coordinates * PLACE_OCTAVES, width)
        self.glances = GlanceStack(Glance(width, num_heads, mlp_ratio) for _ in range(num_blocks))
        self.correct_norm = nn.LayerNorm(width)
        self.predict = mlp(width, width, width)
        self.predict_norm = nn.LayerNorm(width, eps=1e-4, bias=False)
        self.move = from_zero(mlp(width, width, coordinates))
        self.steer = nn.Linear(2 * num_heads, coordinates, bias=False)
        nn.init.zeros_(self.steer.weight)

    def _follow(
        self, values: torch.Tensor, queries: torch.Tensor, sample: torch.Tensor, *, standardised: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Places of the queries in every frame.

        Args:
            values: (B, T', H', W', C).
            queries: (B, N, D), the first two the point to search from, in [0, 1].
            sample: (B, N, P, 2), points whose mean feature in frame 0 is the query's look.
            standardised: `values` are taken as they are.

        Returns:
            Places float32 (B, N, T, D) and states (B, N, T, width).
        """
        values = values if standardised else self.standardise(values)
        tokens = self.tokens(values, standardised=True)
        keys_values = [
            [self.tokens.to_frames(x).unbind(1) for x in glance.keys_values(tokens)] for glance in self.glances
        ]
        under = bilinear_weights(sample.float(), *values.shape[2:4]).mean(2)
        similarity = self._similarity(values, under).unbind(1)
        start = queries.float()
        state = self.encode(fourier_features(start, self.octaves))
        state = state + self.recall(under.to(tokens.dtype) @ self.tokens.to_frames(tokens)[:, 0])
        centres = pixel_grid(*values.shape[2:4]).to(values.device).flatten(0, 1)
        place, places, states = start, [], []
        for frame in range(len(self.tokens.weights)):
            place = place.detach()
            bias = self.sight.bias(place[..., :2], centres, similarity[frame])
            told = torch.cat([(place - start) * OFFSET_SCALE, fourier_features(place, PLACE_OCTAVES)], -1)
            look = state + self.moment[frame] + self.whereabouts(told)
            for glance, (keys, content) in zip(self.glances, keys_values, strict=True):
                look, offsets = glance(look, keys[frame], content[frame], bias, place[..., :2], centres)
            revised = state + self.correct_norm(look)
            place = place + (self.move(revised).float() + self.steer(offsets).float()) / OFFSET_SCALE
            places.append(place)
            states.append(revised)
            state = self.predict_norm(revised + self.predict(revised))
        return torch.stack(places, 2), torch.stack(states, 2)

    def _similarity(self, values: torch.Tensor, under: torch.Tensor) -> torch.Tensor:
        """Cosine (B, T, N, S) between the queries' looks in frame 0 and every token."""
        looks = self.sight.looks(values.flatten(2, 3))
        query = nn.functional.normalize(under @ self.tokens.to_frames(looks)[:, 0], dim=-1)
        return self.tokens.to_frames(query[:, None] @ looks.transpose(2, 3))


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Linear, GELU, linear."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(approximate="tanh"), nn.Linear(hidden, outputs))


def from_zero(layers: nn.Sequential) -> nn.Sequential:
    """The same layers, whose answer starts at 0."""
    for parameter in layers[-1].parameters():
        nn.init.zeros_(parameter)
    return layers
