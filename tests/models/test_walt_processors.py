# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""The processors: size, range, order of axes, and how the auto classes find them."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from transformers import AutoImageProcessor, AutoModel
from transformers.models.auto.video_processing_auto import VIDEO_PROCESSOR_MAPPING

from hf_vdrep.models import WaltConfig, WaltImageProcessor, WaltImageProcessorPil, WaltVideoProcessor
from hf_vdrep.models.pixel_preparation import fit, picture_to_tensor
from hf_vdrep.models.pixel_processor import as_size
from hf_vdrep.models.video_processing_walt import even_frames

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


def test_pictures_come_nested_from_files_and_in_batches(tmp_path: Path):
    """PIL, arrays, tensors, paths, lists of lists, one array of several: the same pixels."""
    file = tmp_path / "picture.png"
    PIL.Image.fromarray(PICTURE).save(file)
    processor = WaltImageProcessor(SIZE)
    expected = processor(PICTURE)["pixel_values"]
    for given in (str(file), [str(file)], [[PICTURE]], torch.tensor(PICTURE), PIL.Image.fromarray(PICTURE)):
        torch.testing.assert_close(processor(given)["pixel_values"], expected)
    for given in ([[PICTURE, PICTURE], [PICTURE]], np.stack([PICTURE] * 3), (PICTURE, [PICTURE], PICTURE)):
        torch.testing.assert_close(processor(given)["pixel_values"], expected.expand(3, -1, -1, -1))
    with pytest.raises(ValueError, match="images must hold at least one picture, got none"):
        processor([])


def test_options_do_what_they_say():
    plain = WaltImageProcessor(SIZE, do_resize=False, do_center_crop=False, do_normalize=False)
    torch.testing.assert_close(plain(PICTURE)["pixel_values"][0], torch.tensor(PICTURE).permute(2, 0, 1) / 255)
    raw = plain(PICTURE, do_rescale=False)["pixel_values"][0]
    torch.testing.assert_close(raw, torch.tensor(PICTURE).permute(2, 0, 1).float())
    torch.testing.assert_close(plain(PICTURE, rescale_factor=1 / 510)["pixel_values"][0], raw / 510)
    cut = plain(PICTURE, do_center_crop=True)["pixel_values"][0]
    torch.testing.assert_close(cut, raw[:, 12:28, 13:37] / 255)
    mean, std = [0.1, 0.2, 0.3], [0.5, 1.0, 2.0]
    moved = plain(PICTURE, do_normalize=True, image_mean=mean, image_std=std)["pixel_values"][0]
    torch.testing.assert_close(
        moved, (raw / 255 - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    )
    with pytest.raises(ValueError, match=r"pictures must be at least \(16, 24\) to be cropped to it, got \(8, 8\)"):
        plain(np.zeros((8, 8, 3), np.uint8), do_center_crop=True)
    with pytest.raises(ValueError, match=r"images must come out of one size, got \[\(40, 50\), \(8, 8\)\]"):
        plain([PICTURE, np.zeros((8, 8, 3), np.uint8)])


@pytest.mark.parametrize("resample", [0, 2, 3, 4])
def test_scaling_agrees_with_pils_filters(resample: int):
    """Pillow is the reference that the numbers of the filters come from; its bicubic clips between its two passes, so
    the picture stays away from black and white."""
    picture = PICTURE // 2 + 60
    processor = WaltImageProcessor({"height": 20, "width": 25}, do_center_crop=False, resample=resample)
    ours = (processor(picture)["pixel_values"][0] + 1) / 2 * 255
    theirs = np.asarray(PIL.Image.fromarray(picture).resize((25, 20), resample), dtype=np.float32)
    assert (ours - torch.tensor(theirs).permute(2, 0, 1)).abs().max() < 1.6
    assert tuple(processor(PICTURE, size={"height": 7, "width": 9})["pixel_values"].shape[2:]) == (7, 9)


def test_a_filter_that_torch_lacks_is_named():
    with pytest.raises(ValueError, match=r"resample must be one of 0 \(nearest\), .*, got 1"):
        WaltImageProcessor(SIZE, resample=1)(PICTURE)


def test_sizes_come_in_the_forms_of_transformers():
    assert as_size(None) == {"height": 128, "width": 128}
    assert as_size(8) == as_size([8, 8]) == as_size({"shortest_edge": 8}) == {"height": 8, "width": 8}
    with pytest.raises(ValueError, match="size must be a number, two, or a dict"):
        as_size({"longest_edge": 8})


def test_an_ambiguous_picture_is_read_as_it_is_told():
    """(3, 4, 3) may have its channels at either end."""
    picture = np.random.default_rng(1).random((3, 4, 3), dtype=np.float32)
    options = {"do_resize": False, "do_center_crop": False, "do_normalize": False}
    last = WaltImageProcessor(SIZE)(picture, input_data_format="channels_last", **options)["pixel_values"]
    assert last.shape == (1, 3, 3, 4)
    torch.testing.assert_close(last[0], torch.tensor(picture).permute(2, 0, 1))


def test_both_of_transformers_names_are_one_processor(saved: Path):
    """Features must not depend on whether torchvision is installed."""
    assert WaltImageProcessorPil is WaltImageProcessor
    for backend in ("pil", "torchvision"):
        assert type(AutoImageProcessor.from_pretrained(saved, backend=backend)) is WaltImageProcessor


def test_the_auto_class_of_videos_needs_no_torchvision(saved: Path):
    """transformers' top-level name does; the class in its module does not, and the task pipelines use that one."""
    from transformers.models.auto.video_processing_auto import AutoVideoProcessor

    processor = AutoVideoProcessor.from_pretrained(saved)
    assert type(processor) is WaltVideoProcessor and processor.num_frames == 9


def test_every_option_survives_a_round_trip(tmp_path: Path):
    given = {"resample": 2, "do_center_crop": False, "image_mean": [0.1, 0.2, 0.3], "image_std": [1.0, 1.0, 1.0]}
    for processor in (WaltImageProcessor(SIZE, **given), WaltVideoProcessor(SIZE, num_frames=5, **given)):
        processor.save_pretrained(tmp_path)
        loaded = type(processor).from_pretrained(tmp_path)
        assert loaded.to_dict() == processor.to_dict()
        assert {name: getattr(loaded, name) for name in given} == given


def test_depth_maps_return_to_the_size_of_their_pictures():
    from types import SimpleNamespace

    maps = torch.stack([torch.full((4, 4), 2.0), torch.arange(16.0).view(4, 4)])
    processor = WaltImageProcessor(SIZE)
    output = SimpleNamespace(predicted_depth=maps)
    first, second = (
        entry["predicted_depth"] for entry in processor.post_process_depth_estimation(output, [(8, 6), (4, 4)])
    )
    torch.testing.assert_close(first, torch.full((8, 6), 2.0))
    torch.testing.assert_close(second, maps[1])
    assert [entry["predicted_depth"].shape for entry in processor.post_process_depth_estimation(output)] == [(4, 4)] * 2
    with pytest.raises(ValueError, match=r"target_sizes must be one per picture \(2\), got 1"):
        processor.post_process_depth_estimation(output, [(8, 6)])


def test_files_of_any_length_give_the_frames_asked_for(tmp_path: Path):
    """Frame k of the file has the grey value 20 k; a short film repeats frames, and a path may be in a list."""
    import av

    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as box:
        stream = box.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for level in (0, 60, 120, 180):
            box.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), level, np.uint8), format="rgb24")))
        box.mux(stream.encode())
    processor = WaltVideoProcessor({"height": 16, "width": 16}, num_frames=7)
    for given in (str(path), path, [path], [[str(path)]]):
        pixels = processor(given)["pixel_values_videos"]
        assert pixels.shape == (1, 7, 3, 16, 16)
    levels = (pixels[0].mean((1, 2, 3)) + 1) / 2 * 255
    expected = torch.tensor([[0, 60, 120, 180][index] for index in even_frames(4, 7)]).float()
    torch.testing.assert_close(levels, expected, rtol=0, atol=4.0)
    assert processor(path, do_sample_frames=False)["pixel_values_videos"].shape[1] == 4
    assert processor([path, path], num_frames=5)["pixel_values_videos"].shape[:2] == (2, 5)


def test_even_frames_run_from_the_first_to_the_last():
    assert even_frames(17, 5) == [0, 4, 8, 12, 16] and even_frames(3, None) == [0, 1, 2]
    assert even_frames(9, 1) == [0] and even_frames(1, 3) == [0, 0, 0]
    with pytest.raises(ValueError, match="num_frames must be at least 1, got 0"):
        even_frames(4, 0)
