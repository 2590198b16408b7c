# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What the server says to programs that do not play by the page's rules."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import served

from hf_vdrep.app.comparison import Comparer
from hf_vdrep.app.settings import AppSettings

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
    answer = httpx.post(f"{address}/gradio_api/upload", files={"files": ("x.mp4", b"#!/bin/sh\nrm -rf /\n" * 50)})
    (path,) = answer.json()
    said = status(call(address, source="Your own", upload={"path": path, "meta": {"_type": "gradio.FileData"}}))
    assert "alert" in said and quiet(said) and path not in said


def test_a_real_upload_is_compared(address: str, mp4: Path):
    answer = httpx.post(f"{address}/gradio_api/upload", files={"files": ("square.mp4", mp4.read_bytes())})
    (path,) = answer.json()
    events = call(address, source="Your own", upload={"path": path, "meta": {"_type": "gradio.FileData"}})
    assert events[-1][0]["title"] == "Your upload" and events[-1][0]["frames"] == 17


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
    monkeypatch.setattr(Comparer, "pictures", lambda *args: time.sleep(0.5) or {})
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
