# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Depth, camera and track data sets."""

from .spec import StreamSpec

SCANNET = StreamSpec(
    name="scannet",
    title="ScanNet v2",
    tasks=("depth", "camera_pose"),
    labels=("depth", "pose", "intrinsics"),
    reads="clip",
    source="http://www.scan-net.org",
    splits={"train": "train", "validation": "val", "test": "test"},
    label_space="z-depth in metres, valid between 0.001 and 10; camera-to-world poses in metres",
    licence="ScanNet terms of use: non-commercial research; a signed agreement is needed.",
    obtain="Sign the agreement, run the download script that comes by mail (--type .sens), and take the split lists "
    "from ScanNet's repository (Tasks/Benchmark). SensReader's exports and scannet_frames_25k are read too.",
    layout="""\
scannetv2_train.txt               scene0191_00
scannetv2_val.txt
scans/scene0191_00/scene0191_00.sens
(or, exported: scans/scene0191_00/color/0.jpg, depth/0.png (millimetres), pose/0.txt, intrinsic/intrinsic_depth.txt)
(or scannet_frames_25k/scene0191_00/color/000000.jpg, ..., intrinsics_depth.txt)""",
    decode="17 frames, every 5th, side by side along the scan (InternVideo-Next: 16 at stride 5)",
    crop="largest centre square of the depth map; colour is resized to it",
    opener="scannet:ScanNet",
    defaults={"stride": 5, "anchor": "start"},
)

REALESTATE = StreamSpec(
    name="realestate10k",
    title="RealEstate10k",
    tasks=("camera_pose",),
    labels=("pose", "intrinsics"),
    reads="clip",
    source="https://google.github.io/realestate10k",
    splits={"train": "train", "test": "test"},
    label_space="camera-to-world poses in the unit of each reconstruction (not metres)",
    licence="Camera files: CC BY 4.0 (Google). The videos belong to their YouTube uploaders; use is bound by "
    "YouTube's terms.",
    obtain="Unpack RealEstate10K.tar.gz from the home page; get the videos by the address in each file's first line, "
    "as videos, or as frames named by their time stamps.",
    layout="""\
RealEstate10K/train/0000cc6d8b108390.txt  (or train/)
RealEstate10K/test/000c3ab189999a83.txt
frames/train/0000cc6d8b108390/52553000.jpg  (or .png; one picture per line of the camera file)
(or videos/9bEyZ9gfWdQ.mp4, whole videos by YouTube id)""",
    decode="17 frames, every 8th of the file, from the middle; the study's own stride is not published",
    crop="largest centre square",
    opener="realestate:RealEstate10k",
    defaults={"stride": 8},
)

_PERCEPTION = {
    "source": "https://github.com/google-deepmind/perception_test",
    "splits": {"train": "train", "validation": "valid"},
    "licence": "CC BY 4.0 (DeepMind), videos and annotations.",
    "crop": "largest centre square",
    "opener": "perception:PerceptionTest",
}

PERCEPTION_POINTS = StreamSpec(
    name="perception-test",
    title="Perception Test, point tracks",
    tasks=("point_tracks",),
    labels=("tracks", "visible"),
    reads="clip",
    label_space="up to 64 point tracks, those visible in the clip's first frame",
    obtain="Download and unpack point_tracking_{train,valid}_{videos,annotations}.zip from the repository's README.",
    layout="""\
point_tracking_train.json         (or all_train.json, or the same under annotations/)
point_tracking_valid.json
videos/video_1234.mp4""",
    decode="17 frames, every 2nd, from the video's start, where the tracks begin (TRecViT: 16 frames)",
    defaults={"stride": 2, "anchor": "start"},
    settings={"kind": "point_tracking"},
    **_PERCEPTION,  # type: ignore[arg-type]
)

PERCEPTION_OBJECTS = StreamSpec(
    name="perception-test-objects",
    title="Perception Test, object tracks",
    tasks=("box_tracks",),
    labels=("boxes", "present"),
    reads="clip",
    label_space="up to 25 boxes, those present in the clip's first frame",
    obtain="Download and unpack {train,valid}_{videos,annotations}.zip from the repository's README.",
    layout="""\
all_train.json                    (or object_tracking_train.json, or the same under annotations/)
all_valid.json
videos/video_1234.mp4""",
    decode="17 annotated frames (one a second), from the video's start",
    defaults={"anchor": "start"},
    settings={"kind": "object_tracking"},
    **_PERCEPTION,  # type: ignore[arg-type]
)

WAYMO = StreamSpec(
    name="waymo",
    title="Waymo Open, 2-D boxes of the front camera",
    tasks=("box_tracks",),
    labels=("boxes", "present"),
    reads="clip",
    source="https://waymo.com/open",
    splits={"train": "training", "validation": "validation"},
    label_space="1 to 25 boxes, those present in the clip's first frame and often enough after it",
    licence="Waymo Open Dataset licence agreement: non-commercial use only, no redistribution.",
    obtain="Accept the licence on the home page and copy camera_image, camera_box and camera_calibration of the "
    "Perception data set v2 (parquet) from Google Cloud Storage.",
    layout="""\
training/camera_image/<segment>.parquet
training/camera_box/<segment>.parquet
training/camera_calibration/<segment>.parquet  (sizes; 1280x1920 is assumed without it)
validation/...""",
    decode="17 frames, every 2nd (10 to 5 a second), starts 3 kept frames apart (InternVideo-Next: 16 frames)",
    crop="largest centre square (InternVideo-Next: 224 of 224x336); boxes of less than 0.5 % of it are absent",
    opener="waymo:Waymo",
    defaults={"stride": 2, "anchor": "start"},
)

GEOMETRY = (SCANNET, REALESTATE, PERCEPTION_POINTS, PERCEPTION_OBJECTS, WAYMO)
