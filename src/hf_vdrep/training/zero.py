# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""DeepSpeed's ZeRO 1 and 2 under the loop's own verdicts: moments (and gradients) are divided among the processes.

Weights stay whole and float32 on every process; lower precision is autocast, as without DeepSpeed. Checkpoints hold
whole tensors, so that a run may go on with or without ZeRO.
"""

from collections.abc import Iterator
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from .loop_config import LoopConfig
from .state import Tensors


class ZeroEngine:
    """An objective and its optimizer inside DeepSpeed's engine.

    Args:
        objective: what is called; `model` inside has the parameters.
        optimizer: torch's, over whole parameters; its groups are kept, so that a schedule may hold on to it.
        config: clipping and the number of micro-batches.
        accelerator: its precision, and of its DeepSpeed plugin the stage.

    Raises:
        ValueError: a stage other than 1 and 2, offloading, or fp16.
    """

    def __init__(
        self, objective: nn.Module, optimizer: torch.optim.Optimizer, config: LoopConfig, accelerator: Accelerator
    ) -> None:
        import deepspeed

        stage = asked_stage(accelerator.state.deepspeed_plugin, config)
        # DeepSpeed takes no empty group; parameters keep the numbers that they have in a plain run's checkpoint.
        optimizer.param_groups[:] = [group for group in optimizer.param_groups if group["params"]]
        self.optimizer = optimizer
        self.engine, *_ = deepspeed.initialize(
            model=_Autocast(objective, accelerator.device.type, config.mixed_precision == "bf16"),
            optimizer=optimizer,
            dist_init_required=False,
            config={
                "train_micro_batch_size_per_gpu": config.batch_size // accelerator.num_processes // config.accumulation,
                "gradient_accumulation_steps": config.accumulation,
                "gradient_clipping": config.clip_norm,
                "zero_optimization": {"stage": stage, "overlap_comm": False},
                "zero_allow_untested_optimizer": True,
            },
        )
        self.zero: Any = self.engine.optimizer
        self._check_layout()

    def expect(self, *, last: bool) -> None:
        """Before each micro-batch: the last of a step reduces the gradients."""
        self.engine.set_gradient_accumulation_boundary(last)

    def backward(self, loss: torch.Tensor) -> None:
        """Gradients of a loss that is already divided by the number of micro-batches."""
        self.engine.backward(loss, scale_wrt_gas=False)

    def norm(self) -> float:
        """Norm of the reduced gradient, before clipping; not finite where the gradient is not.

        DeepSpeed's own norm hides that: it counts a group that is not finite as -1 among the others.
        """
        parts = [part for group in self.zero.averaged_gradients.values() for part in group or ()]
        device = parts[0].device if parts else self.engine.device
        total = torch.zeros((), dtype=torch.float64, device=device)
        for part in parts:
            total += part.detach().double().square().sum()
        torch.distributed.all_reduce(total)
        return float(total.sqrt())

    def step(self) -> None:
        """Clip, step on this process's part, gather the weights."""
        self.engine.step()

    def drop(self) -> None:
        """Forget the gradients of a step that is not taken, as DeepSpeed does after an overflow."""
        self.zero.zero_grad(set_to_none=True)
        for group in self.zero.averaged_gradients:
            self.zero.averaged_gradients[group] = None
            self.zero.all_grad_tensors[group] = None

    def pack(self) -> tuple[Tensors, list[dict[str, Any]]]:
        """`state.pack_optimizer` of the whole optimizer; every process must call it."""
        tensors: Tensors = {}
        for first, members, part in self._groups():
            for key, value in self.optimizer.state[part].items():
                whole = _whole(value, members) if value.ndim else [value.clone() for _ in members]
                tensors.update({f"{first + number}.{key}": one for number, one in enumerate(whole)})
        return tensors, self._scalars()

    def unpack(self, tensors: Tensors, groups: list[dict[str, Any]]) -> None:
        """Inverse of `pack`, also of a plain run's `state.pack_optimizer`; takes over the model's weights as well."""
        self.zero.refresh_fp32_params()
        for group, saved in zip(self.optimizer.param_groups, [g for g in groups if g["params"]], strict=True):
            group.update({name: value for name, value in saved.items() if name != "params"})
        for first, members, part in self._groups():
            keys = sorted({name.partition(".")[2] for name in tensors if name.startswith(f"{first}.")})
            for key in keys:
                values = [tensors[f"{first + number}.{key}"] for number in range(len(members))]
                flat = values[0].clone() if values[0].shape != members[0].shape else _part(values, part)
                self.optimizer.state[part][key] = flat.to(part.device)

    def _groups(self) -> Iterator[tuple[int, list[nn.Parameter], torch.Tensor]]:
        """(Number of the first parameter, parameters, the flat part that this process steps) of every group."""
        first = 0
        for members, group in zip(self.zero.bit16_groups, self.optimizer.param_groups, strict=True):
            yield first, list(members), group["params"][0]
            first += len(members)

    def _scalars(self) -> list[dict[str, Any]]:
        scalars = []
        for (first, members, _), group in zip(self._groups(), self.optimizer.param_groups, strict=True):
            own = {name: value for name, value in group.items() if name != "params"}
            scalars.append({**own, "params": list(range(first, first + len(members)))})
        return scalars

    def _check_layout(self) -> None:
        """The flat parts, one process after the other, are the parameters of a group, one after the other."""
        for _, members, part in self._groups():
            found = _whole(part.detach(), members)
            if not all(torch.equal(a, b) for a, b in zip(found, members, strict=True)):
                raise ValueError("deepspeed must lay parameters out in their order, got a version that does not")


def _whole(part: torch.Tensor, members: list[nn.Parameter]) -> list[torch.Tensor]:
    """Tensors of the members' shapes out of the flat parts of all processes."""
    parts = [torch.empty_like(part) for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather(parts, part.contiguous())
    flat = torch.cat(parts)[: sum(member.numel() for member in members)]
    pieces = flat.split([member.numel() for member in members])
    return [piece.view(member.shape).clone() for piece, member in zip(pieces, members, strict=True)]


def _part(values: list[torch.Tensor], like: torch.Tensor) -> torch.Tensor:
    """This process's flat part of whole tensors; what is behind them is padding."""
    flat = torch.cat([value.flatten() for value in values])
    room = torch.zeros(like.numel() * torch.distributed.get_world_size(), dtype=flat.dtype)
    room[: len(flat)] = flat
    return room.view(-1, like.numel())[torch.distributed.get_rank()].clone()


class _Autocast(nn.Module):
    """Accelerate leaves precision to DeepSpeed, which would round the weights themselves."""

    def __init__(self, objective: nn.Module, device: str, enabled: bool) -> None:
        super().__init__()
        self.objective, self.device, self.enabled = objective, device, enabled

    def forward(self, batch: dict[str, Any]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        with torch.autocast(self.device, torch.bfloat16, enabled=self.enabled):
            loss, figures = self.objective(batch)
        return loss.float(), figures


def asked_stage(plugin: Any, config: LoopConfig) -> int:
    """The ZeRO stage of Accelerate's `DeepSpeedPlugin`.

    Raises:
        ValueError: a stage other than 1 and 2, offloading, or fp16.
    """
    asked = plugin.deepspeed_config.get("zero_optimization", {})
    stage = int(asked.get("stage", 0))
    if stage not in (1, 2):
        raise ValueError(f"zero_stage must be 1 or 2, got {stage}; fsdp2.yaml divides the weights as well")
    for name in ("offload_optimizer", "offload_param"):
        device = (asked.get(name) or {}).get("device", "none")
        if device not in (None, "none"):
            raise ValueError(f"{name}_device must be none, got {device}")
    if config.mixed_precision == "fp16":
        raise ValueError("mixed_precision must be no or bf16 with DeepSpeed, got fp16")
    return stage
