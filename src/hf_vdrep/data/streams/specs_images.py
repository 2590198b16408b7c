# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Picture data sets: objects, scenes, fine-grained classes."""

from .spec import StreamSpec

_CROP = "largest centre square times `share`=0.875: resize 256, crop 224, as V-JEPA evaluates"

IMAGENET = StreamSpec(
    name="imagenet-1k",
    title="ImageNet-1k (ILSVRC 2012)",
    tasks=("object",),
    labels=("object",),
    reads="image",
    source="ILSVRC/imagenet-1k",
    hub=True,
    splits={"train": "train", "validation": "val"},
    columns={"image": "media", "label": "object"},
    label_space="1,000 WordNet synsets, numbered in the order of their ids",
    num_classes=1000,
    licence="ImageNet terms of access: non-commercial research and education, no redistribution; images keep the "
    "rights of their owners.",
    obtain="Accept the terms on the Hub page ILSVRC/imagenet-1k, or on kaggle.com (ImageNet Object Localization "
    "Challenge), and unpack imagenet_object_localization_patched2019.tar.gz.",
    layout="""\
LOC_synset_mapping.txt            n01440764 tench, Tinca tinca
LOC_val_solution.csv              ImageId,PredictionString
ILSVRC/Data/CLS-LOC/train/n01440764/n01440764_10026.JPEG
ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG
(or train/<synset>/*.JPEG and val/<synset>/*.JPEG; or the parquet files of the Hub data set under data/)""",
    decode="one still picture",
    crop=_CROP,
    opener="imagenet:ImageNet",
    defaults={"share": 0.875},
)

PLACES = StreamSpec(
    name="places365",
    title="Places365-Standard",
    tasks=("scene",),
    labels=("scene",),
    reads="image",
    source="http://places2.csail.mit.edu/download.html",
    splits={"train": "train", "validation": "val"},
    label_space="365 scene categories, numbered by categories_places365.txt",
    num_classes=365,
    licence="Places terms of use: non-commercial research and education only; the images belong to their owners.",
    obtain="Download the small (256x256) or large Places365-Standard archives and filelist_places365-standard.tar "
    "from the home page, and unpack them side by side.",
    layout="""\
categories_places365.txt          /a/airfield 0
places365_train_standard.txt      /a/airfield/00000001.jpg 0
places365_val.txt                 Places365_val_00000001.jpg 165
data_256/a/airfield/00000001.jpg  (or data_large, data_256_standard, data_large_standard)
val_256/Places365_val_00000001.jpg  (or val_large)
(the three lists may lie in filelist_places365-standard/)""",
    decode="one still picture",
    crop=_CROP,
    opener="places:Places365",
    defaults={"share": 0.875},
)

INATURALIST = StreamSpec(
    name="inaturalist-2018",
    title="iNaturalist 2018 (FGVC5)",
    tasks=("fine",),
    labels=("fine",),
    reads="image",
    source="https://github.com/visipedia/inat_comp/tree/master/2018",
    splits={"train": "train", "validation": "val"},
    label_space="8,142 species, long-tailed in train, numbered by category id",
    num_classes=8142,
    licence="iNaturalist competition terms: non-commercial research and education; every image carries its "
    "photographer's own licence, named in the JSON.",
    obtain="Download train_val2018.tar.gz, train2018.json.tar.gz and val2018.json.tar.gz from the competition page "
    "and unpack them side by side.",
    layout="""\
train2018.json                    images, annotations, categories (COCO style)
val2018.json
train_val2018/Plantae/7477/3b60c9486db1d2ee875f11a669fbde4a.jpg""",
    decode="one still picture",
    crop=_CROP,
    opener="inaturalist:INaturalist2018",
    defaults={"share": 0.875},
)

IMAGES = (IMAGENET, PLACES, INATURALIST)
