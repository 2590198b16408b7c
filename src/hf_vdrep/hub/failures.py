# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What can go wrong between here and the Hub, in one line each."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

import httpx2
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    HFValidationError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

# The client's way into the machine code that sends large files, whose failures are plain RuntimeErrors.
_XET = "_upload_xet_files"
_SIGNED = re.compile(r"(https?://[^\s'\"?]+)\?[^\s'\"]*")
_PASSWORD = re.compile(r"//[^/@\s]+@")
_LOG_IN = "log in with `hf auth login`, or set HF_TOKEN"


class PushError(ValueError):
    """A push that cannot be; the message is one line that says what to do."""


class UploadCut(ConnectionError):
    """A connection that broke; the same push again goes on where it was."""

    def __init__(self, where: str, why: str) -> None:
        words = f"the upload was cut ({why}); the same command again goes on, and sends nothing twice"
        super().__init__(errno.ECONNRESET, words, where)


@contextmanager
def plain_errors(where: str) -> Iterator[None]:
    """Turns the client's exceptions into ours.

    Args:
        where: repository, as the message names it.

    Raises:
        PushError: what the user can put right.
        UploadCut: what another try may put right.
    """
    try:
        yield
    except (PushError, UploadCut):
        raise
    except (OfflineModeIsEnabled, LocalTokenNotFoundError, HFValidationError) as error:
        raise PushError(_local(error)) from error
    except HfHubHTTPError as error:
        raise _answered(error, where) from error
    except httpx2.HTTPError as error:
        raise UploadCut(where, _reason(error)) from error
    except PermissionError as error:
        if type(error).__module__.startswith("hf_xet"):
            raise PushError(_forbidden(where, _reason(error))) from error
        raise
    except (ConnectionError, TimeoutError) as error:
        raise UploadCut(where, _reason(error)) from error
    except RuntimeError as error:
        # How the client wraps what happened to one large file.
        if isinstance(error.__cause__, HfHubHTTPError):
            raise _answered(error.__cause__, where) from error
        if isinstance(error.__cause__, httpx2.HTTPError):
            raise UploadCut(where, _reason(error.__cause__)) from error
        if any(frame.f_code.co_name == _XET for frame, _ in walk_tb(error.__traceback__)):
            raise UploadCut(where, _reason(error)) from error
        raise


def _local(error: Exception) -> str:
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE must be unset to push, got 1 (--dry-run needs no network)"
    if isinstance(error, LocalTokenNotFoundError):
        return f"a token is needed to push: {_LOG_IN}"
    return unnameable(error)


def unnameable(error: Exception) -> str:
    """The line about a repository's name that cannot be."""
    return f"a repository must be named user/name, of letters, digits, -, _ and . ({_reason(error)})"


def _answered(error: HfHubHTTPError, where: str) -> Exception:
    status = error.response.status_code if error.response is not None else 0
    said = error.server_message or error.response.headers.get("X-Error-Message") or _reason(error)
    if isinstance(error, RepositoryNotFoundError):
        return PushError(f"{where} must exist and be visible to the token in use, got neither")
    if isinstance(error, BadRequestError):
        return PushError(f"the Hub refused {where}: {_first(said)}")
    if status == 401:
        return PushError(f"the token was refused by the Hub: {_LOG_IN}")
    if status == 403:
        return PushError(_forbidden(where, _first(said)))
    if status == 412:
        return PushError(f"{where} was changed by somebody else during the push; look at it, then push again")
    if status == 413:
        return PushError(f"the Hub found {where} too large: {_first(said)}")
    if status in (429, 500, 502, 503, 504):
        return UploadCut(where, f"the Hub answered {status}")
    return PushError(f"the Hub answered {status} for {where}: {_first(said)}")


def _forbidden(where: str, said: str) -> str:
    return f"the token must have the right to write to {where} (or --create-pr), got a refusal: {said}"


def _reason(error: BaseException) -> str:
    return _first(str(error)) or type(error).__name__


def _first(text: str) -> str:
    """The first line, without the signatures and passwords that addresses may hold."""
    line = next((line.strip() for line in str(text).splitlines() if line.strip()), "")
    return _SIGNED.sub(r"\1", _PASSWORD.sub("//", line))
