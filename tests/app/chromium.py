# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Headless Chromium for tests: Debian's packages `chromium` and `chromium-driver`."""

import json
import shutil
import time
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
_KNOWN = ("Multiple readback operations", "Method not implemented.")
DESKTOP, PHONE = (1440, 1000), (390, 844)


class Chromium:
    """A browser with a fresh profile.

    Args:
        profile: an empty folder.
    """

    def __init__(self, profile: str) -> None:
        options = Options()
        options.binary_location = _program("chromium")
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(_program("chromedriver")))
        self.driver.set_page_load_timeout(60)

    def look(self, size: tuple[int, int], dark: bool = False, motion: bool = False) -> None:
        """Take a size in pixels, a colour scheme, and the visitor's wish for motion."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "no-preference" if motion else "reduce"},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, address: str) -> None:
        """Open the page and wait for the first comparison, readouts included."""
        self.driver.get(address)
        self.until_ready()

    def until_ready(self, key: str = "") -> None:
        """Wait for a comparison with readouts, of a clip whose key begins with `key`."""
        state = "document.querySelector('.vp')?.dataset"
        self.until(f"{state}.state === 'ready' && {state}.key.startsWith({key!r})")

    def js(self, script: str, *arguments: Any) -> Any:
        """The value of a script that ends in `return …`."""
        return self.driver.execute_script(script, *arguments)

    def until(self, condition: str, seconds: float = 240) -> None:
        """Wait until a JavaScript expression is true.

        Raises:
            AssertionError: it never became true.
        """
        end = time.monotonic() + seconds
        while not self.js(f"return Boolean({condition})"):
            assert time.monotonic() < end, f"never true: {condition}; status: {self.js(_STATUS)!r}"
            time.sleep(0.1)

    def find(self, selector: str) -> WebElement:
        """The first element of a CSS selector."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector: str) -> None:
        """Click the way a script does, wherever the element is."""
        self.js("document.querySelector(arguments[0]).click()", selector)

    def pick(self, group: str, words: str) -> None:
        """Choose the radio button or box of a group by the words beside it."""
        self.js(
            "[...document.querySelectorAll(arguments[0] + ' label')]"
            ".find((label) => label.textContent.trim() === arguments[1]).querySelector('input').click()",
            group,
            words,
        )

    def tab(self, words: str) -> None:
        """Switch to a tab."""
        self.js(
            "[...document.querySelectorAll('button[role=tab]')]"
            ".find((button) => button.textContent.trim() === arguments[0]).click()",
            words,
        )

    def complaints(self) -> list[str]:
        """Errors and warnings of the console since the last call.

        Two are left out: one that the tests' own reading of pixels brings about, and one that gradio's client gives
        whenever it closes a stream of answers.
        """
        entries: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        serious = [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]
        return [message for message in serious if not any(known in message for known in _KNOWN)]

    def requests(self) -> set[str]:
        """Addresses that pages asked for since the last call, without those of the browser itself."""
        found = set()
        for entry in self.driver.get_log("performance"):  # type: ignore[no-untyped-call]
            message = json.loads(entry["message"])["message"]
            if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                found.add(message["params"].get("request", message["params"])["url"])
        return {url for url in found if not url.startswith(("data:", "blob:", "chrome:", "chrome-extension:"))}

    def close(self) -> None:
        """End the browser."""
        self.driver.quit()


_STATUS = "return document.querySelector('#status')?.textContent"


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} must be installed (Debian: apt-get install chromium chromium-driver)")
    return found
