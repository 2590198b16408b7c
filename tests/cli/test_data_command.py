# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep data`: what is read, and whether a copy on disk can be."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hf_vdrep.cli.main import main
from hf_vdrep.data.streams import SPECS

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "streams"))
import published_layouts as layouts


def test_list_names_every_data_set_with_task_terms_and_layout(capsys):
    assert main(["data", "list"]) == 0
    printed = capsys.readouterr().out
    words = " ".join(printed.split())
    for name, spec in SPECS.items():
        assert name in words and " ".join(spec.licence.split()) in words
        assert all(task in words for task in spec.tasks)
        assert spec.layout.splitlines()[0].split("  ")[0] in words


def test_list_of_one_says_where_it_comes_from_and_how_it_lies_on_disk(capsys):
    assert main(["data", "list", "waymo"]) == 0
    printed = capsys.readouterr().out
    for line in SPECS["waymo"].layout.splitlines():
        assert line in printed
    assert "https://waymo.com/open" in printed and "non-commercial" in printed


def test_list_speaks_json_and_chooses_by_task(capsys):
    assert main(["data", "list", "--json", "--task", "box_tracks"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {entry["name"] for entry in facts} == {"perception-test-objects", "waymo"}


@pytest.mark.parametrize(
    "name, writer, extra",
    [
        ("imagenet-1k", layouts.write_imagenet, ["object: 2 classes of the 1000 published", "uint8 32 x 32 x 3"]),
        ("perception-test", layouts.write_perception, ["float32 64 x 5 x 2", "bool 64 x 5, true for"]),
        ("scannet", layouts.write_scannet, ["depth         float32 5 x 32 x 32, from 1", "float32 5 x 3 x 4"]),
    ],
)
def test_check_says_what_it_found_and_draws_it(tmp_path, capsys, name, writer, extra):
    root = tmp_path / "copy"
    root.mkdir()
    writer(root)
    common = ["--resolution", "32", "--num-frames", "5", "-q", "-o", str(tmp_path)]
    assert main(["data", "check", name, str(root), *common]) == 0
    printed = capsys.readouterr().out
    for words in [*extra, "0 corrupt"]:
        assert words in printed
    path = tmp_path / f"data-{name}-validation.png"
    assert printed.splitlines()[-1] == str(path)
    with Image.open(path) as image:
        sheet = np.asarray(image)
    assert sheet.shape[0] > 200 and sheet.std() > 5


def test_check_names_what_is_corrupt_and_exits_with_one(tmp_path, capsys):
    for index in range(3):
        layouts.save_picture(tmp_path / f"{index}.png", layouts.picture(index))
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    words = ["data", "check", "image-folder", str(tmp_path), "--split", "train", "-q", "-o", str(tmp_path / "out")]
    assert main(words) == 1
    printed = capsys.readouterr().out
    assert "3 read, 2 given, 1 corrupt" in printed and "corrupt: 1.png: " in printed


def test_check_that_finds_nothing_to_give_exits_with_one(tmp_path, capsys):
    """Sound videos in which no point can be seen at first."""
    layouts.write_perception(tmp_path, 12, videos=1)
    path = tmp_path / "point_tracking_valid.json"
    path.write_text(path.read_text().replace('"frame_ids": [0,', '"frame_ids": [5,'))
    assert (
        main(["data", "check", "perception-test", str(tmp_path), "--num-frames", "5", "-q", "-o", str(tmp_path)]) == 1
    )
    assert "1 read, 0 given, 0 corrupt" in capsys.readouterr().out


def test_check_of_nothing_but_corrupt_files_still_reports(tmp_path, capsys):
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n no")
    words = ["data", "check", "image-folder", str(tmp_path), "--split", "train", "-q", "-o", str(tmp_path)]
    assert main(words) == 1
    assert "1 read, 0 given, 1 corrupt" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, error",
    [
        (["check", "imagenet-1k"], "check needs NAME and ROOT"),
        (["check", "imagenet", "."], "data set must be one of"),
        (["check", "imagenet-1k", "nowhere"], "no such folder"),
        (["list", "mnist"], "data set must be one of"),
        (["list", "waymo", "/data"], "list takes one NAME at most"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_two(words, error, capsys):
    assert main(["data", *words]) == 2
    message = capsys.readouterr().err
    assert error in message and message.count("\n") == 1


def test_the_documentation_says_the_same_as_the_specs():
    """docs/data.md holds every data set's terms, source and layout, word for word."""
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    words = " ".join(text.split())
    for name, spec in SPECS.items():
        assert f"### {name}\n" in text and f"```\n{spec.layout}\n```" in text
        for fact in (spec.licence, spec.obtain, spec.label_space, spec.decode, spec.crop, spec.source):
            assert " ".join(fact.split()) in words
