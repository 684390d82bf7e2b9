"""A data set whose folds are trained already, by networks that compare grey values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from raw_folder import write_json_file
from tiny_models import GREY, knee, save_grey_model, use_grey_networks

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.fingerprint import DatasetFingerprint
from kneecascade.core.labels import Labels
from kneecascade.core.record import to_plain
from kneecascade.files import write_json
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.pipeline import cross_validation_ensemble, validate
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.fingerprint import case_fingerprint
from kneecascade.workspace import FINGERPRINT, SPLITS, TEST, Workspace

NAME = "Dataset001_Tiny"
STRAY = (slice(3, 7), slice(3, 7), slice(3, 7))
"""Bright in every image, no label in any reference: cartilage by its grey value."""
SECOND_BONE = (slice(28, 33), slice(30, 36), slice(3, 8))
"""Bone in image and reference, apart from the ball."""


def odd_knee(seed: int) -> tuple[Volume, LabelVolume]:
    """Returns a knee with a stray bright cube, and with a second bone that the reference has too."""
    volume, labels = knee(seed)
    volume.array[(0, *STRAY)] += GREY[2] - GREY[0]
    volume.array[(0, *SECOND_BONE)] += GREY[1] - GREY[0]
    labels.array[SECOND_BONE] = 1
    return volume, labels


def build(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, cases: int = 6, folds: int = 3) -> Path:
    """Writes raw data, fingerprint, splits and trained folds; returns the model's folder.

    Subjects s0 to s5 of two sites have a case each; imagesTs has two labelled cases.
    """
    use_grey_networks(monkeypatch)
    monkeypatch.setattr(validate, "draw_result", lambda *_: None)  # pictures are slow, and tested elsewhere
    monkeypatch.setattr(cross_validation_ensemble, "PICTURES", 1)
    raw, prepared = workspace.raw / NAME, workspace.preprocessed / NAME
    write_json_file(raw)
    for k in range(cases):
        _write(raw, f"case{k}", "Tr", k)
    for k in range(2):
        _write(raw, f"unseen{k}", "Ts", 50 + k)
    rows = [f"case{k},s{k},{'east' if k % 2 else 'west'}" for k in range(cases)]
    rows += [f"unseen{k},t{k},west" for k in range(2)]
    (raw / "subjects.csv").write_text("\n".join(["case,subject,site", *rows]))
    names = [f"case{k}" for k in range(cases)]
    parts = [names[k::folds] for k in range(folds)]
    write_json(
        prepared / SPLITS,
        [{"train": sorted(set(names) - set(part)), "val": part} for part in parts],
    )
    labels = Labels(("background", "bone", "cartilage"), (0, 1, 2))
    measured = tuple(case_fingerprint(case, labels) for case in read_dataset(raw).training)
    write_json(prepared / FINGERPRINT, to_plain(DatasetFingerprint(NAME, "0" * 16, measured)))
    return save_grey_model(workspace.results / NAME, folds=range(folds), shift=0.01)


def set_aside(workspace: Workspace, name: str) -> None:
    """Moves a training case to the test set: out of the splits, into test.json."""
    folder = workspace.preprocessed / NAME
    write_json(folder / TEST, {"test": [name]})
    splits = json.loads((folder / SPLITS).read_text())
    kept = [{part: [n for n in split[part] if n != name] for part in split} for split in splits]
    write_json(folder / SPLITS, kept)


def _write(raw: Path, name: str, part: str, seed: int) -> None:
    volume, labels = odd_knee(seed)
    write_channel(volume.array[0], volume.geometry, raw / f"images{part}" / f"{name}_0000.nii.gz")
    write_labels(
        LabelVolume(labels.array.astype(np.uint8), labels.geometry), raw / f"labels{part}" / f"{name}.nii.gz"
    )
