# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Action data sets."""

from .spec import StreamSpec

_CROP = "largest centre square; `views=3` gives three squares along the longer side, as V-JEPA evaluates"
_KINETICS_LICENCE = (
    "Annotations: CC BY 4.0 (Google). The videos belong to their YouTube uploaders; use is bound by YouTube's terms."
)
_KINETICS_LAYOUT = """\
annotations/train.csv             label,youtube_id,time_start,time_end,split
annotations/val.csv
train/-3B32lodo2M_000059_000069.mp4  (or train/<label>/<the same>.mp4)
val/0wR5jVB-WPk_000417_000427.mp4"""

KINETICS_400 = StreamSpec(
    name="kinetics-400",
    title="Kinetics-400",
    tasks=("action_coarse",),
    labels=("action_coarse",),
    reads="clip",
    source="https://github.com/cvdfoundation/kinetics-dataset",
    splits={"train": "train", "validation": "val", "test": "test"},
    label_space="400 actions, in alphabetical order of the names in train.csv",
    num_classes=400,
    licence=_KINETICS_LICENCE,
    obtain="Run k400_downloader.sh and k400_extractor.sh of the CVDF repository; test labels come with its "
    "annotations.",
    layout=_KINETICS_LAYOUT + "\nreplacement/replacement_for_corrupted_k400/....mp4  (read instead of the damaged)",
    decode="17 frames, every 4th, from the middle; V-JEPA evaluates 16 at the same stride, segments=8, views=3",
    crop=_CROP,
    opener="kinetics:Kinetics",
    defaults={"stride": 4},
)

KINETICS_700 = StreamSpec(
    name="kinetics-700",
    title="Kinetics-700-2020",
    tasks=("action_many",),
    labels=("action_many",),
    reads="clip",
    source="https://github.com/cvdfoundation/kinetics-dataset",
    splits={"train": "train", "validation": "val", "test": "test"},
    label_space="700 actions, in alphabetical order of the names in train.csv",
    num_classes=700,
    licence=_KINETICS_LICENCE,
    obtain="Run k700_2020_downloader.sh and k700_2020_extractor.sh of the CVDF repository.",
    layout=_KINETICS_LAYOUT,
    decode="17 frames, every 4th, from the middle; V-JEPA evaluates 16 at the same stride, segments=8, views=3",
    crop=_CROP,
    opener="kinetics:Kinetics",
    defaults={"stride": 4},
)

SOMETHING = StreamSpec(
    name="something-something-v2",
    title="Something-Something v2",
    tasks=("action_motion",),
    labels=("action_motion",),
    reads="clip",
    source="https://www.qualcomm.com/developer/software/something-something-v-2-dataset",
    splits={"train": "train", "validation": "validation", "test": "test"},
    label_space="174 templates, numbered by labels.json; many are the time-reverse of another",
    num_classes=174,
    licence="Qualcomm's Something-Something data licence: non-commercial research only, no redistribution.",
    obtain="Accept the licence on the home page, download the archive's parts and the labels package, join the parts "
    "with cat and unpack.",
    layout="""\
20bn-something-something-v2/78687.webm  (or videos/)
labels/train.json                 [{"id": "78687", "label": ..., "template": "Holding [something] next to ..."}]
labels/validation.json
labels/test.json
labels/test-answers.csv           1420;Showing that something is inside something
labels/labels.json                {"Approaching something with your camera": "0", ...}""",
    decode="17 frames, every 2nd, from the middle; V-JEPA evaluates 16 at stride 4, segments=2, views=3",
    crop=_CROP,
    opener="something:SomethingSomething",
    defaults={"stride": 2},
    mirror=False,
)

ACTIONS = (KINETICS_400, KINETICS_700, SOMETHING)
