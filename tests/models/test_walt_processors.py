# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The processors: size, range, order of axes, and how the auto classes find them."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from transformers import AutoImageProcessor, AutoModel
from transformers.models.auto.video_processing_auto import VIDEO_PROCESSOR_MAPPING

from hf_vdrep.models import WaltConfig, WaltImageProcessor, WaltVideoProcessor
from hf_vdrep.models.pixel_preparation import fit, picture_to_tensor

SIZE = {"height": 16, "width": 24}
PICTURE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


def test_every_kind_of_picture_means_the_same_pixels():
    """PIL, HWC and CHW, integers in 0-255 and floats in [0, 1], with and without alpha."""
    expected = torch.from_numpy(PICTURE).permute(2, 0, 1) / 255
    alpha = np.concatenate([PICTURE, np.full((40, 50, 1), 7, np.uint8)], axis=-1)
    kinds = (PIL.Image.fromarray(PICTURE), PICTURE, PICTURE.transpose(2, 0, 1), PICTURE / 255, torch.tensor(alpha))
    for kind in kinds:
        torch.testing.assert_close(picture_to_tensor(kind), expected)
    grey = picture_to_tensor(PICTURE[..., 0])
    torch.testing.assert_close(grey, expected[:1].expand(3, -1, -1))
    with pytest.raises(ValueError, match=r"picture must be \(H, W\).*, got \(5, 40, 50\)"):
        picture_to_tensor(np.zeros((5, 40, 50)))


def test_fitting_keeps_the_aspect_and_the_centre():
    """A ramp along the width stays a ramp of the same slope per source pixel, cut at both ends alike."""
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 32, 64)
    out = fit(ramp, (16, 16))
    assert out.shape == (1, 3, 16, 16)
    expected = torch.linspace(0, 1, 64).view(32, 2).mean(-1)[8:24]
    torch.testing.assert_close(out[0, 0, 8], expected, rtol=0, atol=2e-3)
    torch.testing.assert_close(fit(ramp, (32, 64)), ramp, rtol=0, atol=0)


def test_pictures_fill_the_size_in_minus_one_to_one():
    processor = WaltImageProcessor(SIZE)
    pixels = processor([PICTURE, PIL.Image.new("L", (9, 200), 255)])["pixel_values"]
    assert pixels.shape == (2, 3, 16, 24) and pixels.dtype == torch.float32
    torch.testing.assert_close(pixels[1], torch.ones(3, 16, 24))
    assert -1 <= pixels.min() < pixels.max() <= 1
    torch.testing.assert_close(processor(PICTURE)["pixel_values"], pixels[:1])
    assert isinstance(processor(PICTURE, return_tensors="np")["pixel_values"], np.ndarray)


def test_clips_are_sampled_evenly_and_frames_come_first():
    """(B, T, 3, H, W), the order of transformers; frame k of the clip has the grey value k."""
    clip = np.stack([np.full((16, 24, 3), k, np.uint8) for k in range(9)])
    processor = WaltVideoProcessor(SIZE, num_frames=5)
    for given in (clip, list(clip), [clip], clip[None], [list(clip)], [PIL.Image.fromarray(frame) for frame in clip]):
        pixels = processor(given)["pixel_values_videos"]
        assert pixels.shape == (1, 5, 3, 16, 24)
        values = ((pixels[0, :, 0, 0, 0] + 1) / 2 * 255).round()
        assert values.tolist() == [0, 2, 4, 6, 8]
    assert processor(clip, num_frames=None)["pixel_values_videos"].shape[1] == 9
    assert processor(clip[:2])["pixel_values_videos"].shape[1] == 5


def test_wrong_clips_are_named():
    processor = WaltVideoProcessor(SIZE, num_frames=None)
    with pytest.raises(ValueError, match="at least one frame each, got none"):
        processor([])
    clips = [np.zeros((n, 8, 8, 3), np.uint8) for n in (1, 5)]
    with pytest.raises(ValueError, match=r"videos must have equally many frames, got \[1, 5\]"):
        processor(clips)


def test_the_folder_brings_its_processors(saved: Path):
    """Training size of the tiny model: 3 latent frames of 4x4 are 9 frames of 32x32."""
    processor = AutoImageProcessor.from_pretrained(saved)
    assert type(processor) is WaltImageProcessor and processor.size == {"height": 32, "width": 32}
    assert VIDEO_PROCESSOR_MAPPING[WaltConfig] == {"torchvision": WaltVideoProcessor}
    videos = WaltVideoProcessor.from_pretrained(saved)
    assert (videos.size, videos.num_frames) == ({"height": 32, "width": 32}, 9)
    model = AutoModel.from_pretrained(saved)
    with torch.no_grad():
        assert model(**processor(PICTURE)).last_hidden_state.shape == (1, 16, 16)
        assert model(**videos(np.stack([PICTURE] * 3))).last_hidden_state.shape == (1, 48, 16)


def test_processors_survive_a_round_trip(tmp_path: Path):
    WaltImageProcessor(SIZE).save_pretrained(tmp_path)
    assert WaltImageProcessor.from_pretrained(tmp_path).size == SIZE
    for num_frames in (5, None):
        WaltVideoProcessor(SIZE, num_frames=num_frames).save_pretrained(tmp_path)
        assert WaltVideoProcessor.from_pretrained(tmp_path).num_frames == num_frames
