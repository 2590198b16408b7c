# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Conditions of a batch: independent of how it is divided, hidden at their rate, and told to the model."""

import numpy as np
import pytest
import torch

from hf_vdrep.models import WaltTransformer3DModel, make_scheduler
from hf_vdrep.training.condition_draws import ConditionDraws
from hf_vdrep.training.condition_labels import captions, class_count, open_labels
from hf_vdrep.training.conditioned_task import ConditionedTask, step_flops
from hf_vdrep.training.denoising import DenoisingObjective
from hf_vdrep.training.latents import LatentPool
from hf_vdrep.training.walt_config import WaltTrainConfig
from hf_vdrep.training.walt_task import WaltTask


class Words:
    """Stands for a caption encoder: a caption's state is its length, its mask its letters."""

    width = 6

    def __call__(self, captions):
        states = torch.stack([torch.full((4, 6), float(len(caption))) for caption in captions])
        return states, torch.stack([torch.arange(4) < len(caption) for caption in captions])


@pytest.fixture(scope="module")
def pool():
    rng = np.random.default_rng(0)
    video = rng.normal(size=(40, 4, 5, 2, 2)).astype(np.float32)
    return LatentPool(video, rng.normal(size=(40, 5, 4, 1, 2, 2)).astype(np.float32))


def make_task(pool, known=None, encoder=None, **changes):
    config = WaltTrainConfig(**{"batch_size": 8, "seed": 1, "image_fraction": 0.5, **changes})
    return ConditionedTask(WaltTask(config, pool, pool), ConditionDraws(config, known, encoder), None, 1.0)


@pytest.mark.parametrize("objective", ["video", "image"])
def test_conditions_do_not_depend_on_how_the_batch_is_divided(pool, objective):
    settings = {"condition": "object", "condition_dropout": 0.5, "frame_prediction_probability": 0.5}
    task = make_task(pool, np.arange(40) % 12, objective=objective, **settings)
    whole, shards = task.batch(3, 0, 1), [task.batch(3, part, 2) for part in range(2)]
    names = [f"{kind}_{what}" for kind in ("video", "image") for what in ("label", "hidden", "given")]
    seen = [name for name in names if name in whole]
    assert {"image_label", "image_hidden"} <= set(seen) and ("video_given" in seen) == (objective == "video")
    for name in seen:
        parts = torch.cat([shard[name] for shard in shards if name in shard]).reshape(len(whole[name]), -1)
        assert sorted(parts.tolist()) == sorted(whole[name].reshape(len(parts), -1).tolist()), name


def test_every_image_of_a_stack_has_the_label_of_its_clip(pool):
    task = make_task(pool, np.arange(40) + 100, condition="object")
    batch = task.batch(0, 0, 1)
    rows = {tuple(clip.flatten().tolist()): index for index, clip in enumerate(pool.video)}
    for clip, label in zip(batch["video"], batch["video_label"], strict=True):
        assert rows[tuple(clip.flatten().tolist())] == label - 100
    for image, label in zip(batch["image"], batch["image_label"], strict=True):
        assert any(np.array_equal(image, frame) for frame in pool.images[label - 100])


def test_labels_are_hidden_and_frames_given_at_their_rates(pool):
    """WALT §4.4: one latent frame or two, with equal chance, always from the first on."""
    settings = {"condition": "object", "condition_dropout": 0.2, "frame_prediction_probability": 0.6}
    task = make_task(pool, np.zeros(40, int), image_fraction=0.0, **settings)
    batches = [task.batch(step, 0, 1) for step in range(120)]
    hidden = torch.cat([batch["video_hidden"] for batch in batches]).float().mean()
    given = torch.cat([batch["video_given"] for batch in batches])
    assert abs(float(hidden) - 0.2) < 0.04
    counts = given.sum(1)
    shares = [float((counts == number).float().mean()) for number in (0, 1, 2)]
    np.testing.assert_allclose(shares, [0.4, 0.3, 0.3], atol=0.05)
    assert torch.equal(given, torch.arange(5)[None] < counts[:, None])


def test_without_conditions_a_batch_stays_as_it_was(pool):
    task = make_task(pool)
    plain, wrapped = task.task.batch(2, 0, 1), task.batch(2, 0, 1)
    assert plain.keys() == wrapped.keys()
    assert task.pool is pool  # what the wrapper lacks is the inner task's


def test_captions_reach_the_batch_and_hidden_ones_become_the_null_text(pool, tiny_denoiser_config):
    """A text of which nothing is left counts as absent: hiding all equals giving none."""
    words = [f"{'x' * (index % 4)}" for index in range(40)]
    task = make_task(pool, words, Words(), condition="text", text_encoder="-", image_fraction=0.0)
    batch = task.batch(0, 0, 1)
    assert batch["video_text"].shape == (8, 4, 6) and batch["video_text_mask"].shape == (8, 4)
    model = WaltTransformer3DModel(**tiny_denoiser_config, in_channels=4, sample_size=2, text_dim=6)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    objective = DenoisingObjective(model, make_scheduler())
    seen, hidden = dict(batch), {**batch, "video_hidden": torch.ones(8, dtype=torch.bool)}
    seen["video_hidden"] = ~hidden["video_hidden"]
    absent = {name: value for name, value in batch.items() if "text" not in name}
    with torch.no_grad():
        losses = [float(objective(data)[0]) for data in (hidden, absent, seen)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5) and abs(losses[2] - losses[0]) > 1e-5


def test_labels_of_a_stream_come_with_its_batch(pool):
    draws = ConditionDraws(WaltTrainConfig(batch_size=2, condition="scene"))
    data = {"video": torch.zeros(2, 4, 5, 2, 2)}
    found = draws.add({**data, "labels": [{"scene": 3}, {"scene": 1}]}, np.zeros(2, bool), 0, 0, 1)
    assert found["video_label"].tolist() == [3, 1]
    with pytest.raises(ValueError, match="condition=scene must have scene with every sample"):
        draws.add(data, np.zeros(2, bool), 0, 0, 1)


def test_given_frames_reach_the_model_clean_and_may_be_left_out_of_the_loss(tiny_denoiser_config):
    torch.manual_seed(0)
    model = WaltTransformer3DModel(**tiny_denoiser_config, in_channels=4, sample_size=2, frame_conditioning=True)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    given = torch.arange(5)[None] < torch.tensor([[0], [2]])
    data = {"video": torch.randn(2, 4, 5, 2, 2), "video_noise": torch.randn(2, 4, 5, 2, 2), "video_given": given}
    data["video_timestep"] = torch.tensor([300, 600])
    scheduler = make_scheduler()
    args = (data["video"], data["video_noise"], data["video_timestep"])
    with torch.no_grad():
        told = {"frame_condition": data["video"], "frame_mask": given}
        predicted = model(scheduler.add_noise(*args), data["video_timestep"], **told).sample
        error = (predicted - scheduler.get_velocity(*args)).square()
        everything = DenoisingObjective(model, scheduler)(data)[0]
        asked = DenoisingObjective(model, scheduler, given_frames_count=False)(data)[0]
    torch.testing.assert_close(everything, error.mean())
    torch.testing.assert_close(asked, (error[0].mean() + error[1, :, 2:].mean()) / 2)
    halves = [{name: value[row : row + 1] for name, value in data.items()} for row in range(2)]
    with torch.no_grad():
        objective = DenoisingObjective(model, scheduler, given_frames_count=False)
        divided = [objective(half)[0] for half in halves]
    torch.testing.assert_close(asked, sum(divided) / 2)


def test_probeworld_labels_are_those_of_its_samples(tmp_path):
    from hf_vdrep.data.probeworld import TASK_NAMES, ProbeWorld, ProbeWorldConfig

    world = ProbeWorld("train", 3, ProbeWorldConfig(resolution=16, photographs=False))
    labels = open_labels(world, tmp_path, name="train", chunk=2)
    assert labels.shape == (3, 6) and np.array_equal(labels, open_labels(world, tmp_path, name="train"))
    sample = world[1]
    assert labels[1, 0] == sample["object"] and labels[1, 5] == sample["action_motion"]
    names = TASK_NAMES["object"][sample["object"]], TASK_NAMES["action_motion"][sample["action_motion"]]
    assert captions(labels)[1] == ", ".join(names)
    assert class_count("object") == 12 and class_count("action_motion") == 16 and class_count("text") is None


def test_a_training_step_costs_three_forwards_and_the_share_of_first_passes():
    """Backward is twice the forward; self-conditioning adds a forward for its share (WALT §4.3)."""
    from hf_vdrep.models.walt_flops import forward_flops

    model = dict(WaltTransformer3DModel(num_layers=2, num_attention_heads=2, attention_head_dim=8).config)
    clip, image = forward_flops(model), forward_flops(model, frames=1)
    config = WaltTrainConfig(self_condition_probability=0.5, image_fraction=0.25)
    assert step_flops(config, model) == pytest.approx(3.5 * (0.75 * clip + 0.25 * 5 * image))
    stacks = WaltTrainConfig(objective="image", self_condition_probability=0.0)
    assert step_flops(stacks, model) == pytest.approx(3 * 5 * image)
    adapters = WaltTrainConfig(self_condition_probability=0.0, lora_rank=4, init_from="-")
    assert step_flops(adapters, model) == pytest.approx(2 * clip)
