# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Which models visitors may use, and that remembering changes nothing."""

from pathlib import Path

import pytest
import torch

from hf_vdrep.app.memo import Memory, RememberingBackbone
from hf_vdrep.app.settings import AppSettings
from hf_vdrep.app.shelf import Shelf, check_size
from hf_vdrep.backbones import open_backbone


@pytest.mark.parametrize(
    "name", ["/etc", "../secrets", "google/vit-base-patch16-224", "src/hf_vdrep", "nonsense", "I-WALT"]
)
def test_only_the_owners_models_may_be_opened(name: str):
    with pytest.raises(ValueError, match="must be one of i-walt, v-walt"):
        Shelf(AppSettings()).open(name)


def test_a_refusal_names_what_the_page_offers():
    """Checkpoints of the twins are offered too, where they were not switched off."""
    for settings in (AppSettings(), AppSettings(models=("v-walt",)), AppSettings(offer_checkpoints=False)):
        with pytest.raises(ValueError) as refused:
            Shelf(settings).check("nonsense")
        early = settings.offered[len(settings.models) :]
        assert all(name in str(refused.value) for name in settings.models)
        assert (f"{len(early)} checkpoints" in str(refused.value)) == bool(early)
        assert all(early[0] in str(refused.value) for _ in early)


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../a/b", "a/..", "~/x", "C:\\x", "user/name/more", "https://hub/x", "user", "a/b\n", "-a/b", ""],
)
def test_a_remote_model_must_be_an_id_of_the_hub(name: str):
    with pytest.raises(ValueError, match="id of a repository"):
        Shelf(AppSettings(allow_remote_models=True)).check(name)


def test_a_folder_of_the_server_is_no_remote_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "user" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="id of a repository"):
        Shelf(AppSettings(allow_remote_models=True)).check("user/model")


def test_a_large_repository_is_refused_before_it_is_downloaded(monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub

    class File:
        rfilename, size = "model.safetensors", 5_000_000_000

    class Api:
        def model_info(self, name: str, files_metadata: bool) -> object:
            return type("Info", (), {"siblings": [File]})

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    with pytest.raises(ValueError, match="5000 MB of weights; this server takes at most 2000 MB"):
        check_size("user/large", 2000)


def test_settings_that_make_no_sense_are_refused():
    for wrong in ({"models": ()}, {"queue_size": 0}, {"time_limit": 0.0}, {"concurrency": 0}):
        with pytest.raises(ValueError, match="must"):
            AppSettings(**wrong)  # type: ignore[arg-type]
    assert AppSettings(models=("pixels",)).first_pair == ("pixels", "pixels")
    assert AppSettings(models=("pixels", "v-walt")).first_pair == ("v-walt", "pixels")


def test_a_site_that_a_model_lacks_is_named():
    with pytest.raises(ValueError, match="pixels offers the output of the block only"):
        Shelf(AppSettings()).open("pixels", site="mlp")


def test_remembered_features_are_those_of_the_model_and_the_tokenizer_runs_once():
    clip = torch.randint(0, 256, (1, 5, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    inner, tokens, features = open_backbone("v-walt"), Memory(8), Memory(8)
    arguments = {"sample_ids": ["a"], "layers": [0.5], "timesteps": [50]}
    (truth,) = inner.extract(inner.prepare(clip), **arguments)
    backbone = RememberingBackbone(inner, tokens, features)
    calls: list[int] = []
    encode = inner.vae.encode
    inner.vae.encode = lambda *args, **kwargs: calls.append(1) or encode(*args, **kwargs)
    for _ in range(3):
        (found,) = backbone.extract(backbone.prepare(clip), **arguments)
        assert torch.equal(found.values, truth.values)
    twin = RememberingBackbone(open_backbone("i-walt"), tokens, features)
    (other,) = twin.extract(twin.prepare(clip), **arguments)
    assert len(calls) == 1 and not torch.equal(other.values, truth.values)
    del inner.vae.encode


def test_the_memory_forgets_what_was_not_used_for_longest():
    memory = Memory(2)
    made: list[str] = []
    for key in ("a", "b", "a", "c", "a", "b"):
        memory.get(key, lambda key=key: made.append(key))
    assert made == ["a", "b", "c", "b"] and len(memory) == 2
