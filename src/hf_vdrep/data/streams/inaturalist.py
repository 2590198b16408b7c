# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""iNaturalist 2018: COCO-style JSON, pictures by kingdom and class number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .pictures_source import LabelledImages
from .source import read_table


class INaturalist2018(LabelledImages):
    """Classes are the category ids 0 to 8141; the names in the competition's files are numbers too."""

    def prepare(self, **settings: Any) -> None:
        path = self.find(f"{self.theirs}2018.json", f"annotations/{self.theirs}2018.json")
        with read_table(path):
            annotations = json.loads(path.read_text(encoding="utf-8"))
            categories = sorted(annotations["categories"], key=lambda category: category["id"])
            self.order = {category["id"]: label for label, category in enumerate(categories)}
            self.classes = {"fine": tuple(str(category["name"]) for category in categories)}
            self.labels = {entry["image_id"]: entry["category_id"] for entry in annotations["annotations"]}
            self.pictures = [(picture["id"], picture["file_name"]) for picture in annotations["images"]]

    def rows(self) -> Iterator[dict[str, Any]]:
        for number, name in self.pictures:
            yield {"id": str(number), "path": name, "fine": self.order.get(self.labels.get(number), -1)}
        del self.pictures, self.labels  # 100 megabytes for the training set
