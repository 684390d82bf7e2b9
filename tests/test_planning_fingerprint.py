"""kneecascade.planning.fingerprint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plans import blob_labels, oblique_direction
from raw_folder import write_raw

from kneecascade.core.case import Case, LabelVolume
from kneecascade.core.geometry import Geometry
from kneecascade.core.labels import Labels
from kneecascade.errors import DatasetError
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.examine import examine_dataset
from kneecascade.planning.fingerprint import case_fingerprint, data_hash, hash_cases

MM = (1.0, 1.0, 1.0)
LABELS = Labels(("background", "slab", "ball", "nothing"), (0, 2, 5, 9))


def written(folder: Path, geometry: Geometry, labels: np.ndarray) -> Case:
    image = np.linspace(0, 100, labels.size, dtype=np.float32).reshape(labels.shape)
    write_channel(image, geometry, folder / "a_0000.nii.gz")
    write_labels(LabelVolume(labels, geometry), folder / "a.nii.gz")
    return Case("a", (folder / "a_0000.nii.gz",), folder / "a.nii.gz")


def test_known_shapes_are_measured(tmp_path: Path) -> None:
    labels = np.zeros((20, 40, 30), np.int16)
    labels[0:3, 5:35, 4:24] = 2
    labels[12:15, 5:9, 4:10] = 2
    z, y, x = np.ogrid[:20, :40, :30]
    labels[((z - 10) * 2.0) ** 2 + (y - 20) ** 2 + (x - 15) ** 2 < 7.5**2] = 5
    case = written(tmp_path, Geometry(labels.shape, (2.0, 1.0, 1.0)), labels)
    found = case_fingerprint(case, LABELS, "hash")
    assert (found.shape_zyx, found.spacing_mm, found.files_hash) == ((20, 40, 30), (2.0, 1.0, 1.0), "hash")
    slab, ball, nothing = found.labels
    assert slab.volume_mm3 == (3 * 30 * 20 + 3 * 4 * 6) * 2
    assert (slab.components, slab.touches_border) == (2, True)
    assert slab.box_start_mm == (0.0, 5.0, 4.0)
    assert slab.extent_mm == (30.0, 30.0, 20.0)
    assert slab.thickness_mm == pytest.approx(6, abs=2)
    assert ball.thickness_mm == pytest.approx(15, abs=2)
    assert (ball.components, ball.touches_border) == (1, False)
    assert (nothing.volume_mm3, nothing.components, nothing.extent_mm) == (0.0, 0, (0.0, 0.0, 0.0))
    (grey,) = found.channels
    assert (grey.minimum, grey.maximum) == (0.0, 100.0)
    assert grey.percentile_50 == pytest.approx(50, abs=0.1)
    assert grey.percentile_99_5 == pytest.approx(99.5, abs=0.1)


def test_axes_are_canonical_whatever_the_file_says(tmp_path: Path) -> None:
    # file axes (z, y, x) run left, head, front: sagittal slices, as OAI knees are stored
    direction = (0.0, 0.0, 1.0, -1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    labels = np.zeros((16, 40, 30), np.int16)
    labels[2:6, 10:30, 5:10] = 2
    case = written(tmp_path, Geometry(labels.shape, (0.7, 0.4, 0.5), direction_xyz=direction), labels)
    found = case_fingerprint(case, LABELS)
    assert found.shape_zyx == (40, 30, 16)
    assert found.spacing_mm == pytest.approx((0.4, 0.5, 0.7))
    assert found.labels[0].extent_mm == pytest.approx((8.0, 2.5, 2.8))
    assert found.labels[0].box_start_mm == pytest.approx((4.0, 10.0, 1.4))


def test_obliqueness_changes_nothing(tmp_path: Path) -> None:
    labels = np.where(blob_labels((20, 24, 28)) == 1, 2, 0).astype(np.int16)
    straight = case_fingerprint(written(tmp_path / "a", Geometry(labels.shape, MM), labels), LABELS)
    turned = Geometry(labels.shape, MM, direction_xyz=oblique_direction((12.0, -8.0, 5.0)))
    assert case_fingerprint(written(tmp_path / "b", turned, labels), LABELS).labels == straight.labels


def test_a_case_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="a: a training case needs a label file"):
        case_fingerprint(Case("a", (tmp_path / "a.nii.gz",)), LABELS)


def test_the_hash_follows_the_data(tmp_path: Path) -> None:
    folder = write_raw(tmp_path / "Dataset001_Knee", cases=2)
    raw = read_dataset(folder)
    before = hash_cases(raw, 2)
    assert before == hash_cases(raw)
    problems, found = examine_dataset(raw, before)
    assert not problems
    assert found is not None
    assert found.data_hash == data_hash(raw, before)
    assert [case.files_hash for case in found.cases] == list(before)
    (folder / "labelsTr/case0.nii.gz").write_bytes((folder / "labelsTr/case1.nii.gz").read_bytes() + b" ")
    after = hash_cases(raw)
    assert (after[0] == before[0], after[1] == before[1]) == (False, True)
    assert data_hash(raw, after) != data_hash(raw, before)
