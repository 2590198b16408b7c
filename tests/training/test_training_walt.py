# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The denoiser's training: latents, equal tokens for the twins, and a whole tiny pair of runs."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from hf_vdrep.training.config import save_config
from hf_vdrep.training.latents import LatentPool, open_latents, random_frames
from hf_vdrep.training.pixels import to_pixel_values
from hf_vdrep.training.walt import main, parse
from hf_vdrep.training.walt_config import WaltTrainConfig
from hf_vdrep.training.walt_task import WaltTask, image_rows


@pytest.fixture(scope="module")
def pool():
    rng = np.random.default_rng(0)
    video = rng.normal(size=(9, 4, 5, 2, 2)).astype(np.float32)
    return LatentPool(video, rng.normal(size=(9, 5, 4, 1, 2, 2)).astype(np.float32))


def config(**changes):
    return WaltTrainConfig(**{"batch_size": 4, "seed": 1, **changes})


def test_latents_are_those_of_the_clip_and_of_its_frames(tmp_path, tiny_vae, clips):
    latents = open_latents(tiny_vae, clips, tmp_path, name="train", seed=3, batch_size=4)
    assert latents.video.shape == (6, 4, 5, 2, 2) and latents.images.shape == (6, 5, 4, 1, 2, 2)
    with torch.no_grad():
        pixels = to_pixel_values(torch.from_numpy(clips[5:]))
        whole = tiny_vae.normalize(tiny_vae.encode(pixels).latent_dist.mode())
        np.testing.assert_allclose(latents.video[5:], whole.numpy(), atol=1e-4)
        for place, frame in enumerate(random_frames(3, 5, frames=17, count=5)):
            alone = tiny_vae.normalize(tiny_vae.encode(pixels[:, :, frame : frame + 1]).latent_dist.mode())
            np.testing.assert_allclose(latents.images[5, place], alone[0].numpy(), atol=1e-4)


def test_latents_are_encoded_once_and_never_read_stale(tmp_path, tiny_vae, clips):
    first = open_latents(tiny_vae, clips, tmp_path, name="train", seed=3)
    files = sorted(path.name for path in tmp_path.iterdir())
    again = open_latents(tiny_vae, clips, tmp_path, name="train", seed=3)
    assert np.array_equal(first.images, again.images) and sorted(p.name for p in tmp_path.iterdir()) == files
    open_latents(tiny_vae, clips[::-1], tmp_path, name="train", seed=3)
    assert len(list(tmp_path.iterdir())) == 2 * len(files)


def test_random_frames_depend_on_the_clip_alone():
    drawn = [random_frames(0, index, frames=17, count=5).tolist() for index in range(20)]
    assert drawn == [random_frames(0, index, frames=17, count=5).tolist() for index in range(20)]
    assert all(len(set(frames)) == 5 for frames in drawn) and len({tuple(frames) for frames in drawn}) > 15


def test_twins_see_the_same_clips_and_equally_many_tokens(pool):
    video, image = (WaltTask(config(objective=objective), pool, pool) for objective in ("video", "image"))
    for step in range(4):
        one, other = video.batch(step, 0, 1), image.batch(step, 0, 1)
        assert one["ids"] == other["ids"] and one["items"] == other["items"] == 4
        assert one["tokens"] == other["tokens"] == 4 * 5 * 2 * 2
        assert one["video"].numel() == other["image"].numel()
        assert one["video"].shape == (4, 4, 5, 2, 2) and other["image"].shape == (20, 4, 1, 2, 2)
        assert np.array_equal(one["video"].numpy(), pool.video[one["ids"]])
        assert np.array_equal(other["image"].numpy(), pool.images[other["ids"]].reshape(20, 4, 1, 2, 2))


def test_every_image_of_a_stack_has_its_own_noise_and_timestep(pool):
    batch = WaltTask(config(objective="image"), pool, pool).batch(0, 0, 1)
    assert len(set(batch["image_timestep"].tolist())) > 15
    assert len({float(noise.flatten()[0]) for noise in batch["image_noise"]}) == 20


@pytest.mark.parametrize("objective", ["video", "image"])
@pytest.mark.parametrize("fraction", [0.0, 0.5])
def test_shards_together_are_the_whole_batch(pool, objective, fraction):
    """Noise, timesteps and clips of an element do not depend on how the batch is divided."""
    task = WaltTask(config(objective=objective, image_fraction=fraction), pool, pool)
    whole = task.batch(2, 0, 1)
    shards = [task.batch(2, part, 2) for part in range(2)]
    for key in [key for key in whole if isinstance(whole[key], torch.Tensor)]:
        parts = torch.cat([shard[key] for shard in shards if key in shard]).flatten(1 if whole[key].ndim > 1 else 0)
        flat = whole[key].flatten(1 if whole[key].ndim > 1 else 0)
        assert sorted(parts.tolist()) == sorted(flat.tolist()), key


def test_noise_is_standard_normal_and_timesteps_cover_the_range(pool):
    task = WaltTask(config(batch_size=9), pool, pool)
    batches = [task.batch(step, 0, 1) for step in range(40)]
    noise = torch.cat([batch["video_noise"] for batch in batches])
    assert abs(float(noise.mean())) < 0.02 and abs(float(noise.std()) - 1) < 0.02
    timesteps = torch.cat([batch["video_timestep"] for batch in batches])
    assert timesteps.min() < 20 and timesteps.max() > 980 and abs(float(timesteps.float().mean()) - 499.5) < 60
    chosen = torch.cat([batch["video_self"] for batch in batches]).float().mean()
    assert abs(float(chosen) - 0.9) < 0.06


@pytest.mark.parametrize(("fraction", "expected"), [(0.0, 0), (0.25, 8), (1.0, 32)])
def test_images_take_their_share_of_a_mixed_batch(fraction, expected):
    assert image_rows(config(image_fraction=fraction), 32).sum() == expected
    assert image_rows(config(objective="image", image_fraction=fraction), 32).all()


def test_a_twin_differs_in_the_objective_only(tmp_path):
    one = config(output_dir=str(tmp_path / "v-walt-tiny"), lr=0.5, model={"num_layers": 2})
    save_config(one, tmp_path / "v-walt-tiny" / "config.yaml")
    twin = parse(["--twin-of", str(tmp_path / "v-walt-tiny")])
    changed = {f.name for f in dataclasses.fields(one) if getattr(one, f.name) != getattr(twin, f.name)}
    assert changed == {"objective", "output_dir", "twin_of"}
    assert twin.objective == "image" and twin.output_dir == str(tmp_path / "i-walt-tiny")
    save_config(twin, tmp_path / "i-walt-tiny" / "config.yaml")
    back = parse(["--twin-of", str(tmp_path / "i-walt-tiny")])
    assert dataclasses.replace(back, twin_of=None) == one


def test_a_whole_pair_of_runs_saves_pipelines(tmp_path, stand_in_world, tiny_vae, tiny_denoiser_config):
    """Both twins train from the same cache and starting weights, have equal size, and load back."""
    from hf_vdrep.models import WaltTransformer3DModel

    tiny_vae.save_pretrained(tmp_path / "vae")
    pairs = [f"{key}={json.dumps(value)}" for key, value in tiny_denoiser_config.items()]
    argv = ["--output-dir", str(tmp_path / "v-walt"), "--vae", str(tmp_path / "vae"), "--model", *pairs, "--cpu"]
    argv += ["--resolution", "16", "--pool-size", "6", "--eval-clips", "2", "--batch-size", "4", "--steps", "3"]
    argv += ["--warmup-steps", "0", "--log-every", "1", "--mixed-precision", "no"]
    assert main([*argv, "--debug"]) == 0
    cached = sorted(path.name for path in (tmp_path / "cache").iterdir())
    assert main(["--twin-of", str(tmp_path / "v-walt"), "--debug"]) == 0
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == cached
    summaries = [json.loads((tmp_path / name / "summary.json").read_text()) for name in ("v-walt", "i-walt")]
    for key in ("parameters", "clips", "tokens", "steps"):
        assert summaries[0][key] == summaries[1][key]
    assert {"v_loss", "v_loss_image", "v_loss@200"} <= summaries[0].keys()
    for name, objective in (("v-walt", "video"), ("i-walt", "image")):
        model = WaltTransformer3DModel.from_pretrained(tmp_path / name / "pipeline" / "transformer")
        assert model.config.objective == objective
        assert (tmp_path / name / "pipeline" / "model_index.json").is_file()


def test_a_tokenizer_without_statistics_is_refused(tmp_path, stand_in_world, tiny_vae_config, capsys):
    from hf_vdrep.models import AutoencoderWalt

    AutoencoderWalt(**tiny_vae_config).save_pretrained(tmp_path / "vae")
    argv = ["--output-dir", str(tmp_path / "v"), "--cpu", "--mixed-precision", "no", "--vae"]
    assert main([*argv, str(tmp_path / "vae")]) == 2
    assert "vae must have latents_mean and latents_std" in capsys.readouterr().err
    assert main([*argv, str(tmp_path / "nothing")]) == 2
    error = capsys.readouterr().err
    assert "vae must be a trained AutoencoderWalt" in error and error.count("\n") == 1
