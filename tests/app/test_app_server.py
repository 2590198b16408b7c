# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the server says to programs that do not play by the page's rules."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import served

from hf_vdrep.app.comparison import Comparer
from hf_vdrep.app.settings import AppSettings
from hf_vdrep.app.upload_folder import KEPT, sweep
from hf_vdrep.app.uploads import upload_folder

ARGUMENTS = ["Example", "hourglass", None, 0, "i-walt", "v-walt", 67, 50, "block", 1, True]
NAMES = ("source", "example", "upload", "clip", "first", "second", "depth", "noise", "site", "detail", "keep")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(AppSettings(max_upload_megabytes=1, models=("i-walt", "v-walt", "pixels"))) as found:
        yield found


def call(address: str, name: str = "compare", data: list | None = None, **changed: object) -> list[dict | list]:
    """What the server sends on a call, event by event: `data` of each, "error" where it failed."""
    arguments = list(ARGUMENTS) if data is None else data
    for key, value in changed.items():
        arguments[NAMES.index(key)] = value
    with httpx.Client(timeout=120) as client:
        answer = client.post(f"{address}/gradio_api/call/{name}", json={"data": arguments})
        if answer.status_code != 200:
            return [{"status": answer.status_code, "text": answer.text}]
        events = client.get(f"{address}/gradio_api/call/{name}/{answer.json()['event_id']}").text
    found = []
    for event in events.strip().split("\n\n"):
        kind, _, body = event.partition("\n")
        if "heartbeat" not in kind:
            found.append({"error": body} if "error" in kind else json.loads(body.removeprefix("data: ")))
    return found


def status(events: list) -> str:
    return events[-1][1] if isinstance(events[-1], list) else json.dumps(events[-1])


def send(address: str, name: str, content: bytes) -> dict[str, object]:
    """Upload a file; the argument that names it."""
    answer = httpx.post(f"{address}/gradio_api/upload", files={"files": (name, content)})
    return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}


def kept_files() -> list[Path]:
    return [path for path in upload_folder().rglob("*") if path.is_file()]


def quiet(text: str) -> bool:
    """Nothing of the server's inside."""
    return "Traceback" not in text and "/work/" not in text and "site-packages" not in text and ".py" not in text


def test_a_good_call_gives_pictures_and_then_readouts(address: str):
    events = call(address)
    assert [event[0]["ready"] for event in events[:2]] == [False, True]
    assert "Done in" in status(events)


@pytest.mark.parametrize(
    "changed",
    [
        {"depth": 1e9}, {"depth": -5}, {"depth": "x"}, {"noise": 10**30}, {"noise": None}, {"detail": 4096},
        {"detail": [1]}, {"site": "__class__"}, {"first": "/etc"}, {"second": "google/vit-base-patch16-224"},
        {"first": {"a": 1}}, {"example": "../../x"}, {"source": "File"}, {"source": None},
        {"source": "ProbeWorld", "clip": 10**12}, {"source": "ProbeWorld", "clip": -1},
        {"source": "Your own", "upload": None}, {"keep": "no"},
    ],
)  # fmt: skip
def test_absurd_values_are_answered_with_a_sentence(address: str, changed: dict):
    events = call(address, **changed)
    assert quiet(json.dumps(events)) and "data:image" not in json.dumps(events)
    assert "alert" in status(events) or "error" in status(events) or "status" in events[0]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/proc/self/environ", "../../../etc/passwd", "http://127.0.0.1:1/x.mp4"]
)
def test_a_path_posted_as_a_file_is_not_opened(address: str, path: str):
    upload = {"path": path, "meta": {"_type": "gradio.FileData"}}
    answer = status(call(address, source="Your own", upload=upload))
    assert "root:" not in answer and quiet(answer) and "Done in" not in answer


@pytest.mark.parametrize(
    "route",
    ["file=/etc/passwd", "file=../../../../etc/passwd", "file=%2Fetc%2Fpasswd", "file=.git/config"],
)  # fmt: skip
def test_the_servers_own_files_cannot_be_fetched(address: str, route: str):
    answer = httpx.get(f"{address}/gradio_api/{route}")
    assert answer.status_code in (403, 404) and "root:" not in answer.text


def test_an_upload_above_the_limit_is_refused(address: str):
    answer = httpx.post(f"{address}/gradio_api/upload", files={"files": ("big.mp4", b"0" * 1_200_000)}, timeout=60)
    assert answer.status_code == 413


def test_an_upload_within_the_limit_that_is_no_video_gets_a_sentence(address: str):
    upload = send(address, "x.mp4", b"#!/bin/sh\nrm -rf /\n" * 50)
    said = status(call(address, source="Your own", upload=upload))
    assert "alert" in said and quiet(said) and str(upload["path"]) not in said


def test_a_real_upload_is_compared(address: str, mp4: Path):
    upload = send(address, "square.mp4", mp4.read_bytes())
    events = call(address, source="Your own", upload=upload)
    assert events[-1][0]["title"] == "Your upload" and events[-1][0]["frames"] == 17
    # What was decoded is kept in memory, so that a second question about it needs no file.
    assert "Done in" in status(call(address, source="Your own", upload=upload, detail=1)) and kept_files() == []


@pytest.mark.parametrize(
    ("name", "changed"),
    [("x.mp4", {}), ("x.exe", {}), ("x.mp4", {"first": "nonsense"}), ("x.mp4", {"source": "Example"}),
     ("x.mp4", {"source": None}), ("x.mp4", {"second": "x" * 300})],
)  # fmt: skip
def test_no_upload_stays_on_disk_whatever_was_asked(address: str, name: str, changed: dict):
    """Neither the file, nor the empty one that gradio's own field makes for each question."""
    upload = send(address, name, b"nonsense" * 9 + json.dumps(changed).encode())
    call(address, **{"source": "Your own", "upload": upload, **changed})
    assert kept_files() == []


def test_what_a_cut_upload_left_goes_with_the_next_sweep(address: str):
    """gradio forgets it: its own sweep knows of whole uploads alone."""
    url = httpx.URL(address)
    head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: 90000\r\n"
    kind = "Content-Type: multipart/form-data; boundary=cut\r\n\r\n"
    part = '--cut\r\nContent-Disposition: form-data; name="files"; filename="x.mp4"\r\n\r\n' + "x" * 5000
    with socket.create_connection((url.host, url.port)) as visitor:
        visitor.sendall(f"{head}{kind}{part}".encode())
        for _ in range(200):
            if kept_files():
                break
            time.sleep(0.02)
    assert len(kept_files()) == 1
    sweep(upload_folder(), KEPT)
    assert len(kept_files()) == 1
    sweep(upload_folder(), -60)
    assert kept_files() == []


def test_an_upload_named_by_an_address_is_not_fetched(address: str, monkeypatch: pytest.MonkeyPatch):
    """gradio would fetch it, of any size, before the app is asked."""
    from gradio import processing_utils

    fetched: list[object] = []

    async def fetch(*args: object, **kwargs: object) -> str:
        fetched.append(args)
        raise OSError

    monkeypatch.setattr(processing_utils, "async_ssrf_protected_download", fetch)
    upload = {"path": "https://example.org/film.mp4", "meta": {"_type": "gradio.FileData"}}
    answer = status(call(address, source="Your own", upload=upload))
    assert fetched == [] and "alert" in answer and quiet(answer)


@pytest.mark.parametrize(
    ("verb", "route"),
    [("POST", "process_recording"), ("GET", "proxy=https://x.hf.space/"), ("POST", "vibe-edit"),
     ("GET", "deep_link?session_hash=a"), ("POST", "component_server"), ("GET", "dev/reload")],
)  # fmt: skip
def test_what_the_page_does_not_use_is_not_there(address: str, verb: str, route: str):
    """gradio answers these for every app; the first hands a visitor's bytes to ffmpeg."""
    files = {"video": ("v.mp4", b"x" * 99)} if verb == "POST" else None
    answer = httpx.request(verb, f"{address}/gradio_api/{route}", files=files, timeout=30)
    assert (answer.status_code, answer.text) == (404, "Not found")


def test_a_question_that_is_too_long_is_not_read(address: str):
    def endless() -> Iterator[bytes]:
        for _ in range(50):
            yield b"[" * 10_000

    place = f"{address}/gradio_api/call/compare"
    assert httpx.post(place, content=b"[" * 200_000, timeout=30).status_code == 413
    assert httpx.post(place, content=endless(), timeout=30).status_code >= 400
    assert "Done in" in status(call(address))


def test_two_visitors_at_once_get_their_own_answers(address: str):
    answers: dict[str, list] = {}

    def visit(example: str) -> None:
        answers[example] = call(address, example=example)

    threads = [threading.Thread(target=visit, args=(name,)) for name in ("brick-wall", "hourglass")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: events[-1][0]["key"] for name, events in answers.items()} == {n: n for n in answers}


def test_compare_is_the_only_public_call(address: str):
    named = httpx.get(f"{address}/gradio_api/info").json()
    assert list(named["named_endpoints"]) == ["/compare"] and not named["unnamed_endpoints"]


def test_a_full_queue_turns_visitors_away_in_words(monkeypatch: pytest.MonkeyPatch):
    def slow(*args: object) -> dict:
        time.sleep(0.5)
        return {}

    monkeypatch.setattr(Comparer, "pictures", slow)
    monkeypatch.setattr(Comparer, "readouts", lambda *args: {})
    with served(AppSettings(queue_size=1)) as full:
        answers: list[str] = []
        threads = [threading.Thread(target=lambda: answers.append(status(call(full)))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == 6 and all(quiet(answer) for answer in answers)
    assert any("Done in" in answer for answer in answers)
    assert any("full" in answer.lower() or '"status": 503' in answer for answer in answers)
