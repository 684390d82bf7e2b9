"""kneecascade.planning.intensities, kneecascade.planning.histogram, kneecascade.planning.plan_intensities."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plans import tiny_plan
from raw_folder import write_raw

from kneecascade.core.filters import CurvatureFilter, MedianFilter, N4Filter
from kneecascade.errors import SettingsError
from kneecascade.imaging.files import read_volume
from kneecascade.imaging.normalize import LANDMARKS, histogram_landmarks, normalize
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.histogram import ChannelHistogram, fit_standard, standard_of
from kneecascade.planning.intensities import (
    mean_filter_seconds,
    parse_filters,
    parse_normalizations,
    with_intensities,
)
from kneecascade.planning.plan_file import check_plan
from kneecascade.planning.plan_intensities import check_intensities


def test_words_become_filters() -> None:
    assert parse_filters("none") == ()
    assert parse_filters("n4+curvature") == (N4Filter(), CurvatureFilter())
    for text, message in (
        ("box", "choose none, median, curvature, nlm, n4"),
        ("n4+", "choose none"),
        ("none+n4", "choose none"),
        ("n4+median+n4", "n4 is there twice"),
    ):
        with pytest.raises(SettingsError, match=message):
            parse_filters(text)


def test_words_become_normalizations() -> None:
    assert parse_normalizations(["histogram"], 2) == ("histogram", "histogram")
    assert parse_normalizations(["none", "zscore"], 2) == ("none", "zscore")
    with pytest.raises(SettingsError, match="choose among percentile_zscore"):
        parse_normalizations(["minmax"], 1)
    with pytest.raises(SettingsError, match="2 choices for 3 channels"):
        parse_normalizations(["none", "none"], 3)


def test_the_standard_brings_scanners_together(tmp_path: Path) -> None:
    cases = read_dataset(write_raw(tmp_path / "Dataset001_Knee", cases=3, channels=2)).training
    choices = ("histogram", "none")
    standards = fit_standard(cases, choices)
    assert [len(s) for s in standards] == [LANDMARKS, 0]
    images = [read_volume(case.images).array for case in cases]
    normal = np.stack([normalize(image, choices, standards)[0] for image in images])
    assert normal.mean() == pytest.approx(0, abs=0.05)
    assert normal.std() == pytest.approx(1, abs=0.05)
    # another gain, offset and contrast: what is tissue comes out the same, which a z-score does not see to
    other = 40 + 3 * images[0] + 0.02 * images[0] ** 2
    same, tissue = normalize(other, choices, standards)[0], images[0][0] > images[0][0].mean()
    assert np.abs(same - normal[0])[tissue].mean() < 0.02
    scored = [normalize(image, ("zscore",) * 2)[0] for image in (other, images[0])]
    assert np.abs(scored[0] - scored[1])[tissue].mean() > 0.1
    assert histogram_landmarks(same) == pytest.approx(np.array(standards[0]), abs=0.05)
    assert fit_standard(cases, ("none", "none")) == ()
    assert fit_standard(cases, choices, (MedianFilter(),)) != standards


def test_few_grey_values_and_constant_images() -> None:
    image = np.zeros((1, 8, 8, 8), np.float32)
    image[0, :4] = 1
    standard = (tuple(float(k) for k in range(LANDMARKS)),)
    result = normalize(image, ("histogram",), standard)
    assert sorted(set(result.ravel().tolist())) == [0.0, 5.5]
    assert not normalize(np.full((1, 3, 3, 3), 4.0), ("histogram",), standard).any()
    flat = ChannelHistogram(np.ones(LANDMARKS), np.ones(201))
    with pytest.raises(SettingsError, match="no training image varies"):
        standard_of([flat])
    step = ChannelHistogram(np.array([0.0] + [1.0] * (LANDMARKS - 1)), np.repeat([0.0, 1.0], [100, 101]))
    assert list(np.diff(standard_of([step])) > 0) == [True] * (LANDMARKS - 1)


def test_choices_reach_the_plan_and_are_measured_once(tmp_path: Path) -> None:
    cases = read_dataset(write_raw(tmp_path / "Dataset001_Knee", cases=2)).training
    filters = (MedianFilter(),)
    plan = with_intensities(tiny_plan(), cases, filters, ("histogram",), None)
    assert plan.denoise == filters
    assert plan.denoise_seconds > 0
    assert len(plan.histogram_landmarks[0]) == LANDMARKS
    check_plan(plan)
    assert all(holds for holds, _, _ in check_intensities(plan))
    known = replace(plan, denoise_seconds=123.0)
    assert with_intensities(tiny_plan(), [], filters, ("histogram",), known) == known
    again = with_intensities(tiny_plan(), cases, (), None, known)
    assert (again.denoise_seconds, again.histogram_landmarks) == (0.0, ())
    assert again == tiny_plan()
    assert mean_filter_seconds([], filters) == 0
