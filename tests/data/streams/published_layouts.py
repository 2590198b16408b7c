# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Small copies of the published data sets, written file by file as their owners lay them out.

Every writer returns what it wrote, by sample id, so that the tests compare against the source and not against the
reader.
"""

import csv
import io
import json
import struct
import zlib

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

COLOURS = np.array([[200, 40, 40], [40, 180, 60], [50, 60, 210], [210, 200, 50]], np.uint8)


def picture(label, index=0, size=(40, 56)):
    """A bright square on the class's colour; (H, W, 3)."""
    array = np.empty((*size, 3), np.uint8)
    array[:] = COLOURS[label % 4]
    array[4 + index % 8 : 14 + index % 8, 6:16] = 250
    return array


def save_picture(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, format="PNG" if path.suffix == ".png" else "JPEG", quality=95)


def save_video(path, frames, rate=10, codec="libx264"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        options = (
            {"preset": "ultrafast", "crf": "12", "threads": "1"}
            if codec == "libx264"
            else {"deadline": "realtime", "cpu-used": "8", "threads": "1"}
        )
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def moving(label, count=40, size=(48, 64), start=4):
    """A square that goes right (even labels) or left, on the class's colour; frame i is told by its place."""
    frames = np.empty((count, *size, 3), np.uint8)
    frames[:] = COLOURS[label % 4] // 2
    for index in range(count):
        left = start + index if label % 2 == 0 else size[1] - 14 - start - index
        left = min(max(left, 0), size[1] - 10)
        frames[index, 16:28, left : left + 10] = 250
    return frames


def write_csv(path, rows, delimiter=","):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def write_imagenet(root, count=4):
    synsets = ["n01440764", "n02084071"]
    (root / "LOC_synset_mapping.txt").write_text("n02084071 dog, domestic dog\nn01440764 tench, Tinca tinca\n")
    truth = {"train": {}, "validation": {}}
    data = root / "ILSVRC/Data/CLS-LOC"
    for label, synset in enumerate(synsets):
        for index in range(count):
            name = f"{synset}_{index}"
            save_picture(data / "train" / synset / f"{name}.JPEG", picture(label, index))
            truth["train"][name] = label
    rows = [("ImageId", "PredictionString")]
    for index in range(count):
        name, label = f"ILSVRC2012_val_{index + 1:08d}", index % 2
        save_picture(data / "val" / f"{name}.JPEG", picture(label, index))
        rows.append((name, f"{synsets[label]} 85 1 499 272 "))
        truth["validation"][name] = label
    write_csv(root / "LOC_val_solution.csv", rows)
    return truth


def write_places(root, count=4):
    names = ["/a/airfield", "/b/bus_station/indoor"]
    (root / "categories_places365.txt").write_text("".join(f"{name} {i}\n" for i, name in enumerate(names)))
    truth = {"train": {}, "validation": {}}
    train, val = [], []
    for index in range(2 * count):
        label = index % 2
        name = f"{names[label]}/{index:08d}.jpg"
        save_picture(root / f"data_256{name}", picture(label, index, (40, 40)))
        train.append(f"{name} {label}")
        truth["train"][f"train{name}"] = label
    for index in range(count):
        name = f"Places365_val_{index + 1:08d}.jpg"
        save_picture(root / "val_256" / name, picture(index % 2, index, (40, 40)))
        val.append(f"{name} {index % 2}")
        truth["validation"][f"val/{name}"] = index % 2
    (root / "places365_train_standard.txt").write_text("\n".join(train))
    (root / "places365_val.txt").write_text("\n".join(val) + "\n")
    return truth


def write_inaturalist(root, count=4):
    truth = {"train": {}, "validation": {}}
    number = 0
    for split, name in (("train", "train"), ("validation", "val")):
        images, annotations = [], []
        for index in range(count):
            label = index % 3
            file = f"train_val2018/Plantae/{label}/{name}{index:030x}.jpg"
            save_picture(root / file, picture(label, index))
            images.append({"id": number, "file_name": file, "width": 56, "height": 40, "license": 1})
            annotations.append({"id": number, "image_id": number, "category_id": label})
            truth[split][str(number)] = label
            number += 1
        categories = [{"id": i, "name": str(i), "supercategory": "Plantae"} for i in (2, 0, 1)]
        content = {"info": {}, "images": images, "annotations": annotations, "categories": categories, "licenses": []}
        (root / f"{name}2018.json").write_text(json.dumps(content))
    return truth


def write_kinetics(root, count=4, nested=False):
    labels = ["abseiling", "zumba"]
    truth = {"train": {}, "validation": {}}
    for split, name in (("train", "train"), ("validation", "val")):
        rows = [("label", "youtube_id", "time_start", "time_end", "split", "is_cc")]
        for index in range(count):
            label, video = index % 2, f"-{name:_<4.4}{index:06d}"  # 11 letters, as on YouTube
            stem = f"{video}_{index:06d}_{index + 10:06d}"
            folder = root / name / labels[label] if nested else root / name
            save_video(folder / f"{stem}.mp4", moving(label, 40 + index))
            rows.append((labels[label], video, index, index + 10, name, 0))
            truth[split][stem] = label
        rows.append((labels[1], "gone_forever", 1, 11, name, 0))
        write_csv(root / "annotations" / f"{name}.csv", rows)
    return truth


def write_something(root, count=4):
    templates = ["Pushing [something] from left to right", "Pushing [something] from right to left"]
    order = {"Pushing something from right to left": "1", "Pushing something from left to right": "0"}
    (root / "labels").mkdir(parents=True, exist_ok=True)
    (root / "labels/labels.json").write_text(json.dumps(order))
    truth = {"train": {}, "validation": {}}
    number = 1
    for split in truth:
        entries = []
        for index in range(count):
            save_video(root / f"20bn-something-something-v2/{number}.webm", moving(index % 2, 24), 12, "libvpx")
            template = templates[index % 2]
            entries.append({"id": str(number), "label": template, "template": template, "placeholders": ["a pen"]})
            truth[split][str(number)] = index % 2
            number += 1
        (root / f"labels/{split}.json").write_text(json.dumps(entries))
    (root / "labels/test.json").write_text(json.dumps([{"id": "1"}]))
    write_csv(root / "labels/test-answers.csv", [("1", "Pushing something from left to right")], ";")
    return truth


def camera_path(count, speed=1.0):
    """Camera-to-world (count, 4, 4): a step to the right and a small turn about y per frame."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    for index in range(count):
        angle = 0.01 * speed * index
        poses[index, :3, :3] = [
            [np.cos(angle), 0, np.sin(angle)],
            [0, 1, 0],
            [-np.sin(angle), 0, np.cos(angle)],
        ]
        poses[index, :3, 3] = [0.02 * speed * index, 0.1, 0]
    return poses


def scan_depth(index, size=(24, 32)):
    """Millimetres: a slope, a hole (0) and a far corner (more than 10 m)."""
    depth = 1000 + 20 * np.arange(size[1])[None, :] + 10 * index + np.zeros(size)
    depth[:3, :3], depth[-2:, -2:] = 0, 12_000
    return depth.astype(np.uint16)


DEPTH_INTRINSICS = np.array([[30.0, 0, 15.5, 0], [0, 30, 11.5, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


def write_scannet(root, count=24):
    """One scene as `.sens`, one exported; a third in which tracking was lost."""
    scenes = {"train": ["scene0000_00", "scene0001_00", "scene0002_00"], "val": ["scene0003_00"]}
    for split, names in scenes.items():
        (root / f"scannetv2_{split}.txt").write_text("\n".join(names) + "\n")
        for number, name in enumerate(names):
            poses = camera_path(count)
            if number == 2:
                poses[4] = -np.inf
            if number == 0:
                write_sens(root / "scans" / name / f"{name}.sens", poses)
            else:
                write_export(root / "scans" / name, poses)
    return {"poses": camera_path(count), "depth": [scan_depth(index) / 1000 for index in range(count)]}


def write_sens(path, poses):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        name = b"StructureSensor"
        file.write(struct.pack("<I", 4) + struct.pack("<Q", len(name)) + name)
        for matrix in (np.eye(4), np.eye(4), DEPTH_INTRINSICS, np.eye(4)):
            file.write(struct.pack("<16f", *matrix.ravel()))
        file.write(struct.pack("<ii", 2, 1) + struct.pack("<IIII", 64, 48, 32, 24) + struct.pack("<f", 1000.0))
        file.write(struct.pack("<Q", len(poses)))
        for index, pose in enumerate(poses):
            colour = io.BytesIO()
            Image.fromarray(moving(0)[index % 40]).save(colour, "JPEG", quality=95)
            depth = zlib.compress(scan_depth(index).tobytes())
            file.write(struct.pack("<16f", *pose.ravel()))
            file.write(struct.pack("<QQQQ", index, index, len(colour.getvalue()), len(depth)))
            file.write(colour.getvalue() + depth)


def write_export(folder, poses):
    for name in ("color", "depth", "pose", "intrinsic"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / "intrinsic/intrinsic_depth.txt", DEPTH_INTRINSICS, fmt="%f")
    for index, pose in enumerate(poses):
        save_picture(folder / f"color/{index}.jpg", moving(0)[index % 40])
        Image.fromarray(scan_depth(index)).save(folder / f"depth/{index}.png")
        np.savetxt(folder / f"pose/{index}.txt", pose, fmt="%f")


def write_realestate(root, count=24):
    """Frames by time stamp for the training set, a whole video for the test set; a fast and a slow camera.

    The colour of the clip tells which camera it is.
    """
    cameras = {"0000cc6d8b108390": ("train", 0), "00028da87cc5a4c4": ("train", 1), "000c3ab189999a83": ("test", 1)}
    truth = {}
    for name, (split, kind) in cameras.items():
        truth[name] = camera_path(count, 1.0 + kind)
        lines = ["https://www.youtube.com/watch?v=9bEyZ9gfWdQ"]
        for index, pose in enumerate(truth[name]):
            stamp = round(index * 1e6 / 10)
            numbers = " ".join(f"{value:.9f}" for value in np.linalg.inv(pose)[:3].ravel())
            lines.append(f"{stamp} 0.9 1.2 0.5 0.5 0.0 0.0 {numbers}")
            if split == "train":
                save_picture(root / f"frames/{split}/{name}/{stamp}.jpg", moving(kind)[index])
        path = root / f"RealEstate10K/{split}/{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")
    save_video(root / "videos/9bEyZ9gfWdQ.mp4", moving(1, count))
    return truth


def write_perception(root, count=34, videos=3):
    """Point tracks at every frame, object tracks at every second one, of the moving square."""
    for split in ("train", "valid"):
        entries = {}
        for number in range(videos):
            name = f"video_{number}{split}"
            frames = moving(number, count)
            save_video(root / f"videos/{name}.mp4", frames, 30)
            entries[name] = {
                "metadata": {"split": split, "video_id": name, "frame_rate": 30.0, "num_frames": count,
                             "resolution": [48, 64]},
                "point_tracking": [
                    _point_track(0, frames, 5, 2, range(count)),
                    _point_track(1, frames, 9, 7, [i for i in range(count) if i % 4 != 3]),
                    _point_track(2, frames, 4, 4, range(9, count)),
                ],
                "object_tracking": [_object_track(0, frames, range(count))],
            }  # fmt: skip
        for kind in ("point_tracking", "all"):
            (root / f"{kind}_{split}.json").write_text(json.dumps(entries))


def square_left(frame):
    """Column of the bright square's left edge."""
    return int(np.flatnonzero(frame[20, :, :].min(axis=-1) > 240)[0])


def _point_track(number, frames, right, down, known):
    places = [(16 + down, square_left(frames[index]) + right) for index in known]
    rows = [[y / 48 for y, _ in places], [x / 64 for _, x in places]]
    return {"id": number, "label": "p", "parent_objects": [0], "frame_ids": list(known), "points": rows}


def _object_track(number, frames, known):
    boxes = [[(left := square_left(frames[i])) / 64, 16 / 48, (left + 10) / 64, 28 / 48] for i in known]
    first = [1] + [0] * (len(boxes) - 1)
    return {"id": number, "label": "square", "is_occluder": 0, "bounding_boxes": boxes, "frame_ids": list(known),
            "initial_tracking_box": first, "timestamps": [i * 33_333 for i in known],
            "is_masked": [0] * len(boxes)}  # fmt: skip


WAYMO_SIZE = (64, 96)


def write_waymo(root, count=50, segments=2):
    """A front camera of 64x96 pixels at 10 frames a second: a large car, a dot, and one that leaves."""
    for split in ("training", "validation"):
        for number in range(segments):
            name = f"{1000 + number}_{split}_000_000"
            key = {"key.segment_context_name": [], "key.frame_timestamp_micros": [], "key.camera_name": []}
            images, boxes = [], []
            for index in range(count):
                stamp = 1_550_000_000_000_000 + index * 100_000
                for camera in (1, 2):
                    key["key.segment_context_name"].append(name)
                    key["key.frame_timestamp_micros"].append(stamp)
                    key["key.camera_name"].append(camera)
                    images.append(_jpeg(waymo_frame(index, number)))
                for track, box in waymo_boxes(index, number).items():
                    boxes.append((name, stamp, 1, track, *box))
            _parquet(root / split / "camera_image" / f"{name}.parquet",
                     {**key, "[CameraImageComponent].image": images})  # fmt: skip
            names = ["key.segment_context_name", "key.frame_timestamp_micros", "key.camera_name",
                     "key.camera_object_id", *(f"[CameraBoxComponent].box.{part}" for part in
                     ("center.x", "center.y", "size.x", "size.y"))]  # fmt: skip
            columns = {column: [box[place] for box in boxes] for place, column in enumerate(names)}
            _parquet(root / split / "camera_box" / f"{name}.parquet", columns)
            _parquet(root / split / "camera_calibration" / f"{name}.parquet", {
                "key.segment_context_name": [name], "key.camera_name": [1],
                "[CameraCalibrationComponent].width": [WAYMO_SIZE[1]],
                "[CameraCalibrationComponent].height": [WAYMO_SIZE[0]],
            })  # fmt: skip


def waymo_boxes(index, number=0):
    """Centre and size in pixels of every object that is annotated in a frame."""
    boxes = {"car": (30.0 + index * 0.5 + number, 32.0, 16.0, 20.0), "dot": (50.0, 10.0, 2.0, 2.0)}
    if index < 12:
        boxes["leaver"] = (60.0, 40.0, 14.0, 14.0)
    return boxes


def waymo_frame(index, number=0):
    frame = np.full((*WAYMO_SIZE, 3), 60, np.uint8)
    x, y, width, height = waymo_boxes(index, number)["car"]
    frame[round(y - height / 2) : round(y + height / 2), round(x - width / 2) : round(x + width / 2)] = 240
    return frame


def _jpeg(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def _parquet(path, columns):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
