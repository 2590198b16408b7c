# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Samples of a WebDataset shard: members of a tar file that share a stem and follow each other."""

from __future__ import annotations

import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

_NAME = re.compile(r"((?:.*/)?[^./][^/.]*)\.([^/]+)")


@dataclass
class TarSample:
    """One sample, undecoded.

    Attributes:
        key: folder and stem of its members.
        members: ending in small letters, such as "jpg" or "seg.png", -> content.
        problem: what is wrong with the shard from here on; such a sample has no members.
    """

    key: str
    members: dict[str, bytes] = field(default_factory=dict)
    problem: str = ""


def read_tar(path: str) -> Iterator[TarSample]:
    """The samples of a shard, in order, holding one in memory.

    Where the shard is damaged or cut short, what came before is given and then one sample that says so: the loss is
    counted and named, and the other shards are read on.

    Args:
        path: of a file, or an address that `datasets` opens ("s3://...", "hf://...").

    Raises:
        OSError: it cannot be opened or reached.
    """
    current: TarSample | None = None
    seen = 0
    try:
        for name, data in _members(path):
            found = _NAME.fullmatch(name)
            if found is None:
                continue
            key, ending = found[1], found[2].lower()
            if current is None or current.key != key:
                if current is not None:
                    seen += 1
                    yield current
                current = TarSample(key)
            current.members[ending] = data
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        # The last sample may lack members that were cut off.
        yield TarSample(f"{path}#{seen}", problem=f"the shard is damaged or cut short after {seen} samples ({error})")
        return
    if current is not None:
        yield current


def _members(path: str) -> Iterator[tuple[str, bytes]]:
    from datasets.utils.file_utils import xopen

    with xopen(path, "rb") as file, tarfile.open(fileobj=file, mode="r|*", tarinfo=_Header) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None:
                data = content.read()
                if len(data) != member.size:
                    raise EOFError(f"{member.name} has {len(data)} of {member.size} bytes")
                yield member.name, data
            tar.members = []  # type: ignore[attr-defined]  # a stream of millions must not keep their headers
        _check_end(tar)


class _Header(tarfile.TarInfo):
    """A header whose absence is told: `tarfile` takes a shard that ends or is damaged between two members for whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # zeros close an archive
            raise tarfile.ReadError(f"neither a member nor the end of the archive is there: {error}") from error


def _check_end(tar: tarfile.TarFile) -> None:
    while block := tar.fileobj.read(tarfile.RECORDSIZE):  # type: ignore[union-attr]  # it is open
        if any(block):
            raise tarfile.ReadError("more follows its end, as where shards were joined by cat")
