# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Files that the `.gitignore` of a folder keeps out of it, and so out of a push."""

from __future__ import annotations

import re
from pathlib import Path

from .safety import UnsafePush

NAME = ".gitignore"
_WILDCARDS = {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
_PARTS = re.compile(r"\*\*/|/\*\*$|\*|\?|\[!?[^\]/]+\]|\\.|.")


class Ignored:
    """Rules of the `.gitignore` in a folder's root, as git reads them; those of its subfolders are not looked at.

    Args:
        folder: which need not hold such a file.
    """

    def __init__(self, folder: Path) -> None:
        file = folder / NAME
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
        self._rules = [rule for line in lines if (rule := _rule(line))]

    def __call__(self, path: str, is_folder: bool = False) -> bool:
        """Whether the last rule that fits `path`, relative and with slashes, ignores it."""
        kept = True
        for pattern, keeps, folders_only in self._rules:
            if (is_folder or not folders_only) and pattern.fullmatch(path):
                kept = keeps
        return not kept


def _rule(line: str) -> tuple[re.Pattern[str], bool, bool] | None:
    """A line's pattern, whether it takes files in again, and whether it speaks of folders alone."""
    text = re.sub(r"(?<!\\)\s+$", "", line)
    if not text or text.startswith("#"):
        return None
    keeps, text = text.startswith("!"), text.removeprefix("!")
    folders_only, text = text.endswith("/"), text.rstrip("/")
    anchored, text = "/" in text, text.removeprefix("/")
    if not text:
        return None
    source = "".join(_translate(part) for part in _PARTS.findall(text))
    try:
        if "[[:" in text:
            raise re.error("classes of characters are not read")
        pattern = re.compile(source if anchored else f"(?:.*/)?{source}", re.DOTALL)
    except re.error as error:
        raise UnsafePush(f".gitignore must hold patterns that are understood, got {line!r} ({error})") from error
    return pattern, keeps, folders_only


def _translate(part: str) -> str:
    if part in _WILDCARDS:
        return _WILDCARDS[part]
    if len(part) > 1 and part[0] == "[":
        return part.replace("[!", "[^", 1).replace("\\", "\\\\")
    return re.escape(part.removeprefix("\\") or part)
