"""Small raw data sets on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from plans import blob_labels

from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Float3, Geometry, Int3
from kneecascade.imaging.files import write_channel, write_labels

LABELS = {"background": 0, "bone": 1, "cartilage": 2}


def write_json_file(folder: Path, **changes: object) -> None:
    """Writes dataset.json; a change to None leaves the entry out."""
    entries: dict[str, object] = {
        "channel_names": {"0": "MRI"},
        "labels": LABELS,
        "file_ending": ".nii.gz",
        **changes,
    }
    folder.mkdir(parents=True, exist_ok=True)
    kept = {key: value for key, value in entries.items() if value is not None}
    (folder / "dataset.json").write_text(json.dumps(kept))


def write_case_files(
    folder: Path,
    name: str,
    part: str = "Tr",
    channels: int = 1,
    shape: Int3 = (24, 28, 32),
    spacing: Float3 = (1.0, 1.0, 1.0),
    seed: int = 0,
) -> None:
    """Writes noisy images of a bone with cartilage, with its labels."""
    labels = blob_labels(shape, spacing)
    geometry = Geometry(shape, spacing)
    draw = np.random.default_rng(seed)
    for k in range(channels):
        image = (100 * labels + draw.normal(100, 5, shape)).astype(np.float32)
        write_channel(image, geometry, folder / f"images{part}" / f"{name}_{k:04d}.nii.gz")
    write_labels(LabelVolume(labels, geometry), folder / f"labels{part}" / f"{name}.nii.gz")


def write_raw(folder: Path, cases: int = 3, test: int = 0, channels: int = 1) -> Path:
    """Writes a sound data set; returns its folder."""
    names = {str(k): f"MRI{k}" for k in range(channels)}
    write_json_file(folder, channel_names=names, numTraining=cases)
    for k in range(cases):
        write_case_files(folder, f"case{k}", channels=channels, seed=k)
    for k in range(test):
        write_case_files(folder, f"unseen{k}", "Ts", channels=channels, seed=100 + k)
    return folder
