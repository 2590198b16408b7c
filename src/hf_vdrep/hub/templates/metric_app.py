# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The app of a metric's Space: type the inputs as JSON, read the result, and the card below."""

import json
import re
from pathlib import Path

import evaluate
import gradio as gr

HERE = Path(__file__).resolve().parent
NAME = next(path.stem for path in sorted(HERE.glob("*.py")) if path.name != "app.py")
CARD = re.sub(r"\A---\n.*?\n---\n", "", (HERE / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
LONGEST = 1_000_000


def load() -> evaluate.EvaluationModule:
    """A fresh module; its script lies beside this file."""
    return evaluate.load(str(HERE / f"{NAME}.py"), keep_in_memory=True)


def compute(*given: str) -> tuple[dict, str]:
    """The result from one JSON text per column and one for the options.

    Args:
        given: the columns in order, then a JSON object of options, which may be empty.

    Returns:
        The metric's values, and a message where something is wrong.
    """
    *texts, options = given
    try:
        if sum(map(len, given)) > LONGEST:
            raise ValueError(f"inputs must have at most {LONGEST:,} characters together")
        columns = {name: json.loads(text) for name, text in zip(COLUMNS, texts, strict=True) if text.strip()}
        metric = load()
        metric.add_batch(**columns)
        return metric.compute(**json.loads(options or "{}")), ""
    except (ValueError, TypeError, KeyError, IndexError) as error:
        return {}, f"**{type(error).__name__}**: {' '.join(str(error).split())}"


COLUMNS = tuple(load().columns)

with gr.Blocks(title=NAME) as demo:
    gr.Markdown(f"# {NAME}\nOne JSON array per column, one entry per sample.")
    boxes = [gr.Textbox(label=name, lines=3) for name in COLUMNS]
    options = gr.Textbox(label="options, as a JSON object", value="{}")
    button = gr.Button("Compute", variant="primary")
    message, result = gr.Markdown(), gr.JSON(label="result")
    button.click(compute, [*boxes, options], [result, message], api_name="compute")
    gr.Markdown(CARD)

if __name__ == "__main__":
    demo.launch()
