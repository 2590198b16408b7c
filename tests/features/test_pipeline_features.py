# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The engine and its commands over saved diffusers pipelines and a vision encoder, all tiny and random."""

import json
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from hf_vdrep.backbones import open_backbone
from hf_vdrep.cli.main import main
from hf_vdrep.features import extract_features, list_cells

# The tiny pipelines are those of the tests of backbones.
sys.path.append(str(Path(__file__).parents[1] / "backbones"))
from tiny_denoisers_pipelines import PIPELINES, tiny_pipeline
from tiny_encoders import tiny_encoder

# One of each kind is enough for every day.
EVERY_DAY = ("dit", "flux", "sd1", "wan")
IDS = [f"clip-{index}" for index in range(5)]
LEVELS = [0, 50, 200, 600]


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Each pipeline saved once."""
    root = tmp_path_factory.mktemp("saved")

    def folder(name: str) -> Path:
        if not (root / name).exists():
            tiny_pipeline(name).save_pretrained(root / name)
        return root / name

    return folder


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    return torch.randint(0, 256, (5, 5, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(7))


@pytest.fixture
def extract(pixels, tmp_path):
    """Float32 throughout, shards of two in batches of two."""
    return partial(
        extract_features,
        videos=lambda positions: pixels[list(positions)],
        sample_ids=IDS,
        layers=[0, -1],
        timesteps=[0, 200, 600],
        cache_dir=tmp_path / "cache",
        data_fingerprint="clips",
        batch_size=2,
        dtype="float32",
        autocast_dtype=None,
        shard_size=2,
        progress=False,
    )


def content(cell) -> int:
    """Bytes of a cell of one shard, its header left out."""
    (shard,) = cell.shards
    return cell.num_bytes - 8 - int.from_bytes(shard.read_bytes()[:8], "little")


@pytest.mark.parametrize(
    "name", [name if name in EVERY_DAY else pytest.param(name, marks=pytest.mark.slow) for name in sorted(PIPELINES)]
)
def test_the_command_extracts_every_layer_of_a_pipeline(saved, tmp_path, capsys, name):
    """The line that the project promises, and what then lies on the disk: a cell per layer and noise level."""
    words = ["features", "--model", str(saved(name)), "--data", "probeworld:test", "--size", "2", "--num-frames", "5"]
    words += ["--resolution", "64", "--layers", "all", "--timesteps", "0,50,200,600", "-o", str(tmp_path), "-q"]
    assert main(words) == 0
    layers = open_backbone(saved(name)).num_layers
    cells = [cell for cell in list_cells(tmp_path) if cell.site == "block"]
    assert {(cell.key.layer, cell.key.timestep) for cell in cells} == {
        (layer, level) for layer in range(layers) for level in LEVELS
    }
    assert f"2 samples, site block, {sum(map(content, cells)) / 1e6:.1f} MB" in capsys.readouterr().out
    assert main(["cache", "verify", str(tmp_path)]) == 0
    assert f"{4 * layers + 1} shards, 0 damaged" in capsys.readouterr().out  # and the latents


@pytest.mark.parametrize("name", ["sd1", "dit", "wan"])
def test_one_pass_for_all_levels_fills_the_same_cells(saved, extract, tmp_path, name):
    backbone = open_backbone(saved(name))
    apart = extract(backbone)
    passes: list[int] = []
    handle = backbone.blocks[0].module.register_forward_hook(lambda *_: passes.append(1))
    stacked = extract(backbone, cache_dir=tmp_path / "other", stacking="on")
    handle.remove()
    assert len(passes) == 4 and stacked.cells == apart.cells  # three batches, and one to see that it fits
    for cell in apart.cells:
        torch.testing.assert_close(stacked[cell][:], apart[cell][:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["sd1", "wan"])
def test_batches_order_and_processes_change_nothing_but_rounding(saved, extract, pixels, tmp_path, name):
    backbone = open_backbone(saved(name))
    truth = extract(backbone)[0, 200][:]
    one = extract(backbone, cache_dir=tmp_path / "one", batch_size=1)[0, 200][:]
    torch.testing.assert_close(one, truth, rtol=1e-4, atol=1e-5)
    turned = extract(
        backbone,
        cache_dir=tmp_path / "turned",
        sample_ids=IDS[::-1],
        videos=lambda positions: pixels.flip(0)[list(positions)],
    )
    torch.testing.assert_close(turned[0, 200][:].flip(0), truth, rtol=1e-4, atol=1e-5)
    share = extract(backbone, cache_dir=tmp_path / "share", rank=1, world_size=3)[0, 200][:]
    assert torch.equal(share, truth)


def test_the_tokenizer_runs_once_per_sample_over_all_calls(saved, extract, monkeypatch):
    """Its latents are kept; another layer, noise level or site reads them, and no video."""
    backbone = open_backbone(saved("wan"))
    direct = extract(backbone, keep_latents=False, timesteps=[50])[0, 50][:]
    extract(backbone)
    monkeypatch.setattr(backbone.vae, "encode", None)
    later = extract(backbone, layers=[0], timesteps=[50], seed=1, videos=None)
    assert not torch.equal(later[0, 50][:], direct)
    again = extract(open_backbone(saved("wan"), site="norm"), layers=[0], timesteps=[50], videos=None)
    assert again[0, 50].site == "norm"


@pytest.mark.parametrize("name", ["flux", "ltx", "svd"])
def test_kept_latents_give_what_the_pixels_give(saved, extract, tmp_path, name):
    """Bit for bit, strides and spans too."""
    backbone = open_backbone(saved(name))
    kept = extract(backbone)
    direct = extract(backbone, keep_latents=False, cache_dir=tmp_path / "direct")
    for cell in kept.cells:
        assert torch.equal(kept[cell][:], direct[cell][:])
        assert kept[cell].stride == direct[cell].stride
        assert torch.equal(kept[cell].frame_spans, direct[cell].frame_spans)


def test_the_site_stands_in_every_record(saved, tmp_path, capsys):
    """The shard's facts, the cell's note, the index, the list for people; and each site has cells of its own."""
    words = ["features", "--model", str(saved("dit")), "--data", "probeworld", "--size", "2", "--num-frames", "3"]
    words += ["--layers", "0", "-o", str(tmp_path), "-q"]
    for site in ("block", "norm", "mlp"):
        assert main([*words, "--site", site]) == 0
        assert f"site {site}" in capsys.readouterr().out
    cells = [cell for cell in list_cells(tmp_path) if cell.site != "latents"]
    assert {cell.site for cell in cells} == {"block", "norm", "mlp"} and len(cells) == 3
    for cell in cells:
        assert f'\\"site\\":\\"{cell.site}\\"'.encode() in cell.shards[0].read_bytes()[:2000]
    assert main(["cache", "ls", str(tmp_path), "--json"]) == 0
    assert sorted(row["site"] for row in json.loads(capsys.readouterr().out)) == ["block", "latents", "mlp", "norm"]
    assert main(["cache", "ls", str(tmp_path)]) == 0
    assert " norm " in capsys.readouterr().out


def test_channels_are_left_out_by_the_command(saved, tmp_path, capsys):
    words = ["features", "--model", str(saved("dit")), "--data", "probeworld", "--size", "1", "--num-frames", "3"]
    assert main([*words, "--layers", "0", "--discard", "0,5,9", "--dry-run", "-o", str(tmp_path / "c")]) == 0
    assert "x 29 " in capsys.readouterr().out


def test_layers_of_a_pipeline_are_listed_with_their_own_grids(saved, capsys):
    """A UNet's at several resolutions; shares of the work that only grow; a site where a block has it."""
    words = ["layers", str(saved("sd1")), "--num-frames", "3", "--resolution", "64", "--json"]
    assert main(words) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["stride"]) for row in rows] == [
        ("down_blocks.0", 16),
        ("down_blocks.1", 16),
        ("mid_block", 16),
        ("up_blocks.0", 8),
        ("up_blocks.1", 8),
    ]
    shares = [row["share"] for row in rows]
    assert shares == sorted(shares) and shares[0] > 0 and shares[-1] == 1
    assert main(["layers", str(saved("dit")), "--num-frames", "3", "--site", "norm"]) == 0
    assert "transformer_blocks.1" in capsys.readouterr().out


def test_an_encoder_s_features_are_extracted_by_the_same_command(tmp_path, capsys):
    tiny_encoder("dinov2").save_pretrained(tmp_path / "model")
    words = ["features", "--model", str(tmp_path / "model"), "--data", "probeworld", "--size", "2", "--num-frames", "3"]
    assert main([*words, "--resolution", "32", "-o", str(tmp_path / "cache"), "-q"]) == 0
    assert capsys.readouterr().out.count("t=-") == 3
    assert len(list_cells(tmp_path / "cache")) == 3


@pytest.mark.parametrize(
    ("model", "words", "line"),
    [
        ("dit", ["--site", "head"], "site must be one of block, norm, attention, mlp, got 'head'"),
        ("sd1", ["--site", "mlp"], "site must be one of block for down_blocks.0, got 'mlp'"),
        ("wan", ["--resolution", "72"], "videos of 72 x 72 pixels do not fit WanTransformer3DModel"),
        ("wan", ["--num-frames", "7"], "videos must have 1 + 4k frames, got 7"),
        ("dit", ["--layers", "transformer_blocks.9"], "got 'transformer_blocks.9'"),
        ("dit", ["--pool", "3"], "pool must divide the feature grid (4, 4), got 3"),
        ("dit", ["--part", "prior"], "folder must hold a pipeline with an image or video denoiser"),
        ("dit", ["--device", "tpu"], "must be auto, cpu, cuda or cuda:N, got 'tpu'"),
        ("v-walt", ["--discard", "1"], "discard must be left out for v-walt: only denoisers of diffusers take it"),
        ("v-walt", ["--revision", "x"], "revision must be left out for v-walt: only models on the Hub take it"),
    ],
)
def test_what_a_model_cannot_do_is_one_line(saved, tmp_path, capsys, model, words, line):
    path = str(saved(model)) if model in PIPELINES else model
    start = ["features", "--model", path, "--data", "probeworld", "--size", "1", "--num-frames", "5", "--dry-run"]
    assert main([*start, *words, "-o", str(tmp_path / "c")]) == 2
    error = capsys.readouterr().err.strip()
    assert line in error and "\n" not in error
