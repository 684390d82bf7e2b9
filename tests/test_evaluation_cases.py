from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plans import blob_labels, tiny_geometry

from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Float3
from kneecascade.core.labels import Labels
from kneecascade.errors import ImageError
from kneecascade.evaluation.cases import Pair, score_files, score_pair
from kneecascade.evaluation.measures import MeasureSettings
from kneecascade.imaging.files import write_labels

LABELS = Labels(("background", "bone", "cartilage"), (0, 1, 2))


def _write(path: Path, array: np.ndarray, spacing_mm: Float3 = (1.0, 1.0, 1.0)) -> Path:
    write_labels(LabelVolume(array, tiny_geometry(array.shape, spacing_mm)), path)  # type: ignore[arg-type]
    return path


def test_volumes_count_the_reference_voxels(tmp_path: Path) -> None:
    labels = blob_labels()
    path = _write(tmp_path / "a.nii.gz", labels, (2.0, 1.0, 0.5))
    score = score_files(path, path, LABELS)["bone"]
    assert score["dice"] == 1
    assert score["reference_ml"] == pytest.approx((labels == 1).sum() / 1000)


def test_grids_must_match(tmp_path: Path) -> None:
    a = _write(tmp_path / "a.nii.gz", blob_labels())
    b = _write(tmp_path / "b.nii.gz", blob_labels(), (1.0, 1.0, 1.1))
    with pytest.raises(ImageError, match=r"b\.nii\.gz: spacing"):
        score_files(a, b, LABELS)
    with pytest.raises(ImageError, match=r"b\.nii\.gz: spacing"):
        score_files(a, a, LABELS, roi=b)


def test_what_cannot_be_scored_is_told(tmp_path: Path) -> None:
    good = _write(tmp_path / "good.nii.gz", blob_labels())
    other = _write(tmp_path / "other.nii.gz", blob_labels((24, 28, 30)))
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"no image")
    settings = MeasureSettings()
    assert score_pair(Pair("a", good, None), LABELS, settings) == "no prediction"
    assert "shape" in score_pair(Pair("a", good, other), LABELS, settings)
    assert "cannot be read" in score_pair(Pair("a", good, broken), LABELS, settings)
    assert "no such file" in score_pair(Pair("a", good, good, tmp_path / "none.mha"), LABELS, settings)
    assert score_pair(Pair("a", good, good), LABELS, settings)["bone"]["hd_mm"] == 0  # type: ignore[index]
