# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tab of the study: results, tasks and a chart to choose."""

import gradio as gr

from .handlers import bad
from .study_charts import CHARTS, draw
from .study_results import StudyResults, load_results


def study_tab() -> None:
    """Add the tab's controls to the page that is being built."""
    studies = load_results()
    if not studies:
        gr.HTML(bad("This installation came without results."), apply_default_css=False, js_on_load=None)
        return
    first = next(iter(studies.values()))
    tasks = [(task.title, name) for name, task in first.tasks.items()]
    with gr.Row():
        study = gr.Dropdown(list(studies), value=first.name, label="Study", visible=len(studies) > 1, elem_id="study")
        chart = gr.Radio(list(CHARTS.items()), value="scores", label="Show", elem_id="chart")
    chosen = gr.CheckboxGroup(tasks, value=[name for _, name in tasks], label="Tasks", elem_id="tasks")
    shown = gr.HTML(draw(first, first.tasks, "scores"), apply_default_css=False, js_on_load=None, elem_id="chart-shown")

    def show(study: str, chart: str, tasks: list[str]) -> str:
        return show_chart(studies, study, chart, tasks)

    for control in (study, chart, chosen):
        control.change(show, [study, chart, chosen], shown, api_visibility="private", show_progress="hidden")


def show_chart(studies: dict[str, StudyResults], study: str, chart: str, tasks: list[str]) -> str:
    """A chart as markup, or a sentence where the choice makes no sense."""
    try:
        if study not in studies:
            raise ValueError(f"The study must be one of {', '.join(studies)}.")
        return draw(studies[study], tasks, chart)
    except (ValueError, TypeError) as error:
        return bad(str(error))
