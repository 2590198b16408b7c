# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A ScanNet scan as exported by the SensReader: folders of numbered files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ..media_kind import MediaError
from ..video_timeline import read_photo
from .report import CorruptSample

_MILLIMETRES = 1000.0


class ExportedScan:
    """Folders color, depth and pose, and intrinsic_depth.txt beside them or in intrinsic.

    Args:
        folder: of the scan.

    Raises:
        CorruptSample: a part is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = ("intrinsic/intrinsic_depth.txt", "intrinsics_depth.txt", "intrinsic_depth.txt")
        calibration = next((folder / name for name in names if (folder / name).exists()), None)
        if calibration is None or not (folder / "color").is_dir():
            raise CorruptSample(f"{folder} holds neither {folder.name}.sens nor color, depth, pose and intrinsics")
        self.intrinsics = _matrix(calibration)[:3, :3]
        self.names = sorted((path.stem for path in (folder / "color").glob("*.jpg")), key=int)

    def __len__(self) -> int:
        return len(self.names)

    def colour(self, frame: int, size: tuple[int, int]) -> np.ndarray:
        """uint8 (*size, 3)."""
        return resized(read_photo(self.folder / "color" / f"{self.names[frame]}.jpg"), size)

    def depth(self, frame: int) -> np.ndarray:
        """float32 (H, W), metres."""
        path = self.folder / "depth" / f"{self.names[frame]}.png"
        try:
            with Image.open(path, formats=["PNG"]) as image:
                values = np.asarray(image).astype(np.float32)
        except (OSError, SyntaxError, ValueError) as error:
            raise MediaError(path, f"is damaged or missing ({error})") from error
        return values / _MILLIMETRES

    def pose(self, frame: int) -> np.ndarray:
        """float32 (4, 4), camera to world."""
        return _matrix(self.folder / "pose" / f"{self.names[frame]}.txt")


def resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 (*size, 3), antialiased."""
    if picture.shape[:2] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize((size[1], size[0]), Image.Resampling.BICUBIC, reducing_gap=3.0))


def _matrix(path: Path) -> np.ndarray:
    try:
        values = np.array([float(word) for word in path.read_text(encoding="utf-8").split()], dtype=np.float32)
        return values.reshape(4, 4)
    except (OSError, ValueError) as error:
        raise CorruptSample(f"{path} must hold 4x4 numbers ({error})") from error
