# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The folder on disk: what is written, what is refused, and what a crash leaves."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hf_vdrep.models import ModelFolderError, WaltModel, WaltPipeline, check_folder
from hf_vdrep.models.folder_writing import staged_folder

VAE = "vae/diffusion_pytorch_model.safetensors"
DENOISER = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(saved, tmp_path / "walt"))


def test_the_folder_holds_each_tensor_once(saved: Path):
    """One set of weights, two faces: the index points into the component folders."""
    files = {file.relative_to(saved).as_posix() for file in saved.rglob("*") if file.is_file()}
    assert files == {
        *("model_index.json", "config.json", "model.safetensors.index.json", "scheduler/scheduler_config.json"),
        *("preprocessor_config.json", "video_preprocessor_config.json"),
        *("hf_vdrep_shim.py", "vae/hf_vdrep.py", "transformer/hf_vdrep.py"),
        *("vae/config.json", VAE, "transformer/config.json", DENOISER),
    }
    weight_map = json.loads((saved / "model.safetensors.index.json").read_text())["weight_map"]
    tensors = {name: file for file in (VAE, DENOISER) for name in load_file(saved / file)}
    assert weight_map == tensors


def test_diffusers_finds_the_components_by_their_package(saved: Path):
    index = json.loads((saved / "model_index.json").read_text())
    assert index["_class_name"] == ["hf_vdrep_shim", "WaltPipeline"]
    assert index["vae"] == ["hf_vdrep", "AutoencoderWalt"]
    assert index["transformer"] == ["hf_vdrep", "WaltTransformer3DModel"]


def test_root_config_repeats_the_components_configs(saved: Path):
    config = json.loads((saved / "config.json").read_text())
    assert (config["model_type"], config["architectures"], config["dtype"]) == ("walt", ["WaltModel"], "float32")
    for key, name in (("vae_config", "vae/config.json"), ("transformer_config", "transformer/config.json")):
        component = json.loads((saved / name).read_text())
        assert config[key] == {k: v for k, v in component.items() if not k.startswith("_")}


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def scramble(path: Path) -> None:
    path.write_bytes(b"\xff" * 64)


def list_of_nothing(path: Path) -> None:
    path.write_text("[]")


@pytest.mark.parametrize(
    ("name", "harm", "message"),
    [
        ("model_index.json", Path.unlink, "model_index.json is missing"),
        ("vae/config.json", truncate, "vae/config.json must be a JSON file, got"),
        ("transformer/config.json", list_of_nothing, "must hold a JSON object, got list"),
        (VAE, Path.unlink, f"{VAE} is missing"),
        (DENOISER, truncate, f"{DENOISER} must be a whole safetensors file, got .* bytes where the header announces"),
        (DENOISER, scramble, "must be a whole safetensors file, got a header of"),
        (VAE, lambda path: path.write_bytes(b""), "must be a whole safetensors file, got 0 bytes"),
        (VAE, lambda path: path.write_bytes(b"\x02" + b"\0" * 7 + b"{]"), "a header that is not safetensors JSON"),
    ],
)
def test_a_broken_folder_is_refused_in_one_line_by_both_faces(
    folder: Path, name: str, harm: Callable[[Path], None], message: str
):
    harm(folder / name)
    for load in (check_folder, WaltPipeline.from_pretrained, WaltModel.from_pretrained):
        with pytest.raises(ModelFolderError, match=message) as caught:
            load(folder)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("load", [check_folder, WaltPipeline.from_pretrained, WaltModel.from_pretrained])
def test_a_missing_folder_is_named(load: Callable, tmp_path: Path):
    with pytest.raises(ModelFolderError, match=r"must be an existing folder, got .*/nothing \(nothing there\)"):
        load(str(tmp_path / "nothing"))
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ModelFolderError, match=r"\(a file\)"):
        load(str(file))


def test_sharded_weights_are_indexed_and_load_on_both_faces(pipeline: WaltPipeline, tmp_path: Path):
    pipeline.save_pretrained(tmp_path / "walt", max_shard_size="20KB")
    files = set(json.loads((tmp_path / "walt/model.safetensors.index.json").read_text())["weight_map"].values())
    assert len(files) > 2 and all((tmp_path / "walt" / file).is_file() for file in files)
    expected = pipeline.transformer.state_dict()
    for loaded in (WaltPipeline.from_pretrained(tmp_path / "walt"), WaltModel.from_pretrained(tmp_path / "walt")):
        torch.testing.assert_close(loaded.transformer.state_dict(), expected, rtol=0, atol=0)


def test_saving_again_leaves_other_files_and_no_old_shards(pipeline: WaltPipeline, tmp_path: Path):
    target = tmp_path / "walt"
    pipeline.save_pretrained(target, max_shard_size="20KB")
    (target / "README.md").write_text("card")
    pipeline.save_pretrained(target)
    assert sorted(file.name for file in (target / "vae").glob("diffusion*")) == [Path(VAE).name]
    assert (target / "README.md").read_text() == "card"
    check_folder(target)


def test_a_crash_while_saving_leaves_the_old_folder_and_no_other(
    pipeline: WaltPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    target = tmp_path / "walt"
    pipeline.save_pretrained(target)
    before = {file: file.read_bytes() for file in target.rglob("*") if file.is_file()}
    monkeypatch.setattr("hf_vdrep.models.pipeline_folder.write_transformers_face", lambda *_: 1 / 0)
    with torch.no_grad():
        pipeline.transformer.proj_out.weight.add_(1.0)
    for folder in (target, tmp_path / "new"):
        with pytest.raises(ZeroDivisionError):
            pipeline.save_pretrained(folder)
    assert {file: file.read_bytes() for file in target.rglob("*") if file.is_file()} == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["walt"]


def test_a_place_that_is_no_folder_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        expected = pytest.raises(ModelFolderError, match=r"save_directory must be a writable folder, got .*/file")
        with expected, staged_folder(target):
            pass


def test_only_safetensors_are_written(pipeline: WaltPipeline, tmp_path: Path):
    with pytest.raises(ValueError, match="safe_serialization must be True, got False"):
        pipeline.save_pretrained(tmp_path, safe_serialization=False)


def test_half_precision_on_disk_loads_as_full_precision_on_both_faces(pipeline: WaltPipeline, tmp_path: Path):
    """The shipped weights are stored in float16; computing in it on a CPU would be slow and coarse."""
    pipeline.save_pretrained(tmp_path / "walt", storage_dtype=torch.float16)
    stored = load_file(tmp_path / "walt" / DENOISER)
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    for loaded in (WaltPipeline.from_pretrained(tmp_path / "walt"), WaltModel.from_pretrained(tmp_path / "walt")):
        assert {p.dtype for p in loaded.transformer.parameters()} == {torch.float32}
        assert {p.dtype for p in loaded.vae.parameters()} == {torch.float32}
        rounded = pipeline.transformer.proj_out.weight.half().float()
        torch.testing.assert_close(loaded.transformer.proj_out.weight.data, rounded, rtol=0, atol=0)
    half = WaltModel.from_pretrained(tmp_path / "walt", dtype=torch.float16)
    assert half.dtype == torch.float16


def test_weights_of_another_shape_are_refused(folder: Path):
    tensors = load_file(folder / DENOISER)
    tensors["proj_out.weight"] = tensors["proj_out.weight"][:2].clone()
    save_file(tensors, folder / DENOISER, metadata={"format": "pt"})
    for load in (WaltPipeline.from_pretrained, WaltModel.from_pretrained):
        with pytest.raises((ValueError, RuntimeError), match=r"proj_out\.weight|size mismatch|mismatch"):
            load(folder)


def test_pushing_uploads_the_whole_folder_after_it_is_written(
    pipeline: WaltPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """diffusers would upload before the transformers face exists (ecosystem note §1)."""
    from types import SimpleNamespace

    uploads = []
    module = "hf_vdrep.models.pipeline_folder"
    monkeypatch.setattr(f"{module}.create_repo", lambda repo_id, **_: SimpleNamespace(repo_id=f"me/{repo_id}"))
    monkeypatch.setattr(f"{module}.load_or_create_model_card", lambda *_, **__: None)
    monkeypatch.setattr(
        f"{module}.populate_model_card", lambda _: SimpleNamespace(save=lambda path: Path(path).write_text("card"))
    )
    monkeypatch.setattr(
        pipeline,
        "_upload_folder",
        lambda folder, repo_id, **_: uploads.append((repo_id, {file.name for file in Path(folder).iterdir()})),
        raising=False,
    )
    pipeline.save_pretrained(tmp_path / "walt", push_to_hub=True)
    ((repo_id, names),) = uploads
    assert repo_id == "me/walt"
    assert {"config.json", "model.safetensors.index.json", "model_index.json", "README.md"} <= names
