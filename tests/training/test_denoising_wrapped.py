# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The denoising objective under activation checkpointing, compilation, DDP and FSDP2: the same loss and gradients."""

import pytest
import torch
from torch import nn

from hf_vdrep.models import WaltTransformer3DModel, make_scheduler
from hf_vdrep.training.denoising import DenoisingObjective

SHAPE = {
    "in_channels": 4,
    "num_layers": 3,
    "num_attention_heads": 2,
    "attention_head_dim": 8,
    "sample_size": 4,
    "spatial_window": [4, 4],
    "spatiotemporal_window": [2, 2],
    "num_classes": 3,
    "frame_conditioning": True,
}


def make_model() -> WaltTransformer3DModel:
    torch.manual_seed(0)
    model = WaltTransformer3DModel(**SHAPE)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.1)
    return model


def make_batch(part: int = 0, parts: int = 1) -> dict:
    """Clips and images, some with a first estimate, labels, hidden ones and given frames: every path at once."""
    torch.manual_seed(1)
    batch = {}
    for kind, size, frames in (("video", 2, 5), ("image", 4, 1)):
        batch[kind], batch[f"{kind}_noise"] = torch.randn(2, size, 4, frames, 4, 4)
        batch[f"{kind}_timestep"] = torch.randint(0, 1000, (size,))
        batch[f"{kind}_self"] = torch.arange(size) % 2 == 0
        batch[f"{kind}_label"] = torch.arange(size) % 3
        batch[f"{kind}_hidden"] = torch.arange(size) % 2 == 1
    batch["video_given"] = torch.arange(5)[None] < torch.tensor([[1], [2]])
    return {name: value[part::parts] for name, value in batch.items()}


def make_uneven_batch(part: int = 0, parts: int = 1) -> dict:
    """A batch whose first part has clips alone and whose second part has images alone, without first estimates."""
    batch = make_batch()
    batch["image_self"] = torch.zeros(4, dtype=torch.bool)
    if parts == 1:
        return batch
    return {name: value for name, value in batch.items() if name.startswith(("video", "image")[part])}


def loss_and_gradients(model: WaltTransformer3DModel, wrapped: nn.Module | None = None, **batch) -> tuple:
    objective = wrapped or DenoisingObjective(model, make_scheduler())
    loss = objective(batch or make_batch())[0]
    loss.backward()
    return loss.detach(), {name: parameter.grad for name, parameter in model.named_parameters()}


def same(one: tuple, other: tuple, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    torch.testing.assert_close(one[0], other[0], rtol=rtol, atol=atol)
    assert one[1].keys() == other[1].keys()
    for name, gradient in one[1].items():
        torch.testing.assert_close(gradient, other[1][name], rtol=rtol, atol=atol, msg=lambda m, n=name: f"{n}: {m}")


def test_activation_checkpointing_changes_neither_loss_nor_gradients():
    plain, checkpointed = make_model(), make_model()
    checkpointed.enable_gradient_checkpointing()
    same(loss_and_gradients(plain), loss_and_gradients(checkpointed), rtol=0, atol=0)


def test_every_parameter_gets_a_gradient_from_a_mixed_batch():
    assert all(gradient is not None for gradient in loss_and_gradients(make_model())[1].values())


@pytest.mark.slow
def test_compiled_blocks_give_the_same_loss_and_gradients():
    plain, compiled = make_model(), make_model()
    compiled.compile_repeated_blocks()
    same(loss_and_gradients(plain), loss_and_gradients(compiled), rtol=1e-4, atol=1e-5)


def _train_in_two(rank: int, folder: str, way: str, make) -> None:
    import torch.distributed as dist
    from torch.distributed.fsdp import fully_shard
    from torch.nn.parallel import DistributedDataParallel

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/{way}", rank=rank, world_size=2)
    model = make_model()
    objective: nn.Module = DenoisingObjective(model, make_scheduler(), kinds=("video", "image"))
    if way == "ddp":
        objective = DistributedDataParallel(objective, find_unused_parameters=True)
    else:
        for block in model.blocks:
            fully_shard(block)
        fully_shard(objective)
    found = loss_and_gradients(model, objective, **make(rank, 2))
    loss = found[0].clone()
    dist.all_reduce(loss)
    whole = {name: getattr(value, "full_tensor", lambda value=value: value)() for name, value in found[1].items()}
    if rank == 0:
        torch.save((loss / 2, whole), f"{folder}/{way}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["ddp", "fsdp2"])
def test_two_processes_give_the_gradients_of_one(tmp_path, way):
    """Several passes through the model in one forward, some without gradient, are one forward to the wrapper.

    A part without first estimates still goes through the model as often as the other part: FSDP counts on it.
    """
    torch.multiprocessing.spawn(_train_in_two, (str(tmp_path), way, make_batch), nprocs=2)
    same(torch.load(tmp_path / f"{way}.pt"), loss_and_gradients(make_model()), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_under_fsdp_a_process_may_lack_a_kind_of_sample(tmp_path):
    torch.multiprocessing.spawn(_train_in_two, (str(tmp_path), "fsdp2", make_uneven_batch), nprocs=2)
    found = torch.load(tmp_path / "fsdp2.pt")
    parts = [loss_and_gradients(make_model(), **make_uneven_batch(part, 2)) for part in range(2)]
    torch.testing.assert_close(found[0], (parts[0][0] + parts[1][0]) / 2, rtol=1e-4, atol=1e-5)
    for name, gradient in found[1].items():
        halves = [part[1][name] for part in parts if part[1][name] is not None]
        torch.testing.assert_close(gradient, sum(halves) / 2, rtol=1e-4, atol=1e-5)
