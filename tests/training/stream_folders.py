# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Small data sets of every kind that a training reads."""

import io
import tarfile

import av
import numpy as np
from PIL import Image


def colour(index):
    """A colour of its own for every index below 64."""
    return [40 + 40 * (index % 4), 40 + 40 * (index // 4 % 4), 40 + 40 * (index // 16 % 4)]


def picture(index, side=16):
    array = np.full((side, side, 3), colour(index), np.uint8)
    array[: side // 2, : side // 2] = 250
    return array


def png(index):
    buffer = io.BytesIO()
    Image.fromarray(picture(index)).save(buffer, "PNG")
    return buffer.getvalue()


def mp4(index, frames=20, side=16):
    """A bar that moves over the index's colour."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=8, options={"preset": "ultrafast", "crf": "8", "threads": "1"})
        stream.height, stream.width, stream.pix_fmt = side, side, "yuv420p"
        for time in range(frames):
            frame = np.full((side, side, 3), colour(index), np.uint8)
            frame[:, time * side // frames : time * side // frames + 4] = 250
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


def folder(root, make, count, ending, corrupt=()):
    """`root/train/000.png` and the like, some of them damaged, and two of `root/validation`."""
    for split, numbers in (("train", range(count)), ("validation", range(count, count + 2))):
        (root / split).mkdir(parents=True)
        for index in numbers:
            data = b"nothing that could be decoded" if index in corrupt else make(index)
            (root / split / f"{index:03d}.{ending}").write_bytes(data)
    return root


def tars(root, make, sizes, ending):
    """`root/train-000000.tar` with so many samples, and so on."""
    root.mkdir(parents=True)
    total = 0
    for shard, size in enumerate(sizes):
        with tarfile.open(root / f"train-{shard:06d}.tar", "w") as tar:
            for _ in range(size):
                data = make(total)
                entry = tarfile.TarInfo(f"{total:06d}.{ending}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
                total += 1
    return root
