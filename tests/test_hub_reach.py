# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A Hub that does not answer is told of at once, in one line."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from hf_vdrep._hub_reach import reach_hub
from hf_vdrep.backbones import open_backbone
from hf_vdrep.cli.main import main
from hf_vdrep.models import WaltModel, WaltPipeline


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a port that nobody listens to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    return endpoint


@pytest.fixture
def refusing_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Hub that answers every question with 404."""

    class Refuse(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_error(404)

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Refuse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    yield
    server.shutdown()
    server.server_close()


def test_a_backbone_of_a_hub_that_is_away_fails_at_once(no_hub: str):
    start = time.monotonic()
    with pytest.raises(ConnectionError, match="Hub cannot be reached"):
        open_backbone("somebody/never-downloaded")
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("kind", [WaltModel, WaltPipeline])
def test_a_model_of_a_hub_that_is_away_fails_at_once(kind: type, no_hub: str, tmp_path: Path):
    start = time.monotonic()
    with pytest.raises(ConnectionError, match=r"Hub cannot be reached .*somebody/walt.* a local folder works"):
        kind.from_pretrained("somebody/walt", cache_dir=str(tmp_path))  # type: ignore[attr-defined]
    assert time.monotonic() - start < 10  # huggingface_hub's own tries take 23 s and more


def test_what_was_downloaded_before_needs_no_hub(no_hub: str, tmp_path: Path):
    """The layout of the Hub's cache: refs/main names the commit, snapshots/COMMIT holds the files."""
    repository = tmp_path / "models--somebody--walt"
    for path, text in (("refs/main", "c0ffee"), ("snapshots/c0ffee/config.json", "{}")):
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(text)
    assert reach_hub("somebody/walt", cache_dir=str(tmp_path)) is False


def test_a_hub_that_says_no_is_there(refusing_hub: None, tmp_path: Path):
    assert reach_hub("somebody/walt", cache_dir=str(tmp_path)) is True


@pytest.mark.parametrize("words", [["features", "--data", "probeworld", "--model"], ["layers"]])
def test_the_command_line_says_so_in_one_line(words: list[str], no_hub: str, capsys: pytest.CaptureFixture):
    assert main([*words, "somebody/never-downloaded"]) == 2
    err = capsys.readouterr().err
    assert "the Hub cannot be reached" in err and "local folder" in err and err.count("\n") == 1
