# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The tab of the study: analyses, tasks and a chart to choose."""

from html import escape
from typing import Any

import gradio as gr

from . import analysis_charts, analysis_maps
from .analyses import Analysis, load_analyses
from .handlers import bad
from .study_charts import CHARTS, draw
from .study_results import StudyResults, load_results

MAIN = "main"
_ALONG = {"Scores": "scores", "V-WALT against I-WALT": "gains", "Table": "table"}
_BOTH = {"Scores": "scores", "Table": "table"}
_CHARTS = {"probe": _ALONG, "quality": _BOTH, "models": _BOTH}
_ALONE = {"Scores": "scores"}
Studies = dict[str, StudyResults]
Analyses = dict[str, dict[str, Analysis]]


def study_tab() -> None:
    """Add the tab's controls to the page that is being built."""
    studies, analyses = load_results(), load_analyses()
    if not studies:
        gr.HTML(bad("This installation came without results."), apply_default_css=False, js_on_load=None)
        return
    first = next(iter(studies.values()))
    tasks = [(task.title, name) for name, task in first.tasks.items()]
    found = [("Ten tasks", MAIN), *((one.title, name) for name, one in analyses.get(first.name, {}).items())]
    study = gr.Dropdown(list(studies), value=first.name, label="Study", visible=len(studies) > 1, elem_id="study")
    analysis = gr.Radio(found, value=MAIN, label="Analysis", elem_id="analysis")
    chart = gr.Radio(list(CHARTS.items()), value="scores", label="Show", elem_id="chart")
    chosen = gr.CheckboxGroup(tasks, value=[name for _, name in tasks], label="Tasks", elem_id="tasks")
    shown = gr.HTML(draw(first, first.tasks, "scores"), apply_default_css=False, js_on_load=None, elem_id="chart-shown")

    def show(study: Any, analysis: Any, chart: Any, tasks: Any) -> tuple[Any, Any, str]:
        charts, possible = options(studies, analyses, study, analysis)
        value = chart if chart in charts.values() else next(iter(charts.values()), "scores")
        named = [(title, name) for title, name in _titles(studies, study) if name in possible]
        kept = [name for name in tasks if name in possible] if isinstance(tasks, list) else tasks
        radio = gr.update(choices=list(charts.items()), value=value, visible=len(charts) > 1)
        boxes = gr.update(choices=named, value=kept, visible=len(possible) > 0)
        return radio, boxes, show_chart(studies, study, value, kept, analyses, analysis)

    def switch(study: Any, analysis: Any, chart: Any) -> tuple[Any, Any, str]:
        # Another analysis has other tasks: all of them.
        return show(study, analysis, chart, list(options(studies, analyses, study, analysis)[1]))

    def redraw(study: Any, analysis: Any, chart: Any, tasks: Any) -> str:
        return show_chart(studies, study, chart, tasks, analyses, analysis)

    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    for chooser in (study, analysis):
        chooser.input(switch, [study, analysis, chart], [chart, chosen, shown], **quiet)
    for control in (chart, chosen):
        control.input(redraw, [study, analysis, chart, chosen], shown, **quiet)


def options(studies: Studies, analyses: Analyses, study: Any, analysis: Any) -> tuple[dict[str, str], list[str]]:
    """Charts of an analysis, by title, and the tasks that it has; nothing for one that is none."""
    if not isinstance(study, str) or study not in studies:
        return {}, []
    if analysis == MAIN:
        return dict(CHARTS), list(studies[study].tasks)
    one = analyses.get(study, {}).get(analysis) if isinstance(analysis, str) else None
    if one is None:
        return {}, []
    if one.kind == "quality":
        titles = {row[0].lower() for row in one.entry["correlations"][1:]}
        return _CHARTS["quality"], [name for name, task in studies[study].tasks.items() if task.title.lower() in titles]
    return _CHARTS.get(one.kind, _ALONE), [panel.name for panel in one.panels]


def show_chart(
    studies: Studies, study: Any, chart: Any, tasks: Any, analyses: Analyses | None = None, analysis: Any = MAIN
) -> str:
    """A chart as markup, or a sentence where the choice makes no sense."""
    try:
        if study not in studies:
            raise ValueError(f"The study must be one of {', '.join(studies)}.")
        if analysis == MAIN:
            return draw(studies[study], tasks, chart)
        known = (analyses or {}).get(study, {})
        if analysis not in known:
            raise ValueError(f"The analysis must be one of {', '.join([MAIN, *known])}.")
        return _draw_analysis(studies[study], known[analysis], chart, list(tasks))
    except (ValueError, TypeError) as error:
        return bad(str(error))


def _draw_analysis(study: StudyResults, analysis: Analysis, chart: Any, tasks: list[Any]) -> str:
    unknown = [name for name in tasks if name not in study.tasks]
    charts = _CHARTS.get(analysis.kind, _ALONE)
    if unknown or chart not in charts.values():
        raise ValueError(f"The chart must be one of {', '.join(charts)}, of tasks {', '.join(study.tasks)}.")
    panels = analysis.of_tasks(tasks)
    if analysis.kind == "cka":
        body = analysis_maps.similarity(analysis)
    elif analysis.kind == "pictures":
        body = analysis_maps.pictures(analysis)
    elif not panels:
        body = '<p class="st-words">Choose at least one task.</p>'
    elif analysis.kind == "heat":
        body = analysis_maps.heat(panels)
    else:
        drawn = {"scores": analysis_charts.scores, "gains": analysis_charts.gains, "table": analysis_charts.table}
        body = drawn[chart](analysis, panels)
    if analysis.kind == "quality":
        body += analysis_maps.correlations(analysis, [study.tasks[name].title.lower() for name in tasks])
    return f'<div class="st">{_words(analysis)}{body}{_findings(analysis)}</div>'


def _words(analysis: Analysis) -> str:
    entry = analysis.entry
    parts = [f'<p class="st-question">{escape(entry["question"])}</p>']
    if entry["note"]:
        parts.append(f'<p class="st-words">{escape(entry["note"])}</p>')
    if entry["paper"]:
        parts.append(f'<p class="st-words"><b>The paper:</b> {escape(entry["paper"])}</p>')
    return "".join(parts)


def _findings(analysis: Analysis) -> str:
    # Models side by side: sentences that repeat the chart, by the models' ids, are left out.
    repeated = tuple(f"{panel.title}:" for panel in analysis.panels if analysis.kind == "models")
    said = [sentence for sentence in analysis.entry["sentences"] if not sentence.startswith(repeated)]
    found = "".join(f"<li>{escape(sentence)}</li>" for sentence in said)
    return f'<h3 class="st-found">Found here</h3><ul class="st-words st-list">{found}</ul>' if found else ""


def _titles(studies: Studies, study: Any) -> list[tuple[str, str]]:
    return [(task.title, name) for name, task in studies[study].tasks.items()] if study in studies else []
