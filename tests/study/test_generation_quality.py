# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Distances between generated and real sets: zero on equals, growing with damage, aware of time, resumable."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from hf_vdrep.data import write_video
from hf_vdrep.metrics import frechet_distance
from hf_vdrep.study.generation.distances import distances
from hf_vdrep.study.generation.drawing import CHUNK, GeneratedSet
from hf_vdrep.study.generation.embedding import embed
from hf_vdrep.study.generation.networks import PixelNetwork, ReferenceNetwork, open_network
from hf_vdrep.study.generation.quality import measure
from hf_vdrep.study.generation.sets import ClipSet, FolderSet, WorldSet
from hf_vdrep.study.grid import quality as quality_grid
from hf_vdrep.study.grid.catalog import load_study
from hf_vdrep.study.grid.world import Clips


class Given(ClipSet):
    """Clips from memory."""

    def __init__(self, clips: torch.Tensor, name: str = "given") -> None:
        self.values, self.name, self.size = clips, name, len(clips)
        self.kind = "image" if clips.shape[1] == 1 else "video"

    key = "given"

    def clips(self, indices: Sequence[int]) -> torch.Tensor:
        return self.values[list(indices)]


@pytest.fixture(scope="module")
def halves() -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Two sets of 8 real clips, and of 40 frames from them."""
    both = WorldSet("video", 16).clips(range(16))
    frames = both[:, ::4].flatten(0, 1)[:, None]
    return {"video": (both[:8], both[8:]), "image": (frames[:40], frames[40:])}


@pytest.fixture(scope="module")
def networks() -> dict:
    return {"probeworld": ReferenceNetwork(), "pixels": PixelNetwork()}


def noisy(clips: torch.Tensor, level: float) -> torch.Tensor:
    noise = torch.randn(clips.shape, generator=torch.Generator().manual_seed(0)) * level
    return (clips + noise).clamp(0, 255).to(torch.uint8)


def blurred(clips: torch.Tensor, width: int) -> torch.Tensor:
    frames = clips.flatten(0, 1).permute(0, 3, 1, 2).float()
    small = F.avg_pool2d(frames, width)
    return F.interpolate(small, scale_factor=width).permute(0, 2, 3, 1).to(torch.uint8).unflatten(0, clips.shape[:2])


def apart(network, first: torch.Tensor, second: torch.Tensor) -> float:
    return frechet_distance(network.embed(first).numpy(), network.embed(second).numpy())


@pytest.mark.parametrize("kind", ["image", "video"])
@pytest.mark.parametrize("damage", [(noisy, (0, 15, 50)), (blurred, (1, 4, 16))])
def test_distance_is_least_for_real_clips_and_grows_with_damage(halves, networks, kind, damage):
    first, second = halves[kind]
    change, levels = damage
    found = [apart(networks["probeworld"], change(first, level), second) for level in levels]
    assert 0 < found[0] < found[1] < found[2] and found[2] > 1.5 * found[0]
    assert apart(networks["probeworld"], first, first) < 1e-3 * found[0]


def test_the_video_network_sees_the_order_of_frames(halves, networks):
    """Shuffled clips hold the very same frames."""
    first, second = halves["video"]
    order = torch.randperm(17, generator=torch.Generator().manual_seed(1))
    assert apart(networks["probeworld"], first[:, order], second) > 1.5 * apart(networks["probeworld"], first, second)
    assert not torch.equal(networks["pixels"].embed(first), networks["pixels"].embed(first[:, order]))


def test_pixel_features_are_means_of_cells():
    clip = torch.zeros(1, 1, 16, 16, 3, dtype=torch.uint8)
    clip[:, :, :2, :2] = 255
    cells = PixelNetwork().embed(clip).view(3, 8, 8)
    assert torch.equal(cells[:, 0, 0], torch.ones(3)) and (cells.sum() == 3 * (1 - 63)).item()


def test_other_sizes_and_lengths_are_brought_to_what_the_reference_knows(networks):
    clip = torch.zeros(2, 5, 32, 32, 3, dtype=torch.uint8)
    assert networks["probeworld"].embed(clip).shape == networks["probeworld"].embed(clip[:, :1]).shape == (2, 192)


def test_any_backbone_is_a_network():
    network = open_network("latents")
    clips = torch.randint(0, 256, (3, 5, 16, 16, 3), dtype=torch.uint8)
    images, videos = network.embed(clips[:, :1]), network.embed(clips)
    assert videos.shape == (3, 2 * images.shape[1]) and torch.isfinite(videos).all()
    torch.testing.assert_close(network.embed(clips[1:2]), videos[1:2], rtol=1e-4, atol=1e-4)


def test_distances_of_gaussians_are_those_of_the_closed_form():
    """Dowson & Landau 1982: |m1 - m2|^2 + sum (s1 - s2)^2 for diagonal covariances."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 1, (1000, 4)), rng.normal(0.5, 2, (1000, 4))
    found = distances(first, second)
    truth = 4 * 0.25 + 4 * 1.0
    frechet = found["frechet_distance"]
    assert frechet["low"] < truth < frechet["high"] and abs(frechet["value"] - truth) < 0.6
    assert found["kernel_distance"]["low"] > 0
    assert 0 <= found["recall"]["low"] <= found["recall"]["value"] < found["precision"]["value"] <= 1


def test_interval_is_the_jackknifes():
    """Of a mean, the delete-a-group jackknife gives the ordinary standard error: sigma / sqrt(N)."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(3, 1, (300, 1)), np.zeros((300, 1))
    row = distances(first, second, groups=30)["frechet_distance"]  # mean^2 + variance
    sampled = [np.mean(x) ** 2 + np.var(x) for x in rng.normal(3, 1, (2000, 300))]
    assert (row["high"] - row["low"]) / 2 / 1.96 == pytest.approx(np.std(sampled), rel=0.35)


class Counting:
    """Speaks as a diffusers pipeline; counts what it draws."""

    def __init__(self) -> None:
        self.weights = torch.nn.Linear(1, 1)
        torch.nn.init.ones_(self.weights.weight)
        torch.nn.init.zeros_(self.weights.bias)
        self.components = {"unet": self.weights}
        self.scheduler = type("Scheduler", (), {"config": {"steps": 1}})()
        self.device = torch.device("cpu")
        self.drawn = 0

    def __call__(self, batch_size: int, generator: list, num_inference_steps: int, output_type: str):
        self.drawn += batch_size
        pictures = torch.stack([torch.rand(8, 8, 3, generator=one) for one in generator]).numpy()
        return type("Output", (), {"images": pictures})()


def test_sample_depends_on_its_number_and_seed_alone():
    few, many = (GeneratedSet(Counting(), "image", count, seed=3).clips(range(count)) for count in (4, 40))
    assert torch.equal(few, many[:4])
    other = GeneratedSet(Counting(), "image", 40, seed=4).clips(range(40))
    assert len({clip.numpy().tobytes() for clip in [*many, *other]}) == 80


def test_samples_are_kept_by_content_and_a_damaged_file_is_drawn_again(tmp_path):
    pipeline = Counting()
    first = embed(GeneratedSet(pipeline, "image", 40, cache_dir=tmp_path), PixelNetwork())
    assert pipeline.drawn == 40
    more = embed(GeneratedSet(pipeline, "image", 48, cache_dir=tmp_path), PixelNetwork())
    assert pipeline.drawn == 40 + CHUNK and np.array_equal(first, more[:40])
    file = sorted((tmp_path / "samples").iterdir())[0]
    file.write_bytes(file.read_bytes()[:50])
    again = embed(GeneratedSet(pipeline, "image", 48, cache_dir=tmp_path), PixelNetwork())
    assert pipeline.drawn in (40 + 2 * CHUNK, 40 + CHUNK + 8) or np.array_equal(more, again)
    with torch.no_grad():
        pipeline.weights.weight.fill_(2)
    before = pipeline.drawn
    embed(GeneratedSet(pipeline, "image", CHUNK, cache_dir=tmp_path), PixelNetwork())
    assert pipeline.drawn == before + CHUNK  # other weights, other samples


def test_features_are_kept_too(tmp_path):
    pipeline = Counting()
    settings = {"cache_dir": tmp_path}
    first = embed(GeneratedSet(pipeline, "image", 20, **settings), PixelNetwork(), cache_dir=tmp_path)
    for file in (tmp_path / "samples").iterdir():
        file.unlink()
    again = embed(GeneratedSet(pipeline, "image", 20, **settings), PixelNetwork(), cache_dir=tmp_path)
    assert np.array_equal(first, again) and pipeline.drawn == 20


def test_stock_diffusers_pipeline_is_measured(tmp_path):
    """Unconditional DDIM over a UNet of diffusers."""
    from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownBlock2D",), "up_block_types": ("UpBlock2D",)}
    unet = UNet2DModel(16, 3, 3, block_out_channels=(8,), layers_per_block=1, norm_num_groups=4, **blocks)
    pipeline = DDIMPipeline(unet, DDIMScheduler())
    pipeline.set_progress_bar_config(disable=True)
    folder = tmp_path / "real"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(40):
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(folder / f"{index:02d}.png")
    found = measure(pipeline, None, "pixels", 20, steps=2, real=folder)
    assert found["kind"] == "image" and found["num"] == 20 and found["num_real"] == 20
    assert found["frechet_distance"]["value"] > 1.5 * found["floor"]["frechet_distance"]["value"]


def test_folders_of_videos_are_compared(tmp_path):
    rng = np.random.default_rng(0)
    for name, count in (("made", 20), ("real", 40)):
        (tmp_path / name).mkdir()
        for index in range(count):
            shade = rng.integers(40, 200)
            write_video(tmp_path / name / f"{index:02d}.mp4", np.full((9, 16, 16, 3), shade, np.uint8), 8)
    found = measure(tmp_path / "made", "video", "pixels", 20, real=tmp_path / "real")
    floor = found["floor"]["frechet_distance"]
    assert found["frechet_distance"]["value"] < 10 * floor["high"] and found["steps"] is None


def test_still_pictures_are_no_videos(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="must be a video"):
        FolderSet(tmp_path, "video").clips([0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"num": 3}, "num must be at least 20"),
        ({"kind": "sound"}, 'kind must be "image" or "video"'),
        ({"network": "no such"}, "backbone must be one of"),
        ({"pipeline": "nothing"}, "model must be one of"),
    ],
)
def test_a_wrong_argument_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        measure(**{"pipeline": Counting(), "kind": "image", "num": 20, **arguments})


def test_an_image_model_makes_no_videos():
    pipeline = Counting()
    pipeline.default_num_frames = 1
    with pytest.raises(ValueError, match="model of images"):
        measure(pipeline, "video", num=20)


def test_measure_repeats_itself():
    found = [measure(Given(WorldSet("image", 20, resolution=16).clips(range(20))), None, "pixels") for _ in range(2)]
    for one in found:
        one.pop("seconds")
    assert found[0] == found[1] and math.isclose(found[0]["frechet_distance"]["value"], 0, abs_tol=1e-6)


def test_a_study_of_quality_measures_again_when_the_feature_network_learned_more(tmp_path, monkeypatch):
    """Distances from an earlier network's features are not those of this one."""
    config = load_study("quality-vs-probe")
    job = quality_grid.QualityJob(config, Clips.of(config, tmp_path), "i-walt", tmp_path)
    keys = [job.key, job.key]
    monkeypatch.setattr(quality_grid, "_network_key", lambda name: f"{name}, trained on")
    assert keys[0] == keys[1] != job.key
