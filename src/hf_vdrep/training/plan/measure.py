# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""How fast this machine really is: a few steps of the training, timed."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .denoiser_shape import DenoiserShape
from .jobs import DenoiserJob, TokenizerJob
from .training import Machine
from .work import step_work

# More is measured on fewer layers of the same width.
_MOST_PARAMETERS = 400_000_000
_SQUARE = 2048


def measure_machine(
    job: DenoiserJob | TokenizerJob,
    *,
    seconds: float = 20.0,
    threads: int = 0,
    micro_batch: int | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Machine:
    """The speed at which this machine trains, on its GPU if it has one, else on its CPU.

    Steps are whole: forward, backward, clipping, AdamW, average. The first is not counted.

    Args:
        job: what to train; a very large denoiser is measured on its first layers.
        seconds: to spend, at least two steps.
        threads: of the CPU; 0 leaves torch's choice.
        micro_batch: items of a step; the job's batch, at most 32, if None.
        clock: that times the steps; `time.process_time` leaves out what other programs take of one thread.
    """
    import torch

    if threads:
        torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    batch = micro_batch or min(job.batch_size, 32)
    if isinstance(job, TokenizerJob):
        step, flops = _tokenizer_step(job, batch, device)
    else:
        step, flops = _denoiser_step(job, batch, device)
    took = _time(step, seconds, device, clock)
    fused = device == "cuda"
    note = f"{len(took)} steps of {batch} items, {statistics.median(took):.3g} s each"
    return Machine(1, flops / statistics.fmean(took), "measured", None, ceiling(device), fused, note)


def ceiling(device: str = "cpu") -> float:
    """FLOP/s of a large product in the arithmetic of training, the best of five."""
    import torch

    dtype = torch.bfloat16 if device == "cuda" or torch.cpu._is_avx512_bf16_supported() else torch.float32
    square = torch.randn(_SQUARE, _SQUARE, device=device, dtype=dtype)
    best = min(_time(lambda: square @ square, 0.5, device)[:5])
    return 2 * _SQUARE**3 / best


def _time(
    work: Callable[[], Any], seconds: float, device: str, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    import torch

    took: list[float] = []
    work()
    begin = time.perf_counter()
    while len(took) < 2 or time.perf_counter() - begin < seconds:
        start = clock()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        took.append(clock() - start)
    return took


def _denoiser_step(job: DenoiserJob, batch: int, device: str) -> tuple[Callable[[], None], float]:
    """A step of the objective on random latents, and its FLOPs."""
    import torch

    from ...models import WaltTransformer3DModel
    from ...models.scheduler_walt import make_scheduler
    from ..denoising import DenoisingObjective

    job = _smaller(job)
    config = job.shape.config
    with torch.device(device):
        model = WaltTransformer3DModel(**config)
    if job.checkpointing:
        model.enable_gradient_checkpointing()
    objective = DenoisingObjective(model, make_scheduler()).to(device).train()
    data = _latents(job, batch, device)
    run = _stepper(model, lambda: objective(data)[0], job.half, device)
    work = step_work(
        job.shape,
        image_fraction=_stacks(job, batch) / batch,
        self_condition=round(job.self_condition * batch) / batch,
        checkpointing=job.checkpointing,
        text_length=job.text_length,
    )
    return run, batch * work.hardware


def _smaller(job: DenoiserJob) -> DenoiserJob:
    config = dict(job.shape.config)
    if job.shape.parameters <= _MOST_PARAMETERS:
        return job
    layers = max(2, int(config["num_layers"] * _MOST_PARAMETERS / job.shape.parameters))
    return replace(job, shape=DenoiserShape.of({**config, "num_layers": layers}))


def _stacks(job: DenoiserJob, batch: int) -> int:
    return batch if job.shape.config["objective"] == "image" else round(job.image_fraction * batch)


def _latents(job: DenoiserJob, batch: int, device: str) -> dict[str, Any]:
    """What the objective reads: clips, and stacks of images unrolled."""
    import torch

    shape, stacks = job.shape, _stacks(job, batch)
    channels, (height, width) = shape.config["in_channels"], shape.latent_size
    data: dict[str, Any] = {}
    for kind, count, frames in (("video", batch - stacks, shape.frames), ("image", stacks * shape.frames, 1)):
        if not count:
            continue
        size = (count, channels, frames, height, width)
        data[kind], data[f"{kind}_noise"] = torch.randn(size, device=device), torch.randn(size, device=device)
        data[f"{kind}_timestep"] = torch.randint(0, 1000, (count,), device=device)
        chosen = torch.arange(count, device=device) < round(job.self_condition * count)
        data[f"{kind}_self"] = chosen
        if shape.config["num_classes"] is not None:
            data[f"{kind}_label"] = torch.zeros(count, dtype=torch.long, device=device)
    return data


def _tokenizer_step(job: TokenizerJob, batch: int, device: str) -> tuple[Callable[[], None], float]:
    """A step on the longest clips, and its FLOPs."""
    import torch

    from ...models import AutoencoderWalt
    from ..autoencoder_objective import ReconstructionObjective

    with torch.device(device):
        model = AutoencoderWalt(**job.shape.config).to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    objective = ReconstructionObjective(model, 1.0, 1.0).train()
    longest = max(job.lengths)
    clips = torch.randint(0, 256, (batch, longest, *job.size, 3), dtype=torch.uint8, device=device)
    run = _stepper(model, lambda: objective({"video": clips})[0], True, device)
    return run, batch * job.clip_flops(longest)


def _stepper(model: Any, loss: Callable[[], Any], half: bool, device: str) -> Callable[[], None]:
    """Forward, backward, clipping, fused AdamW, average: what the loop does in a step."""
    import torch

    from ..ema import Ema

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    ema = Ema(model, 0.999)

    def step() -> None:
        with torch.autocast(device, dtype=torch.bfloat16, enabled=half):
            value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        ema.update(model)

    return step
