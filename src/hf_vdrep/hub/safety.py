# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What is never uploaded: pickles, secrets, files over the Hub's limits, names that the Hub does not take."""

import re
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path

from ..models import shipped
from .failures import PushError, unnameable
from .plan import PlannedFile, PushPlan, readable

_PICKLES = ("*.pkl", "*.pickle", "*.pt", "*.pth", "*.ckpt", "*.joblib", "*.dill", "*.bin", "*.h5", "*.npy")
_SECRET_NAMES = (
    *(".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.kdbx", ".netrc", ".npmrc", ".pypirc", ".htpasswd"),
    *("id_rsa*", "id_ed25519*", "id_ecdsa*", "credentials", "credentials.*", "token", "stored_tokens", "secrets.*"),
)
_SECRET_TEXT = {
    "a Hugging Face token": re.compile(rb"\bhf_[A-Za-z0-9]{30,}"),
    "a GitHub token": re.compile(rb"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})"),
    "an AWS key": re.compile(rb"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a Google key": re.compile(rb"\bAIza[0-9A-Za-z_-]{35}"),
    "a GitLab token": re.compile(rb"\bglpat-[A-Za-z0-9_-]{20,}"),
    "a package registry's token": re.compile(rb"\bpypi-AgE[A-Za-z0-9_-]{50,}|\bnpm_[A-Za-z0-9]{36}\b"),
    "a Slack token": re.compile(rb"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    "an API key": re.compile(rb"\bsk-[A-Za-z0-9_-]{32,}"),
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an address with a password": re.compile(rb"\b[a-z][a-z0-9+.-]*://[^/\s:@'\"]+:[^/\s:@'\"]{6,}@"),
}
_BRANCH = re.compile(r"(?!refs/|.*(\.\.|//|\.lock$|[/.]$))[A-Za-z0-9][\w./-]{0,199}", re.ASCII)
_MOST_TEXT = 20 * 2**20  # larger files are weights, data or films


@dataclass(frozen=True)
class Limits:
    """The Hub's recommendations and limits, in bytes where not said otherwise."""

    file: int = 50 * 10**9
    space: int = 10**9
    card: int = 10**6
    files: int = 25_000


class UnsafePush(ValueError):
    """A file that must not be uploaded; the message names it and why."""


def check_plan(plan: PushPlan, limits: Limits | None = None) -> None:
    """Look at every file before anything is sent.

    Raises:
        UnsafePush: a pickle, a secret, a file or a Space too large, or a path that leaves the repository.
        PushError: a name that no repository or branch can have.
    """
    limits = limits or Limits()
    _check_names(plan)
    if not plan.files:
        raise UnsafePush(f"{plan.kind} must have files to push, got none")
    if len(plan.files) > limits.files:
        raise UnsafePush(f"a repository takes at most {limits.files:,} files, got {len(plan.files):,}")
    if plan.repo_type == "space" and plan.size > limits.space:
        raise UnsafePush(f"a Space takes at most {readable(limits.space)}, got {readable(plan.size)}")
    for file in plan.files:
        _check_path(file.path)
        _check_size(file, limits)
        _check_pickle(file)
        _check_secret(file)


def _check_names(plan: PushPlan) -> None:
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(plan.repo_id)
    except HFValidationError as error:
        raise PushError(unnameable(error)) from None
    if plan.revision is not None and not _BRANCH.fullmatch(plan.revision):
        raise PushError(f"revision must be the name of a branch, such as step-400, got {plan.revision!r}")


def _check_path(path: str) -> None:
    parts = path.lower().split("/")
    odd = "\\" in path or not path.isprintable()  # lone surrogates and line breaks too
    if odd or any(part in ("", ".", "..", ".git") for part in parts):
        raise UnsafePush(f"a path must lie inside the repository, got {path!r}")


def _check_size(file: PlannedFile, limits: Limits) -> None:
    most = limits.card if file.path == "README.md" else limits.file
    if file.size > most:
        raise UnsafePush(f"{file.path} must not be larger than {readable(most)}, got {readable(file.size)}")


def _check_pickle(file: PlannedFile) -> None:
    name = file.path.rsplit("/", 1)[-1].lower()
    if any(fnmatch(name, pattern) for pattern in _PICKLES):
        raise UnsafePush(f"{file.path} may hold a pickle, which runs code when it is loaded: save it as safetensors")
    start = _start(file)
    pickled = (len(start) > 1 and start[0] == 0x80 and 2 <= start[1] <= 5) or start.startswith(
        (b"ccopy_reg\n", b"cos\n")
    )
    if pickled or (start.startswith(b"PK\x03\x04") and _zips_pickle(file)):
        raise UnsafePush(f"{file.path} holds a pickle, which runs code when it is loaded: save it as safetensors")


def _start(file: PlannedFile) -> bytes:
    if isinstance(file.source, bytes):
        return file.source[:64]
    with file.source.open("rb") as opened:
        return opened.read(64)


def _zips_pickle(file: PlannedFile) -> bool:
    source = BytesIO(file.source) if isinstance(file.source, bytes) else file.source
    try:
        with zipfile.ZipFile(source) as archive:
            return any(name.endswith(".pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def _check_secret(file: PlannedFile) -> None:
    name = file.path.rsplit("/", 1)[-1].lower()
    if any(fnmatch(name, pattern) for pattern in _SECRET_NAMES):
        raise UnsafePush(f"{file.path} looks like a secret by its name: keep it out of the folder")
    if file.size > _MOST_TEXT or name.endswith((".safetensors", ".parquet", ".mp4", ".png")):
        return
    content = file.read()
    for what, pattern in _SECRET_TEXT.items():
        if pattern.search(content):
            raise UnsafePush(f"{file.path} seems to hold {what}: take it out before you push")


def check_link(file: Path, folder: Path) -> None:
    """A link may point inside its folder, from a snapshot in a Hugging Face cache to that repository's blobs, or from
    one shipped model to another: the twins hold one tokenizer.

    Raises:
        UnsafePush: it points elsewhere, or nowhere.
    """
    target = file.resolve()
    cache = folder.resolve().parent
    cached = cache.name == "snapshots" and target.parent == cache.parent / "blobs"
    shared = all(path.is_relative_to(shipped.ROOT) for path in (target, folder.resolve()))
    if not target.is_file() or not (target.is_relative_to(folder.resolve()) or cached or shared):
        raise UnsafePush(f"{file} must not link to what lies outside its folder, got {target}")
