# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`hf-vdrep layers`, `features` and `cache`."""

import json
import subprocess
import sys
from typing import get_args

import pytest

from hf_vdrep.backbones import WaltBackbone, open_backbone
from hf_vdrep.backbones.denoiser_sites import Site
from hf_vdrep.backbones.walt_sites import WaltSite
from hf_vdrep.cli.main import main
from hf_vdrep.features import extract_features, list_cells, open_source


@pytest.fixture
def made(tiny_pair, tmp_path, capsys):
    """(folder of a cache, the words that made it)."""
    words = ["features", "--model", str(tiny_pair[1]), "--data", "probeworld:test", "--size", "4", "--resolution", "16"]
    words += ["--num-frames", "5", "--timesteps", "0,50", "-o", str(tmp_path / "cache"), "-q"]
    assert main(words) == 0
    return tmp_path / "cache", words, capsys.readouterr().out


def test_layers_lists_every_block_with_shape_and_share(tiny_pair, capsys):
    """Two equal blocks: the first is half of the work, but for the embedding."""
    assert main(["layers", str(tiny_pair[1]), "--resolution", "16", "--num-frames", "5", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["layer"], row["name"]) for row in rows] == [(0, "blocks.0"), (1, "blocks.1")]
    assert rows[0]["shape"] == [2, 2, 2, 8] and rows[0]["stride"] == 8
    assert rows[1]["share"] == 1.0 and 0.4 < rows[0]["share"] < 0.6
    assert main(["layers", "pixels"]) == 0
    assert "100.0 %" in capsys.readouterr().out


def test_features_say_what_they_are_and_are_listed(made, capsys):
    folder, _, printed = made
    assert "4 samples" in printed and printed.strip().endswith(str(folder))
    assert printed.count("2 x 2 x 2 x 8") == 4  # two blocks, two noise levels
    assert main(["cache", "ls", str(folder)]) == 0
    assert "5 cells" in capsys.readouterr().out  # and the latents
    assert main(["cache", "verify", str(folder)]) == 0
    assert "5 shards, 0 damaged" in capsys.readouterr().out


def test_a_second_call_computes_nothing(made):
    folder, words, _ = made
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("shard-*")}
    assert main(words) == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("shard-*")} == before


def test_a_dry_run_writes_nothing(tiny_pair, tmp_path, capsys):
    words = ["features", "--model", str(tiny_pair[1]), "--data", "probeworld", "--size", "4", "--resolution", "16"]
    assert main([*words, "--num-frames", "5", "--layers", "blocks.1,0.5", "--dry-run", "-o", str(tmp_path / "c")]) == 0
    assert "blocks.1" in capsys.readouterr().out
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("bfloat16", 2), ("int8", 1 + 4 / 8)])
def test_the_dtype_decides_the_size(tiny_pair, tmp_path, capsys, dtype, size):
    """4 clips of 8 cells and 8 channels; int8 adds a float32 per channel, shared by the cells."""
    words = ["features", "--model", str(tiny_pair[1]), "--data", "probeworld:test", "--size", "4", "--resolution", "16"]
    words += ["--num-frames", "5", "--layers", "0", "--timesteps", "50", "-o", str(tmp_path / "c"), "-q"]
    assert main([*words, "--dtype", dtype]) == 0
    stored = [cell for cell in list_cells(tmp_path / "c") if cell.key.dtype == dtype and cell.key.timestep == 50]
    header = 8 + int.from_bytes(stored[0].shards[0].read_bytes()[:8], "little")
    assert stored[0].num_bytes - header == 4 * 8 * 8 * size
    assert main(["cache", "verify", str(tmp_path / "c")]) == 0


def test_a_quota_is_one_line_and_nothing_is_extracted(made, capsys):
    folder, words, _ = made
    before = {path: path.read_bytes() for path in folder.rglob("shard-*")}
    assert main([*words, "--quota-gb", "0.000001"]) == 0  # all is there
    capsys.readouterr()
    assert main([*words, "--quota-gb", "0.000001", "--seed", "1"]) == 1  # as a full disk
    error = capsys.readouterr().err.strip()
    assert "quota must leave room for the features" in error and "\n" not in error
    assert {path: path.read_bytes() for path in folder.rglob("shard-*")} == before


def test_a_site_of_our_own_pair_is_extracted_listed_and_read_back(made, tmp_path, tiny_pair, monkeypatch, capsys):
    """By the call that `--help` shows; the block's output lies beside it under a key of its own."""
    folder, words, _ = made
    assert main([*words, "--site", "attention"]) == 0
    assert "4 samples, site attention" in capsys.readouterr().out
    cells = [cell for cell in list_cells(folder) if cell.site == "attention"]
    assert len(cells) == 4 and all(cell.key.backbone.endswith("-attention") for cell in cells)
    source, backbone = open_source("probeworld:test", size=4, num_frames=5, resolution=16), open_backbone(tiny_pair[1])
    monkeypatch.setattr(WaltBackbone, "extract_stacked", None)
    asked = {"layers": [1], "timesteps": [50], "cache_dir": folder, "data_fingerprint": source.fingerprint}
    found = {
        site: extract_features(backbone.at(site), source.videos, source.sample_ids, **asked)
        for site in ("attention", "block")
    }
    assert found["attention"].cells == [(1, 50)] and found["attention"][1, 50].site == "attention"
    assert not found["attention"][1, 50][:].equal(found["block"][1, 50][:])
    monkeypatch.undo()
    assert main(["layers", str(tiny_pair[1]), "--resolution", "16", "--num-frames", "5", "--site", "norm"]) == 0
    assert "blocks.1" in capsys.readouterr().out


def test_every_site_is_in_the_help(capsys):
    for command in ("features", "layers"):
        main([command, "--help"])
        printed = capsys.readouterr().out.partition("--site NAME ")[2].partition("--discard")[0]
        assert all(site in printed for site in {*get_args(Site), *get_args(WaltSite)})


@pytest.mark.parametrize(
    ("count", "name", "line"),
    [
        (0, "cuda", "--device must be one that is there (no GPU), cpu or auto, got cuda"),
        (2, "cuda:99", "--device must be one that is there (cuda:0 to cuda:1), cpu or auto, got cuda:99"),
        (2, "cuda:x", "must be auto, cpu, cuda or cuda:N, got 'cuda:x'"),
    ],
)
def test_a_device_that_is_not_there_is_named_before_a_model_is_opened(monkeypatch, capsys, count, name, line):
    monkeypatch.setattr("torch.cuda.device_count", lambda: count)
    assert main(["features", "--model", "no/such", "--data", "probeworld", "--device", name]) == 2
    error = capsys.readouterr().err.strip()
    assert line in error and "\n" not in error


@pytest.mark.slow
def test_torchrun_fills_one_cache_with_two_processes(made, tmp_path):
    """The launcher sets RANK and WORLD_SIZE; the first process alone prints."""
    folder, words, _ = made
    other = [*words[: words.index("-o")], "-o", str(tmp_path / "two"), "-q"]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "hf_vdrep.cli.main"]
    done = subprocess.run([*launcher, *other], capture_output=True, text=True, check=True)
    assert done.stdout.count("4 samples") == 1
    shards = [
        {path.relative_to(top): path.read_bytes() for path in top.rglob("shard-*")}
        for top in (folder, tmp_path / "two")
    ]
    assert shards[0].keys() == shards[1].keys()
    assert main(["cache", "verify", str(tmp_path / "two")]) == 0


def test_damage_is_printed_and_the_exit_code_says_so(made, capsys):
    folder, _, _ = made
    victim = sorted(folder.rglob("shard-*"))[0]
    victim.write_bytes(victim.read_bytes()[:-1])
    assert main(["cache", "verify", str(folder)]) == 1
    assert "5 shards, 1 damaged" in capsys.readouterr().out


def test_prune_needs_a_rule_and_keeps_to_it(made, capsys):
    folder, _, _ = made
    assert main(["cache", "prune", str(folder)]) == 2
    assert "prune needs --backbone" in capsys.readouterr().err
    assert main(["cache", "prune", str(folder), "--backbone", "latents", "--dry-run"]) == 0
    assert "1 cells, 0.000 GB would be freed" in capsys.readouterr().out
    assert main(["cache", "prune", str(folder), "--keep-gb", "0"]) == 0
    assert "5 cells" in capsys.readouterr().out
    assert not list(folder.rglob("shard-*"))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["layers", "v-wlat"], "backbone must be one of"),
        (["cache", "ls", "no-such-folder"], "cache_dir must be an existing folder, got no-such-folder"),
        (["features", "--model", "pixels", "--data", "mars"], "data must be probeworld"),
        (["features", "--model", "v-walt", "--data", "probeworld", "--layers", "blocks.99"], "got 'blocks.99'"),
        (["features", "--model", "v-walt", "--data", "probeworld", "--timesteps", "1000"], "timestep must lie in"),
        (["features", "--model", "v-walt", "--data", "probeworld", "--timesteps", "x"], "must be a whole number"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(words, line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    error = capsys.readouterr().err.strip()
    assert line in error and "\n" not in error
