# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Whatever one has to train on."""

from .spec import StreamSpec

_SPLITS = {"train": "train", "validation": "validation", "test": "test"}
_CAPTIONS = {"text": "caption", "caption": "caption"}
_OWN = "Your own; nothing here grants rights to the files."

IMAGE_FOLDER = StreamSpec(
    name="image-folder",
    title="Any folder of pictures",
    tasks=(),
    labels=("object", "caption"),
    reads="image",
    source="a folder",
    splits=_SPLITS,
    columns=_CAPTIONS,
    label_space="one class per sub-folder, in alphabetical order; captions from metadata.csv or metadata.jsonl",
    licence=_OWN,
    obtain="Any pictures (jpg, png, webp, bmp, gif).",
    layout="""\
train/cat/1.jpg                   (or without train/, for the split "train")
train/metadata.csv                file_name,text  (or metadata.jsonl; optional)""",
    decode="one still picture",
    crop='largest centre square; `crop="random"` for training',
    opener="folders:Folder",
    settings={"media": "image", "label": "object"},
)

VIDEO_FOLDER = StreamSpec(
    name="video-folder",
    title="Any folder of videos",
    tasks=(),
    labels=("action_coarse", "caption"),
    reads="clip",
    source="a folder",
    splits=_SPLITS,
    columns=_CAPTIONS,
    label_space="one class per sub-folder, in alphabetical order; captions from metadata.csv or metadata.jsonl",
    licence=_OWN,
    obtain="Any videos (mp4, mov, webm, mkv, avi).",
    layout="""\
train/running/1.mp4               (or without train/, for the split "train")
train/metadata.jsonl              {"file_name": "running/1.mp4", "text": "..."}  (or metadata.csv; optional)""",
    decode="17 consecutive frames from the middle; `jitter=True` and `stride` or `fps` for training",
    crop='largest centre square; `crop="random"` for training',
    opener="folders:Folder",
    settings={"media": "video", "label": "action_coarse"},
)

WEBDATASET = StreamSpec(
    name="webdataset",
    title="WebDataset shards",
    tasks=(),
    labels=("caption", "object"),
    reads="clip",
    source="a folder of tar files",
    splits=_SPLITS,
    columns={"txt": "caption", "json.caption": "caption", "cls": "object"},
    label_space="captions from .txt or the `caption` of .json, class numbers from .cls; `columns` names others",
    licence=_OWN,
    obtain="Tar files whose members share a stem: 000017.mp4, 000017.txt.",
    layout="""\
train-000000.tar                  000017.mp4 (or .jpg, .png, .webp, .webm), 000017.txt, 000017.json, 000017.cls
train-000001.tar                  (or train/000001.tar; likewise val or validation)""",
    decode="stills as pictures, videos as 17 consecutive frames from the middle",
    crop="largest centre square",
    opener="tar_shards:TarShards",
)

HUB = StreamSpec(
    name="hub",
    title="Any Hub data set, or folder of parquet files",
    tasks=(),
    labels=("caption", "object"),
    reads="clip",
    source="a Hub id or a folder, as root",
    splits=_SPLITS,
    label_space="as `columns` says: their column -> media, id, caption, or a class label such as object",
    licence="As the data set's card says.",
    obtain='`open_stream("hub", "owner/name", columns={"image": "media", "text": "caption"})`',
    layout="""\
data/train-00000-of-00001.parquet  with an Image or Video column""",
    decode="stills as pictures, videos as 17 consecutive frames from the middle",
    crop="largest centre square",
    opener="hub_rows:HubRows",
)

TRAINING = (IMAGE_FOLDER, VIDEO_FOLDER, WEBDATASET, HUB)
