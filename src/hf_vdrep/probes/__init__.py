# Copyright 2026 The hf_vdrep Authors. Licensed under the Apache License, Version 2.0.
"""Readouts of frozen features, their losses and their training; they see tensors alone."""

from .._lazy import lazy_exports

_HOMES: dict[str, str] = {
    "Readout": ".readout",
    "AttentiveClassifier": ".attentive",
    "MeanPoolClassifier": ".linear",
    "LinearClassifier": ".linear",
    "SRTDepthReadout": ".dense",
    "PoseReadout": ".pose",
    "nearest_rotation": ".pose",
    "relative_pose": ".pose",
    "sub_grid": ".dense",
    "SourceDepthReadout": ".source_dense",
    "PatchDepthReadout": ".patch_dense",
    "LinearDepthReadout": ".linear_dense",
    "RecurrentPointReadout": ".tracker",
    "RecurrentBoxReadout": ".box_tracker",
    "TiledPointReadout": ".tiled_tracker",
    "TiledBoxReadout": ".tiled_tracker",
    "PointTracks": ".outputs",
    "BoxTracks": ".outputs",
    "box_track_loss": ".box_losses",
    "frame_weights": ".resample",
    "resample_to_frames": ".resample",
    "standardise": ".standardise",
    "classification_loss": ".losses",
    "depth_loss": ".losses",
    "pose_loss": ".losses",
    "point_track_loss": ".losses",
    "ProbeData": ".probe_data",
    "Task": ".task",
    "FitConfig": ".task",
    "TASKS": ".registry",
    "get_task": ".registry",
    "FitResult": ".fit",
    "Member": ".fit",
    "fit_readout": ".fit",
    "predict": ".fit",
    "TestSplit": ".held_out",
    "EndToEndReference": ".end_to_end",
    "save_reference": ".reference_files",
    "load_reference": ".reference_files",
}

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
