from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plans import blob_labels, tiny_geometry

from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Float3
from kneecascade.core.labels import Labels
from kneecascade.errors import ImageError
from kneecascade.evaluation.report import Statistic, evaluate_pairs, mean_dice, score_files, statistic
from kneecascade.imaging.files import write_labels

LABELS = Labels(("background", "bone", "cartilage"), (0, 1, 2))


def _write(path: Path, array: np.ndarray, spacing_mm: Float3 = (1.0, 1.0, 1.0)) -> Path:
    write_labels(LabelVolume(array, tiny_geometry(array.shape, spacing_mm)), path)  # type: ignore[arg-type]
    return path


def test_statistic() -> None:
    assert statistic([None]) == Statistic(None, None, 0)
    assert statistic([0.5, None]) == Statistic(0.5, None, 1)
    two = statistic([0.4, None, 0.6])
    assert (two.mean, two.n) == (pytest.approx(0.5), 2)
    assert two.sd == pytest.approx(np.std([0.4, 0.6], ddof=1))


def test_volumes_count_the_reference_voxels(tmp_path: Path) -> None:
    labels = blob_labels()
    path = _write(tmp_path / "a.nii.gz", labels, (2.0, 1.0, 0.5))
    score = score_files(path, path, LABELS)["bone"]
    assert score.dice == 1
    assert score.reference_ml == pytest.approx((labels == 1).sum() / 1000)


def test_grids_must_match(tmp_path: Path) -> None:
    a = _write(tmp_path / "a.nii.gz", blob_labels())
    b = _write(tmp_path / "b.nii.gz", blob_labels(), (1.0, 1.0, 1.1))
    with pytest.raises(ImageError, match=r"b\.nii\.gz: spacing"):
        score_files(a, b, LABELS)


def test_what_cannot_be_scored_does_not_stop_the_rest(tmp_path: Path) -> None:
    good = _write(tmp_path / "good.nii.gz", blob_labels())
    other = _write(tmp_path / "other.nii.gz", blob_labels((24, 28, 30)))
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"no image")
    pairs = {"good": (good, good), "grid": (good, other), "none": (good, None), "broken": (good, broken)}
    scores = evaluate_pairs(pairs, LABELS)
    assert list(scores.cases) == ["good"]
    assert set(scores.problems) == {"grid", "none", "broken"}
    assert scores.problems["none"] == "no prediction"
    assert mean_dice(scores.cases, LABELS)["cartilage"] == Statistic(1.0, None, 1)
