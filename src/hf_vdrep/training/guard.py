# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which steps are not taken: NaN, infinity, and (as an option) spikes of loss or gradient."""

import math
import statistics
from collections import deque
from typing import Any


class Guard:
    """Judges each step from the loss and gradient norm of the whole batch, so that every process decides alike.

    Args:
        patience: the training stops at this many steps in a row with NaN or infinity; 0 or 1: at the first.
        spike_factor: skip where loss or gradient norm exceeds this many times the running median; 0: never.
        window: good steps behind the median. No step is judged before a quarter of them.

    After `patience` spikes in a row the next is taken: then the level has changed, and waiting would never end.
    """

    def __init__(self, patience: int = 3, spike_factor: float = 0.0, window: int = 100) -> None:
        self.patience, self.spike_factor = patience, spike_factor
        self.skipped = self.broken = self.spikes = 0
        self.losses: deque[float] = deque(maxlen=window)
        self.norms: deque[float] = deque(maxlen=window)

    def judge(self, loss: float, norm: float) -> str | None:
        """Why this step must be skipped, or None for a good one; either way it is remembered."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            self.broken += 1
            self.skipped += 1
            return f"loss must stay finite, got loss {loss} and gradient norm {norm}"
        self.broken = 0
        reason = self._spike(loss, norm)
        if reason is not None and self.spikes < max(self.patience, 1):
            self.spikes += 1
            self.skipped += 1
            return reason
        self.spikes = 0
        if self.spike_factor:
            self.losses.append(loss)
            self.norms.append(norm)
        return None

    @property
    def exhausted(self) -> bool:
        """Whether so many steps in a row had NaN or infinity that training must stop."""
        return self.broken >= max(self.patience, 1)

    def _spike(self, loss: float, norm: float) -> str | None:
        if not self.spike_factor or len(self.losses) < math.ceil((self.losses.maxlen or 0) / 4):
            return None
        for name, value, past in (("loss", loss, self.losses), ("gradient norm", norm, self.norms)):
            usual = statistics.median(past)
            if usual > 0 and value > self.spike_factor * usual:
                return f"{name} must stay below {self.spike_factor:g} x its median {usual:.4g}, got {value:.4g}"
        return None

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs."""
        counts = {name: getattr(self, name) for name in ("skipped", "broken", "spikes")}
        return {**counts, "losses": list(self.losses), "norms": list(self.norms)}

    def load(self, state: dict[str, Any]) -> None:
        """Inverse of `state`."""
        for name in ("skipped", "broken", "spikes"):
            setattr(self, name, int(state[name]))
        for past, values in ((self.losses, state["losses"]), (self.norms, state["norms"])):
            past.clear()
            past.extend(values)
