"""DICOM segmentations, read back."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from dicom_files import enhanced, random_stack, series_tags, write, write_series

from kneecascade.core.case import LabelVolume
from kneecascade.core.labels import Labels
from kneecascade.dicom.grouping import group
from kneecascade.dicom.scan import scan
from kneecascade.dicom.segmentation import require_highdicom, write_segmentation
from kneecascade.dicom.stack import Stack
from kneecascade.errors import ImageError, MissingExtraError

pytest.importorskip("highdicom")
LABELS = Labels(("background", "femur", "medial_meniscus", "fibula", "tibial cartilage"), (0, 1, 2, 3, 7))


def labels_on(stack: Stack, seed: int = 0) -> LabelVolume:
    assert stack.geometry is not None
    values = np.array([0, 0, 0, 1, 2, 7], np.int16)
    array = np.random.default_rng(seed).choice(values, stack.geometry.shape_zyx)
    array[:2] = 0  # slices without a label have no frame
    return LabelVolume(array, stack.geometry)


def test_a_series_is_read_back_identically(tmp_path: Path) -> None:
    import highdicom

    stack = random_stack(shape=(9, 12, 10), angles=(14.0, -6.0))
    write_series(tmp_path / "in", stack, series_tags(8))
    (found,) = group(scan(tmp_path / "in").frames)
    labels = labels_on(found.stacks[0])
    write_segmentation(labels, LABELS, found.stacks[0], tmp_path / "out/seg.dcm", "model", "left")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["seg.dcm"]

    read = highdicom.seg.segread(tmp_path / "out/seg.dcm")
    uids = [frame.uid for frame in found.stacks[0].frames]
    classes = read.get_pixels_by_source_instance(
        uids, combine_segments=True, assert_missing_frames_are_empty=True
    )
    np.testing.assert_array_equal(np.array(LABELS.values)[classes], labels.array)
    assert read.ReferencedSeriesSequence[0].SeriesInstanceUID == found.series.uid
    assert read.StudyInstanceUID == found.series.study_uid
    segments = {segment.SegmentLabel: segment for segment in read.SegmentSequence}
    assert list(segments) == ["femur", "medial_meniscus", "fibula", "tibial cartilage"]
    kind = segments["medial_meniscus"].SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("74135004", "SCT")
    modifiers = kind.SegmentedPropertyTypeModifierCodeSequence
    assert [code.CodeMeaning for code in modifiers] == ["Medial", "Left"]
    region = segments["tibial cartilage"].AnatomicRegionSequence[0]
    assert region.CodeMeaning == "Tibia"


def test_the_places_of_the_frames_are_those_of_the_labels(tmp_path: Path) -> None:
    import highdicom

    write_series(tmp_path / "in", random_stack(shape=(8, 6, 5), angles=(14.0, -6.0)), series_tags())
    (found,) = group(scan(tmp_path / "in").frames)
    labels = labels_on(found.stacks[0])
    labels.array[:] = 1
    write_segmentation(labels, LABELS, found.stacks[0], tmp_path / "seg.dcm", "model")
    read = highdicom.seg.segread(tmp_path / "seg.dcm").get_volume(combine_segments=True)
    assert labels.geometry.shape_zyx == read.spatial_shape
    corners = {tuple(np.round(frame.position_mm_xyz or (), 3)) for frame in found.stacks[0].frames}
    places = {tuple(np.round(read.affine @ [k, 0, 0, 1], 3)[:3]) for k in range(8)}
    assert places == corners


def test_frames_of_a_multi_frame_file_are_referred_to(tmp_path: Path) -> None:
    import highdicom

    stacks = [random_stack(k, shape=(8, 6, 5)) for k in (1, 2)]
    write(enhanced(stacks, series_tags()), tmp_path / "in/enhanced")
    (found,) = group(scan(tmp_path / "in").frames)
    labels = labels_on(found.stacks[1])
    write_segmentation(labels, LABELS, found.stacks[1], tmp_path / "seg.dcm", "model")
    read = highdicom.seg.segread(tmp_path / "seg.dcm")
    assert read.ReferencedSeriesSequence[0].SeriesInstanceUID == found.series.uid
    volume = read.get_volume(combine_segments=True)
    for k, frame in enumerate(found.stacks[1].frames):
        position = np.array([*(frame.position_mm_xyz or ()), 1.0])
        index = np.linalg.inv(volume.affine) @ position
        row = round(float(index[0]))
        there = np.array(LABELS.values)[volume.array[row]] if 0 <= row < len(volume.array) else 0
        np.testing.assert_array_equal(np.broadcast_to(there, (6, 5)), labels.array[k])


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingExtraError, match=r"pip install kneecascade\[dicom\]"):
        require_highdicom()


def test_nothing_is_written_where_there_is_nothing_to_write(tmp_path: Path) -> None:
    write_series(tmp_path / "in", random_stack(), series_tags())
    (found,) = group(scan(tmp_path / "in").frames)
    labels = labels_on(found.stacks[0])
    labels.array[:] = 0
    with pytest.raises(ImageError, match="no voxel has a label"):
        write_segmentation(labels, LABELS, found.stacks[0], tmp_path / "seg.dcm", "model")
    labels.array[4] = 1
    wrong = LabelVolume(labels.array[1:], labels.geometry)
    with pytest.raises(ImageError, match="another grid"):
        write_segmentation(wrong, LABELS, found.stacks[0], tmp_path / "seg.dcm", "model")
    assert not (tmp_path / "seg.dcm").exists()
