"""What files and series are called, and how one is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from dicom_files import random_stack, series_tags, slices

from kneecascade.dicom.grouping import ImageSet, group
from kneecascade.dicom.header import frames_of
from kneecascade.dicom.names import choose, set_names, title
from kneecascade.errors import InputError


def sets_of(*tags: dict) -> list[ImageSet]:
    study = tags[0]["StudyInstanceUID"]
    images = [i for one in tags for i in slices(random_stack(), {**one, "StudyInstanceUID": study})]
    return group(f for image in images for f in frames_of(image, Path("f"), "f"))


def test_names_are_made_of_number_and_description() -> None:
    sets = sets_of(series_tags(5, "Sag DESS/WE: 0.7mm [knée]"), series_tags(12, ""))
    assert set_names(sets) == ["005_Sag_DESS_WE_0.7mm_knee", "012"]


def test_names_differ_even_where_series_are_called_alike() -> None:
    assert set_names(sets_of(series_tags(5, "DESS"), series_tags(5, "dess"))) in (
        ["005_DESS", "005_dess_2"],
        ["005_dess", "005_DESS_2"],
    )


def test_several_patients_are_told_apart() -> None:
    sets = sets_of(series_tags(5, "DESS", PatientID="A1"), series_tags(5, "DESS", PatientID="B/2"))
    assert set_names(sets) == ["A1_005_DESS", "B_2_005_DESS"]


def test_a_series_is_chosen_by_number_text_or_uid() -> None:
    tags = [series_tags(5, "Sag DESS 12"), series_tags(12, "Cor PD"), series_tags(13, "Cor T2")]
    sets = sets_of(*tags)

    def numbers(wanted: str | None) -> list[int | None]:
        return [one.series.number for one in choose(sets, wanted)]

    assert numbers(None) == [5, 12, 13]
    assert numbers("12") == [12]
    assert numbers("cor") == [12, 13]
    assert numbers(tags[0]["SeriesInstanceUID"]) == [5]
    with pytest.raises(InputError, match="no such series; there: series 5 Sag DESS 12; series 12 Cor PD"):
        choose(sets, "axial")


def test_titles() -> None:
    (found,) = sets_of(series_tags(5, "Sag DESS"))
    assert title(found) == "series 5 Sag DESS"
