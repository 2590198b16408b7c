# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Heads of the end-to-end reference: classes of one frame, classes of the clip, depth."""

import torch
from torch import nn

from .attentive import AttentiveClassifier
from .reference_trunk import ConvUnit, ResidualBlock, double

IMAGE_TASKS = ("object", "scene", "fine")
CLIP_TASKS = ("action_coarse", "action_many", "action_motion")


class ImageHeads(nn.Module):
    """Object, scene and fine class of one frame: a branch of its own, cheap because it sees one frame of each clip.

    Args:
        channels: of the maps at strides 2, 4 and 8.
        classes: number of classes by task.
        width: of the branch.
    """

    def __init__(self, channels: tuple[int, int, int], classes: dict[str, int], *, width: int = 96) -> None:
        super().__init__()
        fine, middle, coarse = channels
        self.surface = nn.Sequential(ResidualBlock(fine), ConvUnit(fine, middle, 3, 2))
        self.detail = nn.Sequential(ResidualBlock(middle), ConvUnit(middle, width, 3, 2), ResidualBlock(width))
        self.widen = ConvUnit(coarse, width, 1)
        self.blocks = nn.Sequential(ResidualBlock(width), ResidualBlock(width))
        self.deep = nn.Sequential(ConvUnit(width, width, 3, 2), ResidualBlock(width))
        self.pools = nn.ModuleList(FocusedPool(width) for _ in range(2))
        self.heads = nn.ModuleDict({name: nn.Linear(6 * width, count) for name, count in classes.items()})
        kinds = classes["object"]
        # A fine class is a category with a surface: what one category teaches about a surface serves all.
        self.surfaces = nn.Linear(6 * width, classes["fine"] // kinds, bias=False)
        self.kinds = nn.Linear(6 * width, kinds, bias=False)
        for parameter in (*self.heads.parameters(), *self.surfaces.parameters(), *self.kinds.parameters()):
            nn.init.zeros_(parameter)

    def maps(self, fine: torch.Tensor, middle: torch.Tensor, coarse: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The branch's own maps (B, width, h, w), at strides 8 and 16."""
        shallow = self.blocks(self.detail(middle + self.surface(fine)) + self.widen(coarse))
        return shallow, self.deep(shallow)

    def forward(self, fine: torch.Tensor, middle: torch.Tensor, coarse: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits by task of per-frame maps (B, C, h, w)."""
        maps = self.maps(fine, middle, coarse)
        pooled = torch.cat([pool(each) for pool, each in zip(self.pools, maps, strict=True)], 1)
        found = {name: head(pooled) for name, head in self.heads.items()}
        shared = self.kinds(pooled)[:, :, None] + self.surfaces(pooled)[:, None]
        return {**found, "fine": found["fine"] + shared.flatten(1)}


class FocusedPool(nn.Module):
    """Mean, maximum, and means over the cells that each of some heads looks for."""

    def __init__(self, channels: int, heads: int = 8) -> None:
        super().__init__()
        self.heads = heads
        self.look = nn.Conv2d(channels, heads, 1)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w) -> (B, 3 C), float32."""
        cells = maps.flatten(2).float()
        weights = self.look(maps).flatten(2).float().softmax(-1)
        focused = torch.einsum("bhn,bhcn->bhc", weights, cells.unflatten(1, (self.heads, -1))).flatten(1)
        return torch.cat([cells.mean(2), cells.amax(2), focused], 1)


class ClipHeads(nn.Module):
    """Classes of the clip: what is done, by what the clip's maps show and by what the middle frame was taken for.

    An appearance-led action is a motion of an object at a place: its logits may add up the log-probabilities of these.

    Args:
        channels: of the clip's maps.
        num_frames: T.
        classes: number of classes by task; "action_motion" is judged from motion alone.
        image_classes: size of the logits that the image heads give, all together.
        width: of the attentive readouts.
    """

    def __init__(
        self, channels: int, num_frames: int, classes: dict[str, int], image_classes: int, *, width: int = 96
    ) -> None:
        super().__init__()
        self.motion = AttentiveClassifier(channels, num_frames, classes["action_motion"], width=width, num_heads=8)
        told = image_classes + classes["action_motion"]
        led = {name: count for name, count in classes.items() if name != "action_motion"}
        looks = {name: AttentiveClassifier(channels, num_frames, count, width=width) for name, count in led.items()}
        self.looks = nn.ModuleDict(looks)
        self.sums = nn.ModuleDict({name: nn.Linear(told, count, bias=False) for name, count in led.items()})
        for parameter in self.sums.parameters():
            nn.init.zeros_(parameter)

    def forward(self, clip: torch.Tensor, image: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Logits by task of maps (B, T, h, w, C) and the image heads' logits."""
        motion = self.motion(clip)
        told = torch.cat([_told(logits) for logits in (*image.values(), motion)], -1)
        found = {name: look(clip) + self.sums[name](told) for name, look in self.looks.items()}
        return {**found, "action_motion": motion}


def _told(logits: torch.Tensor) -> torch.Tensor:
    """Log-probabilities down to -4, brought to [0, 2]; what is concluded from them does not teach them."""
    return (logits.detach().float().log_softmax(-1).clamp(min=-4) + 4) / 2


class DepthHead(nn.Module):
    """Log-depth of every pixel of some frames, from the clip's maps and those frames' fine ones."""

    def __init__(self, fine: int, moving: int) -> None:
        super().__init__()
        self.lateral = nn.Conv2d(fine, fine, 1)
        self.down = nn.Conv2d(moving, fine, 1)
        self.merge = nn.Sequential(ConvUnit(fine, fine), ConvUnit(fine, fine))
        self.out = nn.Sequential(nn.Conv2d(fine, 4, 1), nn.PixelShuffle(2))

    def forward(self, fine: torch.Tensor, moving: torch.Tensor) -> torch.Tensor:
        """(N, C, H/2, W/2) and (N, C', H/4, W/4) -> (N, H, W)."""
        return self.out(self.merge(self.lateral(fine) + double(self.down(moving))))[:, 0]
