# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""iNaturalist 2018: COCO-style JSON, pictures by kingdom and class number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .pictures_source import LabelledImages


class INaturalist2018(LabelledImages):
    """Classes are the category ids 0 to 8141; the names in the competition's files are numbers too."""

    def prepare(self, **settings: Any) -> None:
        path = self.find(f"{self.theirs}2018.json", f"annotations/{self.theirs}2018.json")
        self.annotations = json.loads(path.read_text(encoding="utf-8"))
        categories = sorted(self.annotations["categories"], key=lambda category: category["id"])
        self.order = {category["id"]: label for label, category in enumerate(categories)}
        self.classes = {"fine": tuple(str(category["name"]) for category in categories)}

    def rows(self) -> Iterator[dict[str, Any]]:
        labels = {entry["image_id"]: entry["category_id"] for entry in self.annotations["annotations"]}
        pictures = self.annotations["images"]
        del self.annotations  # half a gigabyte for the training set
        for picture in pictures:
            label = self.order.get(labels.get(picture["id"]), -1)
            yield {"id": str(picture["id"]), "path": picture["file_name"], "fine": label}
