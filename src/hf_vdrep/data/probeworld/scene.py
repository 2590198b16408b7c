# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The scene graph of one clip: everything that pixels and labels are computed from."""

from __future__ import annotations

import dataclasses

import numpy as np

from .vocabulary import reversed_motion

SLOTS = 4  # main object, occluder in front, companion behind, distractor far away
FACES = ("floor", "ceiling", "far wall", "near wall", "left wall", "right wall")


@dataclasses.dataclass(eq=False)
class Materials:
    """Surface patterns of the K solids; a solid's pattern is a function of its local coordinates.

    Attributes:
        pattern: (K,) index into `PATTERN_NAMES`.
        colours: (K, 2, 3) the two colours, in [0, 1].
        frequency: (K, 3, 3) local coordinates to pattern coordinates, whose period is 1.
        phase: (K, 3) offset in pattern coordinates.
        gloss: (K,) strength of the highlight, in [0, 1].
        texture: (K,) photograph in the texture library, used by the photograph pattern alone.
    """

    pattern: np.ndarray
    colours: np.ndarray
    frequency: np.ndarray
    phase: np.ndarray
    gloss: np.ndarray
    texture: np.ndarray


@dataclasses.dataclass(eq=False)
class Room:
    """A box lined with six textured faces, in the order of `FACES`.

    Attributes:
        bounds: (6,) x low, x high, y low (floor), y high, z low (far wall), z high; metres.
        texture: (6,) index into the texture library.
        family: (6,) index into `textures.FAMILIES`.
        base: (6, 3) mean colour before lighting.
        amplitude: (6, 3) how strongly the texture moves the colour.
        offset: (6, 2) texture offset in texels.
    """

    bounds: np.ndarray
    texture: np.ndarray
    family: np.ndarray
    base: np.ndarray
    amplitude: np.ndarray
    offset: np.ndarray


@dataclasses.dataclass(eq=False)
class Scene:
    """One clip. World: metres, y up, the camera looks roughly along -z; camera: x right, y down, z forward (OpenCV).

    Attributes:
        split, index: where the clip comes from.
        motion: index into `MOTION_NAMES`.
        kind: (K,) index into `OBJECT_NAMES`; slot 0 is the main object.
        active: (K,) which slots hold a solid.
        scale: (K,) metres per local unit.
        rotation: (T, K, 3, 3) local to world.
        position: (T, K, 3) metres.
        camera_rotation: (T, 3, 3) camera to world.
        camera_position: (T, 3) metres.
        light: (3,) unit vector towards the light.
        palette: index into `palettes.PALETTES`, the colours of everything.
        materials, room: what things look like.
    """

    split: str
    index: int
    motion: int
    kind: np.ndarray
    active: np.ndarray
    scale: np.ndarray
    rotation: np.ndarray
    position: np.ndarray
    camera_rotation: np.ndarray
    camera_position: np.ndarray
    light: np.ndarray
    palette: int
    materials: Materials
    room: Room

    @property
    def pose(self) -> np.ndarray:
        """Camera-to-world (T, 3, 4)."""
        return np.concatenate([self.camera_rotation, self.camera_position[..., None]], -1)

    def reversed(self) -> Scene:
        """The same clip played backwards, labelled with the twin class."""
        return dataclasses.replace(
            self,
            motion=reversed_motion(self.motion),
            rotation=self.rotation[::-1],
            position=self.position[::-1],
            camera_rotation=self.camera_rotation[::-1],
            camera_position=self.camera_position[::-1],
        )
