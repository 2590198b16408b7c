# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Failures as the Hub words them: the client chooses its exception by these headers."""

from fastapi import Request
from fastapi.responses import JSONResponse


class HubError(Exception):
    """A refusal: status, `X-Error-Code` and message; `extra` joins the JSON body."""

    def __init__(self, status: int, message: str, code: str | None = None, commit: str | None = None, **extra: object):
        super().__init__(message)
        self.status, self.message, self.code, self.commit, self.extra = status, message, code, commit, extra


def answer(request: Request, error: Exception) -> JSONResponse:
    """The response to a `HubError`."""
    assert isinstance(error, HubError)
    headers = {"X-Error-Message": error.message}
    if error.code:
        headers["X-Error-Code"] = error.code
    if error.commit:
        headers["X-Repo-Commit"] = error.commit
    return JSONResponse({"error": error.message, **error.extra}, error.status, headers)


def missing_repo() -> HubError:
    """A repository that is not there, or not for the asker: the Hub tells neither from the other."""
    return HubError(401, "Invalid username or password.", "RepoNotFound")
