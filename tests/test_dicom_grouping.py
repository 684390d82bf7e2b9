"""Frames to volumes, echoes to sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dicom_files import enhanced, random_stack, series_tags, slices
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from kneecascade.dicom.grouping import ImageSet, group
from kneecascade.dicom.header import frames_of


def sets_of(*series: list[Dataset]) -> list[ImageSet]:
    images = [image for one in series for image in one]
    return group(f for k, image in enumerate(images) for f in frames_of(image, Path(f"f{k}"), f"f{k}"))


def echo_series(number: int, tags: dict[str, Any], **more: Any) -> list[Dataset]:
    stack = random_stack(number, angles=(4.0, 9.0))
    return slices(stack, {**tags, "EchoNumbers": number, "EchoTime": f"{7.5 * number}", **more})


def test_eight_echoes_of_one_series_are_eight_volumes() -> None:
    tags = series_tags()
    series = [image for number in range(1, 9) for image in echo_series(number, tags)]
    (found,) = sets_of(series[::-1])
    assert found.echoes == tuple(range(1, 9))
    assert [len(stack.frames) for stack in found.stacks] == [10] * 8
    assert [stack.echo_time_ms for stack in found.stacks] == [7.5 * n for n in range(1, 9)]
    assert {stack.refusal for stack in found.stacks} == {None}


def test_echo_times_tell_echoes_apart_where_numbers_are_missing_or_all_the_same() -> None:
    for number in (None, 1):
        tags = series_tags()
        series = [image for k in (2, 1) for image in echo_series(k, tags, EchoNumbers=number)]
        (found,) = sets_of(series)
        assert found.echoes == (1, 2)
        assert [stack.echo_time_ms for stack in found.stacks] == [7.5, 15.0]


def test_echoes_across_series_share_space_grid_and_timing() -> None:
    first, second = series_tags(5), series_tags(6)
    second["FrameOfReferenceUID"] = first["FrameOfReferenceUID"]
    (found,) = sets_of(echo_series(2, second), echo_series(1, first))
    assert [stack.series.number for stack in found.stacks] == [5, 6]
    assert found.echoes == (1, 2)
    for keyword, value in (
        ("FrameOfReferenceUID", generate_uid()),
        ("EchoTime", "7.5"),
        ("RepetitionTime", "2000"),
        ("FlipAngle", "90"),
        ("PatientID", "somebody else"),
        ("ImageType", ["DERIVED", "PRIMARY"]),
    ):
        found_sets = sets_of(echo_series(1, first), echo_series(2, second, **{keyword: value}))
        assert [len(found.stacks) for found in found_sets] == [1, 1], keyword


def test_another_grid_is_another_set() -> None:
    first, second = series_tags(5), series_tags(6)
    second["FrameOfReferenceUID"] = first["FrameOfReferenceUID"]
    other = slices(random_stack(angles=(4.0, 9.0), origin=(10.0, -20.0, 30.2)), {**second, "EchoTime": "15"})
    assert len(sets_of(echo_series(1, first), other)) == 2


def test_image_types_are_kept_apart() -> None:
    tags = series_tags()
    magnitude = slices(random_stack(1), {**tags, "ImageType": ["ORIGINAL", "PRIMARY", "M"]})
    phase = slices(random_stack(2), {**tags, "ImageType": ["ORIGINAL", "PRIMARY", "P"]})
    found = sets_of(magnitude + phase)
    assert [one.stacks[0].part for one in found] == ["M", "P"]
    assert [one.refusal for one in found] == [None, None]


def test_time_points_at_one_place_are_volumes_of_their_own() -> None:
    tags = series_tags()
    series = [
        image
        for time in (1, 2, 3)
        for image in slices(random_stack(time), {**tags, "TemporalPositionIdentifier": time})
    ]
    found = sets_of(series)
    assert [one.stacks[0].part for one in found] == [f"TemporalPositionIdentifier {k}" for k in (1, 2, 3)]
    assert [one.refusal for one in found] == [None] * 3


def test_an_acquisition_number_a_slice_splits_nothing() -> None:
    images = slices(random_stack(), series_tags())
    for k, image in enumerate(images):
        image.AcquisitionNumber = k
    copy = Dataset(images[3])
    copy.AcquisitionNumber = 77
    (good,) = sets_of(images)
    assert good.refusal is None
    (spoilt,) = sets_of([*images, copy])
    assert spoilt.refusal is not None
    assert spoilt.refusal.what == "duplicate slices"


def test_a_broken_echo_does_not_stop_the_others() -> None:
    tags = series_tags()
    series = [image for number in (1, 2, 3) for image in echo_series(number, tags)]
    del series[14]
    found = sets_of(series)
    assert sorted(len(one.stacks) for one in found) == [1, 2]
    (bad,) = [one for one in found if one.refusal]
    assert bad.refusal is not None
    assert "missing between slice 4 (f13) and slice 6 (f14)" in bad.refusal.why


def test_an_echo_told_by_its_time_alone_may_lack_a_slice() -> None:
    tags = series_tags()
    series = [image for k in (1, 2) for image in echo_series(k, tags, EchoNumbers=1)]
    del series[14]
    good, bad = sorted(sets_of(series), key=lambda one: one.refusal is not None)
    assert (good.refusal, good.stacks[0].echo_time_ms) == (None, 7.5)
    assert bad.refusal is not None
    assert bad.refusal.what == "missing slice"


def test_frames_of_a_multi_frame_file_are_sorted_by_place_and_echo() -> None:
    stacks = [random_stack(k, angles=(3.0, 5.0)) for k in (1, 2, 3)]
    (found,) = sets_of([enhanced(stacks, series_tags())])
    assert [stack.echo_time_ms for stack in found.stacks] == [10.0, 20.0, 30.0]
    assert [len(stack.frames) for stack in found.stacks] == [10, 10, 10]
    assert found.stacks[0].frames[0].label.endswith("of f0")


def test_sets_come_in_the_order_of_their_numbers() -> None:
    tags = [series_tags(number, str(number)) for number in (12, 3, 7)]
    for one in tags:
        one["StudyInstanceUID"] = tags[0]["StudyInstanceUID"]
    found = sets_of(*(slices(random_stack(k), one) for k, one in enumerate(tags)))
    assert [one.series.number for one in found] == [3, 7, 12]
