# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The page: three tabs, and what their controls are connected to."""

from typing import Any

import gradio as gr

from .catalogue import title_of
from .choices import DENSITIES, SITES
from .footage import WORLD_CLIPS, example_titles
from .handlers import EXAMPLE, SOURCES, UPLOAD, WORLD, Handlers
from .player import make_player, static
from .settings import AppSettings
from .study_tab import study_tab
from .uploads import make_upload

TITLE = "What image and video diffusion models see"
_HERO = f"""
<div class="vp-hero"><h1>{TITLE}</h1>
<p>Two models of the same size, alike in everything but this: I-WALT learned to draw images, V-WALT to draw videos.
Here their frozen features lie side by side. <span class="vp-more">Click into a picture, change the noise, or bring a
clip of your own.</span></p>
</div>
"""


def build_app(settings: AppSettings | None = None, handlers: Handlers | None = None) -> gr.Blocks:
    """The app; `launch_app` serves it with its theme, style and limits.

    Args:
        settings: limits and permissions; the defaults if None.
        handlers: the work behind the page; new ones if None.
    """
    settings = settings or AppSettings()
    handlers = handlers or Handlers(settings)
    with gr.Blocks(title=TITLE, analytics_enabled=False) as app:
        gr.HTML(_HERO, apply_default_css=False, js_on_load=None)
        with gr.Tabs():
            with gr.Tab("Compare", id="compare"):
                _compare_tab(app, handlers, settings)
            with gr.Tab("Study", id="study"):
                study_tab()
            with gr.Tab("About", id="about"):
                gr.Markdown(static("about.md"), elem_classes="vp-about")
    app.queue(max_size=settings.queue_size, default_concurrency_limit=settings.concurrency, api_open=False)
    return app


def _compare_tab(app: gr.Blocks, handlers: Handlers, settings: AppSettings) -> None:
    with gr.Row(elem_classes="vp-layout", equal_height=False):
        with gr.Column(elem_classes="vp-source", min_width=280):
            sources = _sources(settings)
        with gr.Column(elem_classes="vp-main", min_width=280):
            status = gr.HTML("", elem_id="status", apply_default_css=False, js_on_load=None)
            player = make_player(elem_id="player", followed=None)
        with gr.Column(elem_classes="vp-settings", min_width=280):
            models = _models(settings)
            depth, noise, *rest = _tap()
            button = gr.Button("Compare", variant="primary", elem_id="compare-button")
    inputs, outputs = [*sources, *models, depth, noise, *rest], [player, status]
    limits: dict[str, Any] = {"concurrency_limit": settings.concurrency, "concurrency_id": "compare"}
    player.follow(handlers.follow, None, outputs, trigger_mode="always_last", api_visibility="private",
                  show_progress="hidden", **limits)  # fmt: skip
    button.click(handlers.compare, inputs, outputs, api_name="compare", **limits)
    private = {**limits, "api_visibility": "private", "show_progress": "minimal"}
    again: dict[str, Any] = {"trigger_mode": "always_last", **private}
    for slider in (depth, noise):
        slider.release(handlers.compare, inputs, outputs, **again)
    control: Any
    for control in rest:
        control.input(handlers.compare, inputs, outputs, **again)
    for model in models:
        model.select(handlers.compare, inputs, outputs, **again)
    _, example, upload, clip = sources
    example.input(handlers.compare, inputs, outputs, **again)
    upload.upload(handlers.compare, inputs, outputs, **again)
    clip.submit(handlers.compare, inputs, outputs, **again)
    app.load(handlers.first_page, None, outputs, **private)


def _sources(settings: AppSettings) -> list[Any]:
    titles = example_titles(settings.examples)
    choices = [(title, name) for name, title in titles.items()]
    source = gr.Radio(list(SOURCES), value=EXAMPLE, label="Clip or photo", elem_id="source")
    example = gr.Radio(choices, value=choices[0][1], label="Example", elem_id="example")
    limit = f"Photo or video, up to {settings.max_upload_megabytes} MB and 2 minutes; 17 frames are read, 8 a second"
    upload = make_upload(label=limit, file_types=["image", "video"], visible=False, elem_id="upload", height=150)
    clip = gr.Number(
        7,
        label="Number of the clip",
        info=f"0 to {WORLD_CLIPS - 1}: every number is another clip of the embedded world",
        minimum=0,
        maximum=WORLD_CLIPS - 1,
        visible=False,
        elem_id="clip",
    )
    source.change(
        None,
        source,
        [example, upload, clip],
        js=f"""(s) => ["{EXAMPLE}", "{UPLOAD}", "{WORLD}"].map((n) => ({{visible: s === n, __type__: "update"}}))""",
        api_visibility="private",
    )
    return [source, example, upload, clip]


def _models(settings: AppSettings) -> list[Any]:
    first, second = settings.first_pair
    free = settings.allow_remote_models
    info = "or type the id of a model of the Hub (user/name)" if free else None
    names = [(title_of(name), name) for name in settings.offered]
    return [
        gr.Dropdown(names, value=value, label=label, info=info, allow_custom_value=True, elem_id=place)
        for value, label, place in ((first, "First model", "first"), (second, "Second model", "second"))
    ]


def _tap() -> tuple[gr.Slider, gr.Slider, gr.Dropdown, gr.Dropdown, gr.Checkbox]:
    sites = [(words, name) for name, words in SITES.items()]
    details = [(words, times) for times, words in DENSITIES.items()]
    position = "what features hold because of their place in the picture alone"
    words = "added to the clip before it is read"
    with gr.Accordion("Where features are taken", open=True):
        return (
            gr.Slider(1, 100, 67, step=1, label="Depth in the model, %", elem_id="depth"),
            gr.Slider(0, 999, 50, step=1, label="Noise level", info=words, elem_id="noise"),
            gr.Dropdown(sites, value="block", label="Site in the block", elem_id="site"),
            gr.Dropdown(details, value=2, label="Detail of the maps", elem_id="detail"),
            gr.Checkbox(False, label="Leave position in", info=position, elem_id="keep"),
        )
