# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Plans of the published models against arithmetic on paper."""

import pytest

from hf_vdrep.training.plan.extraction import plan_extraction
from hf_vdrep.training.plan.hardware import find_gpu
from hf_vdrep.training.plan.paper import twin_job, ways
from hf_vdrep.training.plan.sized import extractor_of, size_job
from hf_vdrep.training.plan.task_data import TASK_DATA
from hf_vdrep.training.plan.training import Machine, disk_figures, memory_table, time_figures, work_figures


def values(figures):
    return {figure.name: figure.value for figure in figures}


def blocks(width, layers, text=False):
    """FLOPs of the blocks on 5 x 16 x 16 tokens: 12 d^2 weights a token, windows of 256 and 5 x 64 tokens in turn."""
    products = 2 * 1280 * 12 * width**2 * layers
    attention = 4 * 1280 * width * (256 + 320) * layers // 2
    # Queries and output of the tokens, keys and values of them and of 5 times 128 tokens of text.
    reading = 2 * (1280 + 1280 + 640) * 2 * width**2 + 4 * 1280 * (256 + 128) * width if text else 0
    return products + attention + reading * layers


def test_walt_l_by_hand():
    """WALT Table 8, K600: 24 x 1024, 274,000 steps of 512; forward, twice that backward, and 0.9 of it estimated."""
    job = size_job("walt-l-k600")
    work = values(work_figures(job))
    assert work["parameters"] == pytest.approx(313e6, rel=5e-3)
    assert work["forward"] == pytest.approx(blocks(1024, 24), rel=1e-3)
    assert work["training of an item"] == pytest.approx(3.9 * blocks(1024, 24), rel=1e-3)
    assert work["training"] == pytest.approx(274_000 * 512 * 3.9 * blocks(1024, 24), rel=1e-3)
    hours = values(time_figures(job, Machine.of(find_gpu("h100"), 8, 0.45), "ddp"))["training time"] / 3600
    assert hours == pytest.approx(work["training"] / (8 * 0.45 * 989.4e12) / 3600)
    disk = values(disk_figures(job, 8))
    assert disk["checkpoint"] == pytest.approx(16 * 312.9e6, rel=2e-3), "weights, average and two moments, float32"


@pytest.mark.parametrize("name, width, layers", [("v-walt-284m", 1024, 16), ("v-walt-1.9b", 2048, 28)])
def test_the_study_s_twins_by_hand(name, width, layers):
    """2502.07001 gives the parameters, which 16 d^2 a layer with text fits; 550,000 steps of 512 clips are WALT's."""
    work = values(work_figures(twin_job(name)))
    assert work["parameters"] == pytest.approx(16 * width**2 * layers, rel=0.06)
    assert work["training"] == pytest.approx(550_000 * 512 * 3.9 * blocks(width, layers, text=True), rel=3e-3)
    assert work["items"] * 1280 == pytest.approx(360.4e9, rel=1e-3)


def test_a_step_waits_for_the_gpu_with_the_most_items():
    """512 clips on 1,024 GPUs take as long as on 512, and 96 on 64 as 128: a clip cannot be halved."""
    job = twin_job("v-walt-1.9b")
    times = [values(time_figures(job, Machine.of(find_gpu("h100"), count), "fsdp2")) for count in (512, 1024)]
    compute = [found["step"] - found["exposed communication"] for found in times]
    assert compute[0] == pytest.approx(compute[1]) == ways(job, find_gpu("h100"), 1024, 0.4)[1].time.compute
    uneven, even = (twin_job("v-walt-1.9b", batch_size=size) for size in (96, 128))
    plans = [memory_table(item, Machine.of(find_gpu("h100"), 64)).rows for item in (uneven, even)]
    assert [row[2] for row in plans[0]] == [row[2] for row in plans[1]] == [2] * 4


@pytest.mark.parametrize("name", TASK_DATA)
def test_features_of_every_data_set_by_hand(name):
    """5 x 16 x 16 tokens of a clip, 16 x 16 of an image, 1,024 numbers of two bytes each; latents of 8 floats."""
    data = TASK_DATA[name]
    machine = Machine.of(find_gpu("h100"), 1, 0.4)
    plan = plan_extraction(extractor_of("v-walt-284m", 17, None), [data], machine, layers=[10], levels=3)
    row = dict(
        zip([column[0] for column in plan.tables["extraction"].columns], plan.tables["extraction"].rows[0], strict=True)
    )
    tokens = 256 if data.frames == 1 else 1280
    assert row["features"] == 3 * data.samples * tokens * 1024 * 2
    assert row["latents"] == data.samples * tokens * 8 * 4
    assert row["time"] == pytest.approx(row["work"] / (0.4 * 989.4e12)) == row["GPU hours"] * 3600
    if data.frames > 1:
        depth = blocks(1024, 11, text=True) + 4 * 1280 * 1024 * (256 - 320) // 2  # eleven: six of them spatial
        tokenizer = 4.44e12
        assert row["work"] == pytest.approx(data.samples * (tokenizer + 3 * depth), rel=5e-3)
