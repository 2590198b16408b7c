# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Write the generated blocks of README.md and model_cards/*.md, and the cards of model_cards/hub/, from results.

python scripts/render_documents.py
"""

import os
import shutil
from pathlib import Path

from hf_vdrep.app import analyses_pack
from hf_vdrep.data import atomic_output
from hf_vdrep.hub.card_folder import write_cards
from hf_vdrep.hub.documents import fill
from hf_vdrep.study.generation.document import TABLE_NAME, quality_table

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    quality = ROOT / "model_cards" / "walt-tiny" / "quality"
    with atomic_output(quality / TABLE_NAME) as temporary:
        temporary.write_text(quality_table(quality), encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "model_cards").glob("*.md"))):
        text = path.read_text(encoding="utf-8")
        filled = fill(text, ROOT / "model_cards" / "walt-tiny")
        if filled != text:
            temporary = path.with_name(f".{path.name}.part")
            temporary.write_text(filled, encoding="utf-8")
            os.replace(temporary, path)
            print(f"wrote {path.relative_to(ROOT)}")
    app_results = ROOT / "src" / "hf_vdrep" / "app" / "results" / "walt-tiny.json"
    shutil.copyfile(ROOT / "model_cards" / "walt-tiny" / "table-all.json", app_results)
    analyses_pack.main()
    for path in write_cards(ROOT / "model_cards" / "hub", ROOT / "model_cards" / "walt-tiny"):
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
