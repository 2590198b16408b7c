# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""A trained probe and its backbone as one model: what it answers, what it learns, what it writes."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from diffusers import DiffusionPipeline
from tiny_heads import CLASSES, FRAMES, HEADS, SIDE, WIDTH, answer, inputs_of, labels_of, make, make_config, scatter
from transformers import AutoModel, AutoModelForImageClassification

from hf_vdrep import heads, probes
from hf_vdrep.heads.geometry import causal_spans
from hf_vdrep.models import WaltModel

SPANS = [[0, 1], [1, 5], [5, 9]]


def a_readout(name: str) -> Any:
    """A probe with random weights, of other sizes than the heads' own."""
    made = {
        "image_classification": lambda: probes.AttentiveClassifier(WIDTH, 1, 3, width=24, num_heads=2),
        "video_classification": lambda: probes.AttentiveClassifier(WIDTH, 3, 4, width=24, num_heads=2),
        "depth": lambda: probes.SRTDepthReadout(WIDTH, SPANS, FRAMES, width=24, num_heads=2, num_blocks=1),
        "camera_pose": lambda: probes.PoseReadout(WIDTH, 3, width=24, num_heads=2),
        "point_tracking": lambda: probes.RecurrentPointReadout(WIDTH, SPANS, FRAMES, width=24, num_heads=2),
        "box_tracking": lambda: probes.RecurrentBoxReadout(WIDTH, SPANS, FRAMES, width=24, num_heads=2, presence=True),
    }[name]()
    return scatter(made, seed=5)


def pixels_of(stride: int) -> torch.Tensor:
    """Centres of every stride-th pixel as x, y in [0, 1], row after row."""
    steps = (torch.arange(stride // 2, SIDE, stride) + 0.5) / SIDE
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([columns, rows], dim=-1).reshape(-1, 2)


@torch.no_grad()
def test_heads_that_share_a_backbone_keep_their_own_noise_level(folder: Path):
    walt = WaltModel.from_pretrained(folder)
    first = CLASSES["depth"].from_probe(walt, a_readout("depth"), layer=1, timestep=50)
    inputs = inputs_of("depth")
    before = answer(first(**inputs))
    CLASSES["camera_pose"].from_probe(walt, a_readout("camera_pose"), layer=2, timestep=600)
    torch.testing.assert_close(answer(first(**inputs)), before, rtol=0, atol=0)


@torch.no_grad()
def test_a_head_says_what_its_probe_says_of_the_features(head: str, folder: Path):
    """Features by hand: the backbone's hidden state of the block, unfolded into its map."""
    readout, walt = a_readout(head), WaltModel.from_pretrained(folder)
    inputs = inputs_of(head)
    asked = {name: inputs.pop(name) for name in ("query_points", "query_boxes") if name in inputs}
    state = walt(**inputs, timestep=120, seed=4, output_hidden_states=[2]).hidden_states[2]
    steps = 1 if head == "image_classification" else 3
    values = state.unflatten(1, (steps, 4, 4))
    model = CLASSES[head].from_probe(walt, readout, layer=1, timestep=120, seed=4)
    found = model(**inputs, **asked)
    if head == "depth":
        expected = readout(values, pixels_of(1)).exp().unflatten(-1, (SIDE, SIDE))
    elif asked:
        expected = readout(values, *asked.values())[0]
    else:
        expected = readout(values)
    torch.testing.assert_close(answer(found), expected, rtol=1e-5, atol=1e-5)
    if head == "camera_pose":
        torch.testing.assert_close(found.pose, readout.decode(expected))
        rotation = found.pose[..., :3]
        torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3).expand(2, 3, 3), rtol=0, atol=1e-5)


def test_a_probe_folder_and_a_backbone_folder_become_one_model_folder(head: str, folder: Path, tmp_path: Path):
    """Saved, loaded again by what the folder says: the same weights, and frozen as it was."""
    a_readout(head).save_pretrained(tmp_path / "probe")
    model = CLASSES[head].from_probe(folder, tmp_path / "probe", layer=0.34, timestep=50, seed=9)
    model.save_pretrained(tmp_path / "walt")
    loaded = heads.load_head(tmp_path / "walt")
    assert type(loaded) is CLASSES[head]
    assert (loaded.config.layer, loaded.config.timestep, loaded.config.seed) == (0.34, 50, 9)
    torch.testing.assert_close(loaded.state_dict(), model.state_dict(), rtol=0, atol=0)
    assert loaded.readout.config == model.readout.config
    with torch.no_grad():
        found, expected = answer(loaded(**inputs_of(head))), answer(model(**inputs_of(head)))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert not any(parameter.requires_grad for parameter in loaded.walt.parameters())


def digest(files: list[Path]) -> list[str]:
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def test_pipeline_to_head_and_back_leaves_the_backbone_untouched(head: str, folder: Path, tmp_path: Path):
    """Pipeline save -> AutoModel load -> train a head -> save -> pipeline load: the same files and bits."""
    walt = AutoModel.from_pretrained(folder)
    model = CLASSES[head].from_probe(walt, a_readout(head)).train()
    optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=1e-3)
    losses = []
    for _ in range(2):
        loss = model(**inputs_of(head), **labels_of(head)).loss
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[1] < losses[0]
    model.save_pretrained(tmp_path / "walt")
    names = [f"{part}/diffusion_pytorch_model.safetensors" for part in ("vae", "transformer")]
    assert digest([folder / name for name in names]) == digest([tmp_path / "walt" / name for name in names])
    before, after = DiffusionPipeline.from_pretrained(folder), DiffusionPipeline.from_pretrained(tmp_path / "walt")
    for part in ("vae", "transformer"):
        left, right = (getattr(pipeline, part).state_dict() for pipeline in (before, after))
        torch.testing.assert_close(left, right, rtol=0, atol=0)
    assert len(list((tmp_path / "walt").rglob("*.safetensors"))) == 3


def test_a_frozen_backbone_can_be_set_free(head: str, folder: Path):
    model = CLASSES[head].from_probe(folder, a_readout(head))
    assert all(parameter.requires_grad for parameter in model.readout.parameters())
    model(**inputs_of(head), **labels_of(head)).loss.backward()
    assert model.walt.transformer.patch_embed.weight.grad is None
    model.unfreeze_backbone()
    model(**inputs_of(head), **labels_of(head)).loss.backward()
    assert model.walt.transformer.patch_embed.weight.grad.abs().max() > 0
    assert model.config.freeze_backbone is False


def test_a_head_runs_no_block_beyond_its_own(head: str):
    model, ran = make(head, layer=0), []
    for index, block in enumerate(model.walt.transformer.blocks):
        block.register_forward_hook(lambda *_, index=index: ran.append(index))
    with torch.no_grad():
        model(**inputs_of(head))
        assert ran == [0]
        ran.clear()
        model(**inputs_of(head), output_hidden_states=[2])
    assert ran == [0, 1]


@torch.no_grad()
def test_a_picture_is_a_clip_in_which_nothing_moves(head: str):
    if head == "image_classification":
        return
    model, inputs = make(head), inputs_of(head)
    picture = inputs.pop("pixel_values_videos")[:, 0]
    still = picture[:, None].expand(-1, FRAMES, -1, -1, -1)
    expected = answer(model(pixel_values_videos=still, **inputs))
    found = answer(model(pixel_values=picture, **inputs))
    torch.testing.assert_close(found, expected[:, 0] if head == "depth" else expected, rtol=1e-5, atol=1e-5)


def test_losses_are_the_textbooks(folder: Path):
    """Cross-entropy; mean |log p - log d| over the valid pixels; mean squared error of the pose in the readout's units;
    the first frame of boxes, which was given, does not count."""
    with torch.no_grad():
        model, labels = make("video_classification"), torch.tensor([1, 0])
        found = model(**inputs_of("video_classification"), labels=labels)
        torch.testing.assert_close(found.loss, F.cross_entropy(found.logits, labels))

        model, depth = make("depth", depth_stride=2), labels_of("depth")["labels"].clone()
        depth[:, :, :8] = 0.0
        found = model(**inputs_of("depth"), labels=depth)
        assert found.predicted_depth.shape == (2, FRAMES, SIDE // 2, SIDE // 2)
        truth = depth[:, :, 1::2, 1::2]
        error = (found.predicted_depth.log() - truth.clamp(min=1e-6).log()).abs()[truth > 0]
        torch.testing.assert_close(found.loss, error.mean(), rtol=1e-4, atol=1e-5)

        model, pose = make("camera_pose"), labels_of("camera_pose")["labels"]
        flat = model(**inputs_of("camera_pose"), labels=pose.flatten(1))
        found = model(**inputs_of("camera_pose"), labels=pose)
        torch.testing.assert_close(flat.loss, found.loss)
        torch.testing.assert_close(
            model(**inputs_of("camera_pose"), labels=found.logits).loss.isfinite(), torch.tensor(True)
        )

        model, boxes = make("box_tracking"), labels_of("box_tracking")["labels"]
        inputs = inputs_of("box_tracking")
        other = boxes.clone()
        other[:, :, 0] += 0.3
        torch.testing.assert_close(model(**inputs, labels=other).loss, model(**inputs, labels=boxes).loss)
        absent = torch.zeros(2, 3, FRAMES, dtype=torch.bool)
        assert model(**inputs, labels=boxes, present_labels=absent).loss == 0


@torch.no_grad()
def test_queries_of_the_first_frame_are_taken_from_the_labels():
    for name, query in (("point_tracking", "query_points"), ("box_tracking", "query_boxes")):
        model, inputs, labels = make(name), inputs_of(name), labels_of(name)
        del inputs[query]
        implied = model(**inputs, **labels)
        told = model(**inputs, **labels, **{query: labels["labels"][:, :, 0]})
        torch.testing.assert_close(answer(implied), answer(told), rtol=0, atol=0)
        with pytest.raises(ValueError, match=rf"{query} must be \(B, ., .\), got None"):
            model(**inputs)


@torch.no_grad()
def test_hidden_points_and_labels_do_not_count():
    model, inputs, labels = make("point_tracking"), inputs_of("point_tracking"), labels_of("point_tracking")["labels"]
    visible = torch.ones(2, 5, FRAMES, dtype=torch.bool)
    visible[:, 1] = False
    moved = labels.clone()
    moved[:, 1] += 0.5
    losses = [model(**inputs, labels=each, visible_labels=visible).loss for each in (labels, moved)]
    torch.testing.assert_close(*losses)
    assert model(**inputs, labels=labels).loss != losses[0]


@pytest.mark.parametrize("task", sorted(probes.TASKS))
def test_every_task_of_the_probes_has_a_head_of_its_readout(task: str):
    found = heads.head_for(task)
    assert found in CLASSES.values() and issubclass(found.readout_class, probes.Readout)
    assert (found is heads.WaltForImageClassification) == (task in ("object", "scene", "fine"))


def test_what_does_not_fit_is_named(folder: Path, tmp_path: Path):
    with pytest.raises(ValueError, match=r"task must be one of action_coarse, .*, got 'sound'"):
        heads.head_for("sound")
    with pytest.raises(ValueError, match=r"architectures must name one of WaltForBoxTracking, .*, got WaltModel"):
        heads.load_head(folder)
    with pytest.raises(ValueError, match="readout must be a PoseReadout for WaltForCameraPose, got Attentive"):
        heads.WaltForCameraPose.from_probe(folder, a_readout("image_classification"))
    with pytest.raises(ValueError, match="readout in_channels must be the backbone's width 16, got 8"):
        heads.WaltForCameraPose.from_probe(folder, probes.PoseReadout(8, 3))
    with pytest.raises(ValueError, match=r"layer must lie in \[-3, 2\], got 3"):
        heads.WaltForCameraPose.from_probe(folder, a_readout("camera_pose"), layer=3)
    with pytest.raises(ValueError, match="labels must name the readout's 3 classes, got 2"):
        heads.WaltForImageClassification.from_probe(folder, a_readout("image_classification"), labels=["a", "b"])
    with pytest.raises(ValueError, match="labels must be None for WaltForCameraPose, which has no classes, got 1"):
        heads.WaltForCameraPose.from_probe(folder, a_readout("camera_pose"), labels=["a"])
    clip = inputs_of("camera_pose")["pixel_values_videos"][:, :5]
    with pytest.raises(ValueError, match=r"the clip must have 9 frames \(3 latent steps\), got 2 latent steps"):
        make("camera_pose")(pixel_values_videos=clip)
    with pytest.raises(ValueError, match="architectures must name a AttentiveClassifier"):
        CLASSES["image_classification"](make_config(readout_config={"architectures": ["PoseReadout"]}))


def test_classes_are_named_and_counted_as_in_transformers(folder: Path, tmp_path: Path):
    readout = a_readout("image_classification")
    model = heads.WaltForImageClassification.from_probe(folder, readout, labels=["box", "ball", "cone"])
    model.save_pretrained(tmp_path / "three")
    loaded = AutoModelForImageClassification.from_pretrained(tmp_path / "three")
    assert type(loaded) is heads.WaltForImageClassification
    assert loaded.config.id2label == {0: "box", 1: "ball", 2: "cone"}
    assert loaded.config.label2id == {"box": 0, "ball": 1, "cone": 2} and loaded.config.num_labels == 3
    unnamed = heads.WaltForImageClassification.from_probe(folder, readout)
    assert unnamed.config.num_labels == 3
    with pytest.raises(RuntimeError, match="mismatch"):
        AutoModelForImageClassification.from_pretrained(tmp_path / "three", num_labels=5)


def test_a_head_for_other_classes_keeps_all_but_the_last_layer(folder: Path, tmp_path: Path):
    readout = a_readout("image_classification")
    heads.WaltForImageClassification.from_probe(folder, readout).save_pretrained(tmp_path / "three")
    torch.manual_seed(0)
    five, info = AutoModelForImageClassification.from_pretrained(
        tmp_path / "three", num_labels=5, ignore_mismatched_sizes=True, output_loading_info=True
    )
    assert {name for name, *_ in info["mismatched_keys"]} == {"readout.head.weight", "readout.head.bias"}
    assert five.readout.head.out_features == 5 == five.readout.config["num_classes"]
    assert five.readout.head.weight.isfinite().all()
    torch.testing.assert_close(five.readout.to_v.weight.data, readout.to_v.weight.data, rtol=0, atol=0)
    with torch.no_grad():
        assert five(**inputs_of("image_classification")).logits.shape == (2, 5)


@pytest.mark.parametrize("name", HEADS)
def test_a_pipeline_folder_gains_a_fresh_head_with_the_readouts_own_start(name: str, folder: Path):
    """Missing are the readout's weights and nothing else; they start as the readout starts by itself."""
    model, info = CLASSES[name].from_pretrained(folder, output_loading_info=True)
    assert {key.split(".")[0] for key in info["missing_keys"]} == {"readout"} and not info["unexpected_keys"]
    fresh = type(model.readout).from_config(model.readout.config).state_dict()
    for key, value in model.readout.state_dict().items():
        if fresh[key].numel() == 1 or fresh[key].std(correction=0) == 0:
            torch.testing.assert_close(value, fresh[key], rtol=0, atol=0, msg=key)
        elif value.numel() > 200:
            assert value.std().item() == pytest.approx(fresh[key].std().item(), rel=0.3), key


def test_a_head_folder_is_a_folder_of_the_plain_model_too(saved_heads: Callable[[str], Path]):
    folder = saved_heads("depth")
    model, info = AutoModel.from_pretrained(folder, output_loading_info=True)
    assert type(model) is WaltModel and not any(info[key] for key in ("missing_keys", "unexpected_keys"))
    torch.testing.assert_close(model.state_dict(), make("depth").walt.state_dict(), rtol=0, atol=0)


def test_a_broken_head_file_is_named(saved_heads: Callable[[str], Path], tmp_path: Path):
    import shutil

    folder = Path(shutil.copytree(saved_heads("camera_pose"), tmp_path / "walt"))
    file = folder / "readout/model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"readout/model\.safetensors must be a whole safetensors file"):
        heads.load_head(folder)


def test_spans_follow_the_causal_tokenizer():
    """WALT §4.1: the first frame alone, then four at a time."""
    assert (
        causal_spans(9, 4) == SPANS
        and causal_spans(1, 4) == [[0, 1]]
        and causal_spans(3, 1) == [[0, 1], [1, 2], [2, 3]]
    )


def test_a_head_is_pushed_after_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from hf_vdrep.models import WaltPipeline

    pushed = []

    def push(self: Any, target: Path, **options: Any) -> None:
        pushed.append(({file.relative_to(target).as_posix() for file in target.rglob("*.*")}, options))

    monkeypatch.setattr(WaltPipeline, "_push_folder", push)
    make("camera_pose").save_pretrained(tmp_path / "walt", push_to_hub=True, repo_id="me/pose", token="t", private=True)
    ((files, options),) = pushed
    assert {"config.json", "model_index.json", "readout/model.safetensors", "hf_vdrep_shim.py"} <= files
    assert options == {"repo_id": "me/pose", "private": True, "token": "t"}


def test_given_weights_are_saved_instead_of_the_models(tmp_path: Path):
    """A trainer that gathers shards passes the whole state dict; other processes write nothing."""
    model = make("depth")
    weights = {name: tensor + 1 for name, tensor in model.state_dict().items()}
    model.save_pretrained(tmp_path / "walt", state_dict=weights)
    torch.testing.assert_close(heads.load_head(tmp_path / "walt").state_dict(), weights, rtol=0, atol=0)
    model.save_pretrained(tmp_path / "other", is_main_process=False)
    assert not (tmp_path / "other").exists()


@torch.no_grad()
def test_the_three_problems_of_transformers_have_their_losses():
    """`problem_type`; one-hot labels of several classes would give a cross-entropy that looks right."""
    inputs, truth = inputs_of("image_classification"), torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    for problem, loss in (
        ("multi_label_classification", F.binary_cross_entropy_with_logits),
        ("regression", F.mse_loss),
    ):
        model = make("image_classification", problem_type=problem)
        found = model(**inputs, labels=truth)
        torch.testing.assert_close(found.loss, loss(found.logits, truth))
        with pytest.raises(ValueError, match=rf"labels must be \(2, 2\) for {problem}, got \(2,\)"):
            model(**inputs, labels=truth[:, 0])
    single = make("image_classification", problem_type="regression", num_labels=1)
    found = single(**inputs, labels=truth[:, 0])
    torch.testing.assert_close(found.loss, F.mse_loss(found.logits[:, 0], truth[:, 0]))
    plain = make("image_classification")
    with pytest.raises(ValueError, match=r"labels must be .* class indices .* other kinds .* config\.problem_type"):
        plain(**inputs, labels=truth)


@torch.no_grad()
@pytest.mark.parametrize("name", ["depth", "camera_pose", "point_tracking", "box_tracking"])
def test_labels_of_another_batch_are_not_spread_over_this_one(name: str):
    """They would broadcast, and the loss would be a number."""
    with pytest.raises(ValueError, match=r"labels must be \(2, "):
        make(name)(**inputs_of(name), labels=labels_of(name)["labels"][:1])


def test_a_head_is_sought_where_its_weights_are(monkeypatch: pytest.MonkeyPatch):
    """A revision's config may name another head than that of `main`."""
    from hf_vdrep.heads import registry

    seen = []

    def config(name: str, **places: Any) -> Any:
        seen.append((name, places))
        return make_config(architectures=["WaltForCameraPose"])

    monkeypatch.setattr(registry.WaltConfig, "from_pretrained", config)
    monkeypatch.setattr(registry.WaltForCameraPose, "from_pretrained", lambda name, **kwargs: (name, kwargs))
    options = {"revision": "step-400", "token": "t", "dtype": torch.float16}
    assert heads.load_head("me/pose", **options) == ("me/pose", options)
    assert seen == [("me/pose", {"revision": "step-400", "token": "t"})]


def test_one_name_for_two_classes_is_refused(folder: Path):
    with pytest.raises(ValueError, match="labels must name each class otherwise, got a more than once"):
        heads.WaltForImageClassification.from_probe(folder, a_readout("image_classification"), labels=["a", "b", "a"])


@torch.no_grad()
@pytest.mark.parametrize(
    ("name", "query", "flags"),
    [("point_tracking", "query_points", "visible_labels"), ("box_tracking", "query_boxes", "present_labels")],
)
def test_queries_and_flags_of_another_shape_are_named(name: str, query: str, flags: str):
    """Queries of one clip would be asked of all."""
    model, inputs, labels = make(name), inputs_of(name), labels_of(name)["labels"]
    with pytest.raises(ValueError, match=rf"{query} must come with each of the 2 clips, got \(1, "):
        model(**{**inputs, query: inputs[query][:1]})
    with pytest.raises(ValueError, match=rf"{flags} must be \(2, ., 9\), got \(2, .\)"):
        model(**inputs, labels=labels, **{flags: torch.ones(labels.shape[:2])})
    plain = model(**inputs, labels=labels).loss
    ones = torch.ones(labels.shape[:3], dtype=torch.long)  # as a collator makes of a list of lists
    torch.testing.assert_close(model(**inputs, labels=labels, **{flags: ones}).loss, plain, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "flags", "columns"),
    [
        ("point_tracking", "visible_labels", ("tracks", "visible")),
        ("box_tracking", "present_labels", ("boxes", "present")),
    ],
)
def test_a_tracker_learns_by_its_probes_loss(name: str, flags: str, columns: tuple[str, str]):
    """The task's own loss on the same features; what is hidden in the first frame holds no number."""
    model, labels, inputs = make(name), labels_of(name)["labels"].clone(), inputs_of(name)
    clip = inputs["pixel_values_videos"]
    seen = torch.ones(labels.shape[:3], dtype=torch.bool)
    seen[:, 0, :4], seen[:, 1, 5:] = False, False
    labels[~seen] = torch.nan
    with torch.no_grad():
        values = model.look(None, clip, None).values
    task = probes.get_task({"point_tracking": "point_tracks", "box_tracking": "box_tracks"}[name])
    expected = task.loss(
        model.readout,
        model.readout.standardise(values),
        dict(zip(columns, (labels, seen), strict=True)),
        torch.Generator(),
    )
    found = model(pixel_values_videos=clip, labels=labels, **{flags: seen}).loss
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    found.backward()
    assert all(each.grad.isfinite().all() for each in model.readout.parameters() if each.grad is not None)
