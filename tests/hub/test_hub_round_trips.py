# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""What was pushed, loaded again by the libraries themselves in processes that know only the Hub's address."""

import json
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard, snapshot_download

from hf_vdrep.hub.cards import snippets
from hf_vdrep.hub.dataset import dataset_plan
from hf_vdrep.hub.model import model_plan
from hf_vdrep.hub.probe import probe_plan, shipped_probes
from hf_vdrep.hub.push import push
from hf_vdrep.hub.space import metric_plan, space_plan
from hf_vdrep.metrics.loading import NAMES

MODEL = """
import sys, torch
from diffusers import DiffusionPipeline
from huggingface_hub import snapshot_download
from pathlib import Path
from safetensors.torch import load_file
from transformers import AutoModel

assert "hf_vdrep" not in sys.modules
model = AutoModel.from_pretrained("me/tiny", trust_remote_code=True)
pipe = DiffusionPipeline.from_pretrained("me/tiny", trust_remote_code=True)
from hf_vdrep.backbones import open_backbone

backbone = open_backbone("me/tiny")
for part in ("vae", "transformer"):
    here = load_file(f"{local}/{part}/diffusion_pytorch_model.safetensors")
    for loaded in (getattr(model, part), getattr(pipe, part), getattr(backbone, part)):
        there = loaded.state_dict()
        assert here.keys() == there.keys() and all(torch.equal(here[name], there[name]) for name in here)
folder = Path(snapshot_download("me/tiny"))
clip = torch.rand(1, 3, 9, 16, 16) * 2 - 1
assert torch.equal(
    model(pixel_values=clip, timestep=50).last_hidden_state,
    AutoModel.from_pretrained(local)(pixel_values=clip, timestep=50).last_hidden_state,
)
pipe.set_progress_bar_config(disable=True)
assert pipe(num_inference_steps=1, output_type="pt").frames.shape == (1, 9, 3, 16, 16)
print(*sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()))
"""


def test_a_pushed_model_loads_through_every_door_with_equal_weights(hub, api, walt, fresh):
    """Fresh process, hf_vdrep not imported: both libraries take the shim; then the backbone by the same id."""
    plan = model_plan(walt, "me/tiny", "me/probeworld")
    push(plan, api)
    found = fresh(f"local = {str(walt / 'pipeline')!r}\n{MODEL}").split()
    assert set(found) - {".gitattributes"} == {file.path for file in plan.files}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["v-walt", "i-walt"])
def test_the_snippets_of_a_models_card_run(hub, api, fresh, name: str):
    plan = model_plan(name, f"me/{name}-tiny", "me/probeworld")
    push(plan, api)
    blocks = snippets(plan.file("README.md").read().decode())
    assert len(blocks) == 3
    fresh("\n".join(blocks))


@pytest.mark.slow
def test_the_snippets_of_every_shipped_probes_card_run(hub, api, fresh):
    for twin in ("v-walt", "i-walt"):
        push(model_plan(twin, f"me/{twin}-tiny", "me/probeworld"), api)
    blocks = []
    for source in shipped_probes():
        twin, task = source.split("/")
        plan = probe_plan(source, f"me/{twin}-{task.replace('_', '-')}", f"me/{twin}-tiny", "me/probeworld")
        push(plan, api)
        blocks += snippets(plan.file("README.md").read().decode())
    assert len(blocks) == len(shipped_probes()) == 10
    fresh("\n".join(blocks))


@pytest.mark.slow
def test_a_pushed_probe_says_what_the_readout_says_here(hub, api, fresh):
    """One transformers model from the Hub, against the shipped readout on the shipped backbone's features."""
    push(probe_plan("v-walt/depth", "me/depth", "me/v-walt-tiny", "me/probeworld"), api)
    fresh("""
import torch
from transformers import AutoModelForDepthEstimation
model = AutoModelForDepthEstimation.from_pretrained("me/depth", trust_remote_code=True)
from hf_vdrep.models import WaltModel, shipped
from hf_vdrep.study.shipped_probes import open_probe
probe = open_probe("v-walt", "depth")
clip = torch.rand(1, 17, 3, 64, 64) * 2 - 1
walt = WaltModel.from_pretrained(shipped.path("v-walt"))
states = walt(pixel_values_videos=clip, timestep=probe.timestep, seed=0, output_hidden_states=[probe.layer + 1])
from hf_vdrep.probes import sub_grid
stride = model.config.depth_stride
_, pixels = sub_grid(64, 64, stride, (stride // 2, stride // 2))
features = states.hidden_states[probe.layer + 1].unflatten(1, (5, 8, 8))
expected = probe.readout(features, pixels, torch.tensor([3])).exp()
found = model(pixel_values_videos=clip).predicted_depth[:, 3].flatten(1)
torch.testing.assert_close(found, expected.flatten(1), rtol=1e-4, atol=1e-5)
""")


@pytest.mark.slow
def test_a_pushed_world_streams_with_equal_rows(hub, api, fresh, tmp_path: Path):
    folder = tmp_path / "world"
    options = ("--clips", "train=6", "--clips", "test=2", "--shard-size", "4", "-q")
    fresh(command=("world", "export", str(folder), *options))
    push(dataset_plan(folder, "me/probeworld"), api)
    fresh(f"""
import datasets
datasets.config.SLEEP_TIME_ON_THREADS_SHUTDOWN = 0
for split, count in (("train", 6), ("test", 2)):
    remote = list(datasets.load_dataset("me/probeworld", split=split, streaming=True))
    local = list(datasets.load_dataset({str(folder)!r}, split=split, streaming=True))
    assert remote == local and len(remote) == count, split
assert datasets.load_dataset("me/probeworld", split="test")["id"] == ["probeworld-test-0", "probeworld-test-1"]
from hf_vdrep.data.probeworld import ProbeWorld
import torch
video = ProbeWorld("train", 6)[5]["video"]
from hf_vdrep.data.probeworld import ExportedProbeWorld
from huggingface_hub import snapshot_download
place = snapshot_download("me/probeworld", repo_type="dataset")
assert torch.equal(ExportedProbeWorld(place, "train")[5]["video"], video)
""")
    (next(folder.glob("data/train-00001*"))).unlink()
    with pytest.raises(ValueError, match="finished export"):
        dataset_plan(folder, "me/probeworld")


@pytest.mark.slow
def test_shards_of_an_earlier_export_do_not_stay(hub, api, fresh, tmp_path: Path):
    """Other shard sizes give other names, and the card's pattern would read both."""
    for size in ("1", "2"):
        folder = tmp_path / f"world-{size}"
        fresh(command=("world", "export", str(folder), "--clips", "test=2", "--shard-size", size, "-q"))
        push(dataset_plan(folder, "me/probeworld"), api)
    tree = hub.store.repos["dataset", "me/probeworld"].at("main").tree
    assert [path for path in tree if path.endswith(".parquet")] == ["data/test-00000-of-00001.parquet"]


@pytest.mark.slow
def test_pushed_metrics_load_by_their_id(hub, api, fresh):
    for name in NAMES:
        push(metric_plan(name, f"me/{name}"), api, public=True)
    fresh(f"""
import evaluate, numpy as np
for name in {NAMES!r}:
    module = evaluate.load(f"me/{{name}}")
    assert module.name == name, module.name
metric = evaluate.load("me/psnr")
original = np.full((5, 8, 8, 3), 100, np.uint8)
metric.add(prediction=original + np.uint8(1), reference=original)
assert abs(metric.compute()["psnr"] - 20 * np.log10(255)) < 1e-9
""")


@pytest.mark.slow
def test_the_app_of_a_metrics_space_computes(hub, api, fresh, tmp_path: Path):
    plan = metric_plan("top_k_accuracy", "me/top_k_accuracy")
    for file in plan.files:
        (tmp_path / "space").mkdir(exist_ok=True)
        (tmp_path / "space" / file.path).write_bytes(file.read())
    fresh(f"""
import runpy
app = runpy.run_path({str(tmp_path / "space" / "app.py")!r})
result, words = app["compute"]("[[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]", "[1, 1, 0]", '{{"top_k": [1]}}')
assert abs(result["top_1"] - 1 / 3) < 1e-12 and words == "", (result, words)
for given in (("[[0.1", "[1]", "{{}}"), ("[[1, 2]]", "[7]", ""), ("[]", "[]", "{{}}")):
    result, words = app["compute"](*given)
    assert result == {{}} and words, given
""")


def test_a_space_goes_as_it_lies_there(hub, api, tmp_path: Path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "README.md").write_text("---\ntitle: Demo\nsdk: gradio\nlicense: apache-2.0\n---\nHello.\n")
    (tmp_path / "app.py").write_text("import gradio\n")
    (tmp_path / "assets" / "a.png").write_bytes(b"\x89PNG" + bytes(200))
    plan = space_plan(tmp_path, "me/demo")
    push(plan, api)
    repo = hub.store.repos["space", "me/demo"]
    tree = repo.at("main").tree
    assert repo.sdk == "gradio" and repo.private
    assert {path: hub.store.content(tree[path]) for path in tree if path != ".gitattributes"} == {
        file.path: file.read() for file in plan.files
    }
    assert api.get_space_runtime("me/demo").stage == "BUILDING"
    (tmp_path / "app.py").unlink()
    with pytest.raises(ValueError, match=r"app_file app\.py"):
        space_plan(tmp_path, "me/demo")


def test_the_demos_space_is_accepted_and_comes_back_with_equal_bits(hub, api, tmp_path: Path):
    folder = Path(__file__).resolve().parents[2] / "spaces" / "feature-comparison"
    SpaceCard((folder / "README.md").read_text()).validate()
    push(space_plan(folder, "me/feature-comparison"), api)
    options = {"endpoint": hub.endpoint, "token": api.token, "cache_dir": tmp_path}
    place = Path(snapshot_download("me/feature-comparison", repo_type="space", **options))
    found = {path.relative_to(place) for path in place.rglob("*") if path.is_file()} - {Path(".gitattributes")}
    assert found >= {Path("app.py"), Path("README.md"), Path("requirements.txt")}
    assert all((place / path).read_bytes() == (folder / path).read_bytes() for path in found)


@pytest.mark.slow
def test_everything_by_the_command_then_a_collection(hub, fresh, tmp_path: Path):
    """Twins, their probes and all metrics, one commit each, private, then gathered; again: nothing changes."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "README.md").write_text("---\ntitle: Demo\nsdk: static\n---\nHello.\n")
    command = ("push", "all", "--json", "-q", "--space", str(tmp_path / "demo"))
    done = json.loads(fresh(command=command))
    *repos, collection = done
    assert all(entry["changed"] for entry in repos)
    assert len(repos) == len(hub.store.repos) == 2 + len(shipped_probes()) + len(NAMES) + 1
    assert all(repo.private and len(repo.commits) == 2 for repo in hub.store.repos.values())
    gathered = hub.store.collections[collection["collection"]]
    assert gathered["private"] and len(gathered["items"]) == len(repos)
    again = json.loads(fresh(command=command))
    assert not any(entry["changed"] for entry in again[:-1]) and again[-1] == collection
