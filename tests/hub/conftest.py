# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A Hub of our own, clients of it, and small things to push."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.utils import _http
from loopback.server import TOKEN, Loopback

from hf_vdrep.hub.plan import PlannedFile, PushPlan, make_plan


@pytest.fixture(scope="session")
def server() -> Iterator[Loopback]:
    """One server per test process, on a free port."""
    running = Loopback().start()
    yield running
    running.stop()


@pytest.fixture
def hub(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """The server, empty, with this process's client pointed to it as its environment would."""
    for part in (server.store.repos, server.store.large, server.store.small, server.store.collections):
        part.clear()
    server.wire.journal.clear()
    monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)
    template = server.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(_http.time, "sleep", lambda seconds: None)  # the pauses between retries
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return server


@pytest.fixture
def api(hub: Loopback) -> HfApi:
    """The owner's client; "me" is the user."""
    return HfApi(endpoint=hub.endpoint, token=TOKEN)


@pytest.fixture
def stranger(hub: Loopback) -> HfApi:
    """Somebody else's client."""
    return HfApi(endpoint=hub.endpoint, token="hf_somebody")


@pytest.fixture
def plan(tmp_path: Path) -> PushPlan:
    """Three large objects and two small files."""
    for index in range(3):
        (tmp_path / f"part-{index}.safetensors").write_bytes(bytes([index]) * (1000 + index))
    files = [PlannedFile(f"weights/{path.name}", path) for path in sorted(tmp_path.glob("*.safetensors"))]
    card = b"---\nlicense: apache-2.0\n---\n\n# Thing\n"
    files += [PlannedFile("README.md", card), PlannedFile("config.json", b"{}\n")]
    about = {"kind": "model", "repo_id": "me/thing", "repo_type": "model", "message": "Upload thing"}
    return make_plan(files, **about, replaces=("weights/*.safetensors",))


@pytest.fixture(scope="session")
def walt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny V-WALT with random weights, in a run folder with settings, log and figures; do not change it."""
    import torch

    from hf_vdrep.models import AutoencoderWalt, WaltPipeline, WaltTransformer3DModel, make_scheduler

    torch.set_num_threads(1)
    torch.manual_seed(0)
    run = tmp_path_factory.mktemp("run") / "tiny"
    vae = AutoencoderWalt(
        block_out_channels=(4, 4, 4, 4), layers_per_block=1, mid_block_layers=1, norm_num_groups=2, latent_channels=4
    )
    denoiser = WaltTransformer3DModel(
        in_channels=4, num_layers=2, num_attention_heads=2, attention_head_dim=4, sample_size=2, sample_frames=3,
        spatial_window=(2, 2), spatiotemporal_window=(2, 2),
    )  # fmt: skip
    for parameter in denoiser.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    WaltPipeline(vae, denoiser, make_scheduler()).save_pretrained(run / "pipeline")
    (run / "config.yaml").write_text("batch_size: 4\nlr: 0.001\ntrain_split: train\n")
    (run / "summary.json").write_text('{"steps": 12, "clips": 48, "seconds": 60.0, "v_loss": 0.5}\n')
    return run


@pytest.fixture
def fresh(hub: Loopback, tmp_path: Path) -> Callable[..., str]:
    """Runs a script, or a command of hf-vdrep, in a process of its own whose Hub is the server; gives its output."""
    environment = os.environ | hub.environment(str(tmp_path / "hf")) | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    environment["HF_MODULES_CACHE"] = str(tmp_path / "modules")

    def run(script: str = "", *, command: tuple[str, ...] = (), expect: int = 0, **changes: str) -> str:
        words = [sys.executable, "-c", script] if script else [sys.executable, "-m", "hf_vdrep.cli.main", *command]
        done = subprocess.run(words, capture_output=True, text=True, env=environment | changes, check=False)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + (done.stderr if expect else "")

    return run
