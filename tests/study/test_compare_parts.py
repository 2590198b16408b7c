# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Parts of the comparison, each against a truth of its own."""

import math
import os

import numpy as np
import pytest
import torch
from torch import nn

from hf_vdrep.backbones.floors import LatentBackbone
from hf_vdrep.backbones.walt import WaltBackbone
from hf_vdrep.data import ProbeWorld, ProbeWorldConfig
from hf_vdrep.data.sample import CLASS_LABELS
from hf_vdrep.metrics.samples import per_sample
from hf_vdrep.probes import get_task
from hf_vdrep.probes.pose import relative_pose
from hf_vdrep.study.compare.blank import BlankBackbone
from hf_vdrep.study.compare.features import CHUNK, FeatureRows
from hf_vdrep.study.compare.pool import WorkPool
from hf_vdrep.study.compare.reference import answers, columns_of
from hf_vdrep.study.compare.shared_latents import FromLatents, shares_latents
from hf_vdrep.study.compare.splits import LABELS, Split
from hf_vdrep.study.compare.tasks import STUDY_TASKS

WORLD = ProbeWorldConfig(resolution=32)


@pytest.fixture(scope="module")
def samples():
    return ProbeWorld("test", 4, WORLD).batch(range(4))


@pytest.fixture(scope="module")
def videos(samples):
    return torch.stack([sample["video"] for sample in samples])


def test_the_blank_backbone_says_the_same_of_every_clip(videos):
    found = BlankBackbone().extract(videos, sample_ids=list("abcd"), layers=[0], timesteps=[None])[0]
    assert found.values.shape == (4, 1, 1, 1, 4) and found.values.unique().numel() == 1
    assert found.frame_spans.tolist() == [[0, 17]]


@pytest.mark.parametrize(("model", "reading"), [("v_walt", "auto"), ("i_walt", "stack")])
def test_shared_latents_change_no_feature(twins, videos, model, reading):
    backbone, latents = (
        WaltBackbone.from_pretrained(twins[model], reading),
        LatentBackbone.from_pretrained(twins["v_walt"]),
    )
    assert shares_latents(backbone, latents)
    wanted = {"sample_ids": list("abcd"), "layers": [1], "timesteps": [100]}
    clean = latents.extract(latents.prepare(videos), sample_ids=list("abcd"), layers=[0], timesteps=[None])[0].values
    fed = FromLatents(backbone, num_frames=17)
    expected, found = (
        backbone.extract(backbone.prepare(videos), **wanted)[0],
        fed.extract(fed.prepare(clean), **wanted)[0],
    )
    torch.testing.assert_close(found.values, expected.values, rtol=0, atol=0)
    assert torch.equal(found.frame_spans, expected.frame_spans)
    assert fed.fingerprint == backbone.fingerprint


def test_a_reading_with_latents_of_its_own_does_not_share_them(twins):
    backbone, latents = (
        WaltBackbone.from_pretrained(twins["i_walt"], "stride"),
        LatentBackbone.from_pretrained(twins["v_walt"]),
    )
    assert not shares_latents(backbone, latents)


def test_rows_are_read_across_chunks():
    values = torch.arange(2 * CHUNK, dtype=torch.float32).view(-1, 1, 1, 1, 1)

    class Chunk:
        frame_spans, shape = torch.tensor([[0, 1]]), (CHUNK, 1, 1, 1, 1)

        def __init__(self, rows):
            self.rows = rows

        def __getitem__(self, index):
            return self.rows[torch.from_numpy(index)]

    rows = np.array([CHUNK + 3, 0, CHUNK - 1, CHUNK, 0])
    found = FeatureRows([Chunk(values[:CHUNK]), Chunk(values[CHUNK:])])(rows)
    assert found.flatten().tolist() == rows.tolist()


def test_a_rendered_split_holds_the_world_s_own_samples(samples, tmp_path):
    from tqdm.auto import tqdm

    split = Split("test", 4, ProbeWorld("test", 1, WORLD).config, tmp_path)
    with WorkPool(1) as pool:
        split.render(pool, tqdm(disable=True))
    stored = {"video": split.videos(), **split.labels(LABELS)}
    for name, values in stored.items():
        expected = np.stack([np.asarray(sample[name]) for sample in samples])
        np.testing.assert_allclose(values, expected, rtol=1e-3 if name == "depth" else 0)
    assert not list(split.path.glob(".*"))


def test_a_split_that_could_not_be_finished_leaves_nothing_behind(tmp_path, monkeypatch):
    from tqdm.auto import tqdm

    split = Split("test", 64, ProbeWorld("test", 1, WORLD).config, tmp_path)
    genuine, calls = ProbeWorld.batch, []

    def dies(world, indices):
        calls.append(indices)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return genuine(world, list(indices)[:2]) * 16

    monkeypatch.setattr(ProbeWorld, "batch", dies)
    with pytest.raises(KeyboardInterrupt), WorkPool(1) as pool:
        split.render(pool, tqdm(disable=True))
    assert not split.is_rendered and not list(split.path.iterdir())


class Oracle:
    """Stands where the end-to-end reference stands, and knows the truth."""

    def __init__(self, samples):
        self.truth = {k: torch.stack([torch.as_tensor(s[k]) for s in samples]) for k in LABELS}

    @staticmethod
    def queries(labels):
        return labels["tracks"][:, :, 0], labels["boxes"][:, :, 0]

    def predict(self, clips, points, boxes):
        assert torch.equal(points, self.truth["tracks"][:, :, 0])
        assert torch.equal(boxes, self.truth["boxes"][:, :, 0])
        kept = {name: self.truth[name] for name in ("depth", "tracks", "visible", "boxes")}
        sizes = {name: len(STUDY_TASKS[name].classes) for name in CLASS_LABELS}
        told = {name: nn.functional.one_hot(self.truth[name], size).float() for name, size in sizes.items()}
        return {**told, **kept, "pose": relative_pose(self.truth["pose"])}


@pytest.mark.parametrize(
    ("task", "perfect"),
    [*((name, 1) for name in (*CLASS_LABELS, "point_tracks", "box_tracks")), ("depth", 0), ("camera_pose", 0)],
)
def test_a_reference_that_knows_the_truth_scores_perfectly_on_the_readouts_columns(samples, videos, task, perfect):
    probe, oracle = get_task(task), Oracle(samples)
    found = answers(oracle, videos, oracle.truth)
    columns = columns_of(task, found, oracle.truth)
    np.testing.assert_allclose(per_sample(probe.metric, columns)[probe.primary], perfect, atol=1e-4)


def threads_and_root(value: int) -> tuple[int, float, int]:
    return torch.get_num_threads(), math.sqrt(value), os.getpid()


def fails(value: int) -> int:
    raise ValueError(f"value must not be {value}")


def test_one_worker_works_here_on_one_thread_and_gives_the_threads_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with WorkPool(1) as pool:
        found = dict(pool.map(threads_and_root, [4, 9]))
    assert found == {0: (1, 2.0, os.getpid()), 1: (1, 3.0, os.getpid())}
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


@pytest.mark.slow
def test_several_workers_are_other_processes_of_one_thread_and_pass_errors_on():
    with WorkPool(2) as pool:
        found = dict(pool.map(threads_and_root, range(6)))
        with pytest.raises(ValueError, match="value must not be 3"):
            list(pool.map(fails, [3]))
    assert [found[i][1] for i in range(6)] == [math.sqrt(i) for i in range(6)]
    assert all(threads == 1 and process != os.getpid() for threads, _, process in found.values())
