# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The app as visitors meet it: headless Chromium, on desktop and phone, in light and dark."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import DESKTOP, PHONE, Chromium
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from serving import served

from hf_vdrep.app.settings import AppSettings

pytestmark = pytest.mark.browser

PIXELS = """
return [...document.querySelectorAll('.vp-panel:not([hidden]) canvas')].map((canvas) => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + data[i] + 7 * data[i + 1] + 13 * data[i + 2]) % 1000003;
  return sum;
});
"""

REMOVE = """
const names = ["Remove this file", "Clear"].map((name) => `#upload button[aria-label="${name}"]`);
document.querySelector(names.join(", "))?.click();
"""
# Marks every element that shows words of its own, gradio's included; placeholders and what is faded out are not words.
MARK_WORDS = """
const own = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
const shown = (node) => node.checkVisibility({opacityProperty: true, visibilityProperty: true});
const words = [...document.querySelectorAll(".gradio-container *")].filter((node) => own(node) && shown(node));
words.filter((node) => !["STYLE", "SCRIPT"].includes(node.tagName)).forEach((node) => (node.dataset.words = ""));
return words.length;
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(AppSettings(max_upload_megabytes=2, time_limit=300)) as found:
        yield found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    found = Chromium(str(tmp_path_factory.mktemp("profile")))
    yield found
    found.close()


@pytest.fixture(scope="module")
def page(browser: Chromium, address: str) -> Chromium:
    """The open page on a desktop, in light; later tests go on where earlier ones left it."""
    browser.look(DESKTOP)
    browser.open(address)
    return browser


def pixels(page: Chromium) -> list[int]:
    return page.js(PIXELS)


def status(page: Chromium) -> str:
    return page.find("#status").text


def test_the_page_opens_with_a_comparison_of_the_twins(page: Chromium):
    titles = page.js(
        "return [...document.querySelectorAll('.vp-panel:not([hidden]) strong')].map((e) => e.textContent)"
    )
    assert titles == ["Input", "I-WALT", "V-WALT"]
    assert len(set(pixels(page))) == 3
    assert page.find("h1").text == "What image and video diffusion models see"


def test_nothing_is_asked_of_other_servers_and_the_console_is_silent(page: Chromium, address: str):
    foreign = {url for url in page.requests() if not url.startswith((address, address.replace("http", "ws")))}
    assert foreign == set() and page.complaints() == []


def test_the_frame_slider_moves_input_and_both_models_together(page: Chromium):
    before = pixels(page)
    page.find(".vp-frame").send_keys(Keys.ARROW_RIGHT * 9)
    page.until("document.querySelector('.vp').dataset.frame === '9'")
    assert all(new != old for new, old in zip(pixels(page), before, strict=True))
    assert "frame 10 of 17" in page.find(".vp-clock").text


def test_a_click_marks_a_point_and_shows_what_is_like_it(page: Chromium):
    box = page.find(".vp-input .vp-box")
    ActionChains(page.driver).move_to_element_with_offset(box, 60, 60).click().perform()
    page.until("document.querySelector('.vp').dataset.view === 'similarity'")
    x, y = map(float, page.js("return document.querySelector('.vp').dataset.point").split(","))
    assert x > 0.6 and y > 0.6
    # To itself the point is quite alike: the top of viridis is a light yellow, around the marker's ring.
    for model in (0, 1):
        red, green, blue = page.js(
            "const canvas = document.querySelector(`.vp-panel[data-model='${arguments[0]}'] canvas`);"
            "document.querySelector('.vp-tracks').checked && document.querySelector('.vp-tracks').click();"
            "const at = (share) => Math.round(share * canvas.width);"
            "const pixel = canvas.getContext('2d').getImageData(at(arguments[1]), at(arguments[2]), 1, 1);"
            "return [...pixel.data.slice(0, 3)]",
            model, x, y,
        )  # fmt: skip
        assert red > 120 and green > 180 and blue < 140
    page.click(".vp-tracks")


def test_arrow_keys_move_the_point_and_tracks_can_be_hidden(page: Chromium):
    before = page.js("return document.querySelector('.vp').dataset.point")
    page.find(".vp-panel[data-model='1'] .vp-box").send_keys(Keys.ARROW_LEFT)
    page.until(f"document.querySelector('.vp').dataset.point !== '{before}'")
    shown = pixels(page)
    page.click(".vp-tracks")
    assert all(new != old for new, old in zip(pixels(page), shown, strict=True))
    page.click(".vp-tracks")


def test_boxes_of_the_world_and_of_the_visitor_are_followed(page: Chromium):
    page.click(".vp-views input[value='boxes']")
    page.until("document.querySelector('.vp').dataset.view === 'boxes'")
    known = pixels(page)
    box = page.find(".vp-input .vp-box")
    drag = ActionChains(page.driver).move_to_element_with_offset(box, -40, -30).click_and_hold()
    drag.move_by_offset(70, 60).release().perform()
    page.until("document.querySelector('.vp').dataset.box === 'followed'")
    page.js("document.querySelector('.vp-play.vp-playing')?.click()")
    drawn = pixels(page)
    assert drawn != known and len(set(drawn)) == 3
    page.js("delete document.querySelector('.vp').dataset.box")
    page.find(".vp-panel[data-model='0'] .vp-box").send_keys(Keys.ARROW_LEFT, "+")
    page.until("document.querySelector('.vp').dataset.box === 'followed'")
    page.js("document.querySelector('.vp-play.vp-playing')?.click()")
    page.js("const f = document.querySelector('.vp-frame'); f.value = 9; f.dispatchEvent(new Event('input'))")
    assert page.complaints() == []


@pytest.mark.parametrize("view", ["colours", "change", "depth"])
def test_every_view_draws_both_models_and_says_what_is_seen(page: Chromium, view: str):
    page.click(f".vp-views input[value='{view}']")
    page.until(f"document.querySelector('.vp').dataset.view === '{view}'")
    assert len(page.find(".vp-caption").text) > 40 and len(set(pixels(page))) == (4 if view == "depth" else 3)
    assert page.find(".vp-legend").is_displayed() == (view != "colours")


def test_play_moves_and_pause_holds(page: Chromium):
    page.click(".vp-play")
    page.until("document.querySelector('.vp').dataset.frame !== '9'")
    assert page.find(".vp-play").get_attribute("aria-label") == "Pause"
    page.click(".vp-play")
    held = page.js("return document.querySelector('.vp').dataset.frame")
    assert page.find(".vp-play").get_attribute("aria-label") == "Play"
    assert page.js("return document.querySelector('.vp').dataset.frame") == held


def test_the_noise_slider_compares_again(page: Chromium):
    page.click(".vp-views input[value='colours']")
    before = pixels(page)
    slider = page.find("#noise input[type=range]")
    slider.send_keys(Keys.PAGE_UP * 3)
    page.js("arguments[0].dispatchEvent(new Event('pointerup', {bubbles: true}))", slider)
    page.until(
        "!document.querySelector('.vp-panel[data-model=\"1\"] figcaption span').textContent.includes('noise 50 ')"
    )
    assert pixels(page)[1:] != before[1:] and pixels(page)[0] == before[0]


def test_a_site_and_an_early_checkpoint_can_be_chosen(page: Chromium):
    words = "document.querySelector('.vp-panel[data-model=\"1\"] figcaption').textContent"
    choose(page, "#site", "what its MLP adds")
    page.until(f"{words}.includes('its MLP')")
    choose(page, "#second", "V-WALT at 5 % of its training")
    page.until(f"{words}.includes('at 5 % of its training')")
    page.click(".vp-views input[value='depth']")
    page.until("document.querySelector('.vp-panel[data-model=\"1\"] .vp-missing').textContent.includes('No readout')")
    choose(page, "#second", "V-WALT")
    choose(page, "#site", "output of the block")
    page.until(f"!{words}.includes('its MLP') && !{words}.includes('at 5 %')")
    page.click(".vp-views input[value='colours']")


def choose(page: Chromium, place: str, words: str) -> None:
    """Pick from a list."""
    page.find(f"{place} input").click()
    option = (
        f"[...document.querySelectorAll('{place} [role=option]')].find((o) => o.textContent.trim().endsWith('{words}'))"
    )
    page.until(option)
    page.js(f"{option}.dispatchEvent(new MouseEvent('mousedown', {{bubbles: true}}))")


def test_an_example_is_one_click_away_and_a_photo_has_no_time(page: Chromium):
    page.pick("#example", "Astronaut (photo)")
    page.until_ready("astronaut")
    assert not page.find(".vp-time").is_displayed()
    page.click(".vp-views input[value='depth']")
    assert "needs a clip of 17 frames" in page.find(".vp-panel[data-model='0'] .vp-missing").text


def test_a_clip_of_the_world_is_rendered_by_number(page: Chromium):
    page.pick("#source", "ProbeWorld")
    page.until("document.querySelector('#clip input')")
    number = page.find("#clip input")
    number.send_keys(Keys.CONTROL, "a")
    number.send_keys("12", Keys.ENTER)
    page.until_ready("probeworld-12")
    assert page.find(".vp-answer").text.startswith("in truth: ")


def test_a_real_video_can_be_uploaded(page: Chromium, mp4: Path):
    page.pick("#source", "Your own")
    page.until("document.querySelector('#upload input[type=file]')")
    page.find("#upload input[type=file]").send_keys(str(mp4))
    page.until_ready("upload-")
    assert page.find(".vp-title").text == "Your upload"


def test_a_hostile_file_gets_a_sentence_and_the_picture_stays(page: Chromium, tmp_path: Path):
    hostile = tmp_path / "film.mp4"
    hostile.write_bytes(b"#EXTM3U\nfile:///etc/passwd\n<script>alert(1)</script>" * 20)
    shown = page.js("return document.querySelector('.vp').dataset.key")
    page.js(REMOVE)
    page.until("document.querySelector('#upload input[type=file]')")
    page.find("#upload input[type=file]").send_keys(str(hostile))
    page.until("document.querySelector('#status [role=alert]')")
    assert status(page).endswith(".") and "/" not in status(page)
    assert page.js("return document.querySelector('.vp').dataset.key") == shown and len(set(pixels(page))) >= 3
    assert page.complaints() == []


def test_the_study_answers_to_hovering_and_choosing(page: Chromium):
    page.tab("Study")
    page.until("document.querySelector('#chart-shown .st-row')?.offsetParent")
    row = page.find(".st-row[data-kind='v-walt']")
    ActionChains(page.driver).move_to_element(row).perform()
    page.until("getComputedStyle(document.querySelector('.st-row:hover .st-tip')).visibility === 'visible'")
    assert "95 % interval" in page.find(".st-row:hover .st-tip").text
    cards = page.js("return document.querySelectorAll('.st-card').length")
    page.pick("#tasks", "Depth")
    page.until(f"document.querySelectorAll('.st-card').length === {cards - 1}")
    page.pick("#chart", "V-WALT against I-WALT")
    page.until("document.querySelector('.st-zero')")
    page.pick("#chart", "Table")
    page.until("document.querySelector('.st-table tbody tr')")


def test_every_analysis_of_the_study_is_within_reach(page: Chromium):
    """A value and its interval appear on hovering, in a plot and in a heat map."""
    names = page.js("return [...document.querySelectorAll('#analysis label')].map((label) => label.textContent.trim())")
    assert len(names) > 8
    page.pick("#chart", "Scores")
    question = "document.querySelector('#chart-shown .st-question')?.textContent"
    for name in names[1:]:
        before = page.js(f"return {question}")
        page.pick("#analysis", name)
        page.until(f"{question} && {question} !== {json.dumps(before)}")
        assert "alert" not in page.js("return document.querySelector('#chart-shown').innerHTML")
    for name, place in (("Noise level", ".st-point"), ("Similarity of layers and twins", ".st-heat tbody td")):
        page.pick("#analysis", name)
        page.until(f"document.querySelector('#chart-shown {place}')")
        ActionChains(page.driver).move_to_element(page.find(f"#chart-shown {place}")).perform()
        tip = f"{place.split()[-1]}:hover .st-tip"
        page.until(f"document.querySelector('{tip}')")
        assert "95 % interval" in page.find(tip).text
    page.pick("#analysis", "Ten tasks")
    page.until("document.querySelector('#chart-shown .st-row')")
    assert page.complaints() == []


def test_the_page_of_words_can_be_read(page: Chromium):
    page.tab("About")
    page.until("document.querySelector('.vp-about h2')?.offsetParent")
    assert "frozen" in page.find(".vp-about").text


def test_every_control_has_a_name(page: Chromium):
    """What a screen reader finds: no button, box, slider or field without words."""
    roles = {"button", "textbox", "slider", "radio", "checkbox", "combobox", "spinbutton", "tab", "application"}
    for tab in ("Compare", "Study"):
        page.tab(tab)
        nodes = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        controls = [node for node in nodes if not node["ignored"] and node.get("role", {}).get("value") in roles]
        assert len(controls) > 10
        nameless = [node["role"]["value"] for node in controls if not node.get("name", {}).get("value", "").strip()]
        assert nameless == []


def test_the_player_can_be_reached_by_the_keyboard(page: Chromium):
    page.tab("Compare")
    page.js("document.querySelector('.vp-views input:checked').focus()")
    reached = set()
    for _ in range(9):
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        reached.add(page.js("return document.activeElement.className"))
    assert {"vp-over", "vp-tracks", "vp-box", "vp-play", "vp-frame"} <= reached


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_overflows_and_words_stand_out(browser: Chromium, address: str, size: tuple[int, int], dark: bool):
    """WCAG 2.2 AA: a contrast of 4.5 to 1 for text."""
    browser.look(size, dark)
    browser.open(address)
    assert_fits(browser)
    browser.tab("Study")
    browser.until("document.querySelector('#chart-shown .st-row')?.offsetParent")
    for chart, place in (("V-WALT against I-WALT", ".st-zero"), ("Blocks and noise levels", ".st-cell"),
                         ("Table", ".st-table"), ("Scores", ".st-cards .st-dot")):  # fmt: skip
        browser.pick("#chart", chart)
        browser.until(f"document.querySelector('#chart-shown {place}')")
        assert_fits(browser)
    question = "document.querySelector('#chart-shown .st-question').textContent"
    labels = "return [...document.querySelectorAll('#analysis label')].map((label) => label.textContent.trim())"
    for name in browser.js(labels)[1:]:
        before = browser.js(f"return {question}")
        browser.pick("#analysis", name)
        browser.until(f"{question} !== {json.dumps(before)}")
        assert_fits(browser)
    assert browser.complaints() == []


def assert_fits(browser: Chromium) -> None:
    """Nothing wider than the screen, no words too pale to be read."""
    assert browser.js(TOO_WIDE) == []
    assert browser.js(MARK_WORDS) > 15 and browser.js(CONTRAST, "[data-words]") == []


def test_a_comparison_in_progress_leaves_the_pictures_in_sight(browser: Chromium, address: str):
    """gradio fades what is being computed to a fifth; here a bar moves above it, and stands still where asked."""
    browser.look(DESKTOP)
    browser.driver.get(address)
    browser.until("document.querySelector('.vp')")
    empty = browser.js("return document.querySelector('.vp-empty p').textContent")
    assert empty == "The first comparison appears here in a moment."
    pending = (
        "document.querySelector('#player .html-container').classList.add('pending');"
        "const bar = getComputedStyle(document.querySelector('.vp'), '::before');"
        "return [getComputedStyle(document.querySelector('#player .html-container')).opacity, bar.animationName]"
    )
    assert browser.js(pending) == ["1", "none"]
    browser.look(DESKTOP, motion=True)
    assert browser.js(pending) == ["1", "vp-pass"]
    browser.look(DESKTOP)
    browser.until_ready()


# A phone makes its window as wide as the page, so that the screen is the measure.
TOO_WIDE = """
const page = document.documentElement;
if (Math.max(page.scrollWidth, window.innerWidth) <= page.clientWidth) return [];
return [...document.querySelectorAll("body *")]
  .filter((node) => node.getBoundingClientRect().right > page.clientWidth + 1)
  .slice(0, 12).map((node) => `${node.tagName}.${node.className}`);
"""
CONTRAST = """
const parse = (text) => {
  const found = (text.match(/[\\d.]+/g) || []).map(Number);
  return text.startsWith("color(") ? found.map((value, place) => (place < 3 ? 255 * value : value)) : found; // of a mix
};
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const ground = (node) => {
  for (; node; node = node.parentElement) {
    const colour = parse(getComputedStyle(node).backgroundColor);
    if (colour.length && (colour.length < 4 || colour[3] > 0.99)) return colour;
  }
  return [255, 255, 255];
};
const weak = [];
for (const node of document.querySelectorAll(arguments[0])) {
  if (!node.offsetParent || !node.textContent.trim()) continue;
  const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) weak.push(node.className + ' ' + ratio.toFixed(2) + ' ' + node.textContent.slice(0, 20));
}
return [...new Set(weak)];
"""
