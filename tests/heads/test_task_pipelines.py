# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""`transformers.pipeline` on saved folders, from pictures and files to answers."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from tiny_heads import FRAMES, SIDE, make
from transformers import pipeline

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 frames of 48x32, one brighter than the other."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as box:
        stream = box.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for level in range(0, 240, 12):
            frame = av.VideoFrame.from_ndarray(np.full((32, 48, 3), level, np.uint8), format="rgb24")
            box.mux(stream.encode(frame))
        box.mux(stream.encode())
    return path


def test_image_feature_extraction(folder: Path):
    run = pipeline("image-feature-extraction", model=str(folder))
    features = run(PICTURE, return_tensors=True)
    assert features.shape == (1, 16, 16) and features.isfinite().all()
    with torch.no_grad():
        expected = run.model(**run.image_processor(PICTURE)).last_hidden_state
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-5)


def test_image_classification(saved_heads: Callable[[str], Path]):
    run = pipeline("image-classification", model=str(saved_heads("image_classification")))
    answers = run([PICTURE, PICTURE.rotate(90)], batch_size=2)
    for answer, picture in zip(answers, (PICTURE, PICTURE.rotate(90)), strict=True):
        assert [entry["label"] for entry in answer] != [] and {entry["label"] for entry in answer} == {
            "LABEL_0",
            "LABEL_1",
        }
        with torch.no_grad():
            chances = run.model(**run.image_processor(picture)).logits[0].softmax(-1)
        assert answer[0]["score"] == pytest.approx(chances.max().item(), abs=1e-4)


def test_video_classification_of_a_file(saved_heads: Callable[[str], Path], film: Path):
    """The file is decoded, sampled evenly, and answered as the same frames given one by one."""
    run = pipeline("video-classification", model=str(saved_heads("video_classification")))
    answer = run(str(film))
    frames = [picture.to_ndarray(format="rgb24") for picture in av.open(str(film)).decode(video=0)]
    picks = [round(index * (len(frames) - 1) / (FRAMES - 1)) for index in range(FRAMES)]
    with torch.no_grad():
        clip = run.video_processor([frames[pick] for pick in picks])
        chances = run.model(**clip).logits[0].softmax(-1)
    assert clip["pixel_values_videos"].shape == (1, FRAMES, 3, SIDE, SIDE)
    assert {entry["label"]: entry["score"] for entry in answer} == pytest.approx(
        {f"LABEL_{index}": chance.item() for index, chance in enumerate(chances)}, abs=1e-4
    )


def test_depth_estimation_covers_the_whole_picture(saved_heads: Callable[[str], Path]):
    """The picture is squeezed, not cropped: its depth map lies over all of it."""
    run = pipeline("depth-estimation", model=str(saved_heads("depth")))
    assert run.image_processor.do_center_crop is False
    answer = run(PICTURE)
    assert answer["predicted_depth"].shape == (40, 60) and answer["depth"].size == (60, 40)
    squeezed = PICTURE.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    with torch.no_grad():
        small = run.model(**run.image_processor(squeezed)).predicted_depth
    expected = torch.nn.functional.interpolate(small[None], size=(40, 60), mode="bilinear")[0, 0]
    torch.testing.assert_close(answer["predicted_depth"], expected, rtol=0.02, atol=0.02)


def test_a_head_made_in_memory_serves_a_pipeline(folder: Path):
    from transformers import AutoImageProcessor

    model = make("image_classification", id2label={0: "near", 1: "far"}, label2id={"near": 0, "far": 1})
    run = pipeline("image-classification", model=model, image_processor=AutoImageProcessor.from_pretrained(folder))
    assert {entry["label"] for entry in run(PICTURE)} == {"near", "far"}
