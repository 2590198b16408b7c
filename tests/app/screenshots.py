# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Pictures of the app for the documents: `python tests/app/screenshots.py docs/images`."""

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from chromium import DESKTOP, PHONE, Chromium
from PIL import Image
from serving import served

from hf_vdrep.app.settings import AppSettings

EXAMPLES = Path(__file__).resolve().parents[2] / "spaces" / "feature-comparison" / "examples"
FRAME = "const f = document.querySelector('.vp-frame'); f.value = 9; f.dispatchEvent(new Event('input'))"
CLICK = "document.querySelector(`.vp-views input[value='${arguments[0]}']`).click()"
BALL = """
const box = document.querySelector(".vp-input .vp-box"), at = box.getBoundingClientRect();
const where = {clientX: at.left + 0.83 * at.width, clientY: at.top + 0.58 * at.height, bubbles: true};
box.dispatchEvent(new PointerEvent("pointerdown", where));
"""
_MOST_HEIGHTS, _COLOURS, _CHART_COLOURS = {"desktop": 2600, "phone": 1600}, 224, 44


def shoot(browser: Chromium, path: Path, size: tuple[int, int], dark: bool) -> None:
    """The whole page, or the upper part of a long one, as a PNG with a palette."""
    height = min(
        _MOST_HEIGHTS["phone" if size == PHONE else "desktop"],
        browser.js("return document.documentElement.scrollHeight"),
    )
    browser.look((size[0], height), dark)
    browser.until("document.readyState === 'complete'")
    browser.js("return new Promise((done) => setTimeout(done, 400))")
    picture = Image.open(BytesIO(browser.driver.get_screenshot_as_png())).convert("RGB")
    charts = "study" in path.name
    palette = picture.quantize(_CHART_COLOURS if charts else _COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=2)
    dither = Image.Dither.NONE if charts else Image.Dither.FLOYDSTEINBERG  # maps would show steps
    picture.quantize(palette=palette, dither=dither).save(path, optimize=True)
    print(path, picture.size, f"{path.stat().st_size / 1000:.0f} kB")
    browser.look(size, dark)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with served(AppSettings(examples=EXAMPLES, time_limit=600)) as address, tempfile.TemporaryDirectory() as profile:
        browser = Chromium(profile)
        try:
            browser.open(address)  # the first page waits for the models to be loaded; later ones do not
            for kind, size in (("desktop", DESKTOP), ("phone", PHONE)):
                for dark in (False, True):
                    name = f"{kind}-{'dark' if dark else 'light'}"
                    browser.look(size, dark)
                    browser.open(address)
                    browser.js(FRAME)
                    if dark:
                        browser.js(BALL)
                    elif kind == "phone":
                        browser.js(CLICK, "boxes")
                    shoot(browser, folder / f"space-{name}.png", size, dark)
                    if kind == "desktop":
                        browser.tab("Study")
                        browser.until("document.querySelector('#chart-shown .st-row')?.offsetParent")
                        if dark:
                            browser.pick("#analysis", "Layer")
                            browser.until("document.querySelectorAll('.st-plot').length === 6")
                        shoot(browser, folder / f"space-study-{name}.png", size, dark)
        finally:
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
