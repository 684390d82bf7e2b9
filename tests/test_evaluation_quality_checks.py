from __future__ import annotations

import numpy as np
import pytest
from knees import LABELS, block_knee

from kneecascade.core.case import LabelVolume, Volume
from kneecascade.core.record import from_plain, to_plain
from kneecascade.evaluation.quality_checks import doubt, find_flags, review_order
from kneecascade.evaluation.quality_features import Features, measure_features
from kneecascade.evaluation.quality_limits import (
    LEAST_FOLD_DICE,
    RULES,
    QualityReference,
    limits_of,
    make_reference,
    sureness_limits,
)


@pytest.fixture(scope="module")
def reference() -> QualityReference:
    cases = [measure_features(*block_knee(seed), LABELS) for seed in range(12)]
    return make_reference(cases, LABELS, "Dataset001_Blocks", "0" * 16)


def _checks(
    volume: Volume | None, array: np.ndarray, labels: LabelVolume, reference: QualityReference
) -> set[str]:
    found = find_flags(measure_features(volume, LabelVolume(array, labels.geometry), LABELS), reference)
    return {flag.check for flag in found}


def test_sound_cases_have_no_flag(reference: QualityReference) -> None:
    for seed in range(20, 32):
        assert find_flags(measure_features(*block_knee(seed), LABELS), reference) == ()


def test_what_is_wrong_is_named_with_a_number(reference: QualityReference) -> None:
    volume, labels = block_knee(20)
    array = labels.array.copy()
    array[2:6, 0:4, 34:38] = 2
    flags = find_flags(measure_features(volume, LabelVolume(array, labels.geometry), LABELS), reference)
    texts = [flag.text for flag in flags]
    assert "pieces of femoral_cartilage: 2, expected at most 1" in texts
    assert [flag.excess for flag in flags] == sorted((flag.excess for flag in flags), reverse=True)
    pieces = next(flag for flag in flags if flag.check == "pieces")
    assert (pieces.value, pieces.low, pieces.high, pieces.excess) == (2, None, 1, 1)


@pytest.mark.parametrize("missing", [2, 7])
def test_a_missing_label(reference: QualityReference, missing: int) -> None:
    volume, labels = block_knee(20)
    assert "missing" in _checks(volume, np.where(labels.array == missing, 0, labels.array), labels, reference)


def test_swapped_and_shifted_labels(reference: QualityReference) -> None:
    volume, labels = block_knee(20)
    table = np.arange(10)
    table[[2, 7]] = 7, 2
    assert {"contact", "arrangement"} <= _checks(volume, table[labels.array], labels, reference)
    shifted = np.roll(labels.array, 16, axis=2)
    assert {"tissue", "border"} <= _checks(volume, shifted, labels, reference)


def test_another_image(reference: QualityReference) -> None:
    volume, labels = block_knee(20)
    noisy = volume.array + np.random.default_rng(0).normal(0, 30, volume.array.shape).astype(np.float32)
    assert "noise" in _checks(Volume(noisy, volume.geometry), labels.array, labels, reference)
    negative = Volume(-volume.array, volume.geometry)
    assert {"tissue", "intensity"} <= _checks(negative, labels.array, labels, reference)
    coarser, same = block_knee(20, (1.0, 1.0, 1.3))
    flags = find_flags(measure_features(coarser, same, LABELS), reference)
    assert [flag.text for flag in flags if flag.check == "spacing"] == [
        "voxel spacing along x: 1.3 mm, expected 0.952 to 1.05 mm"
    ]


def test_many_of_a_kind_are_one_flag(reference: QualityReference) -> None:
    volume, labels = block_knee(20)
    flags = find_flags(measure_features(Volume(-volume.array, volume.geometry), labels, LABELS), reference)
    assert len([flag for flag in flags if flag.check == "intensity"]) == 1
    assert any("more like it" in flag.text for flag in flags)


def test_sure_and_unsure_networks() -> None:
    held_out: list[Features] = [{"entropy": {"femur": 0.1 + 0.01 * k}} for k in range(20)]
    limits = sureness_limits(held_out, LABELS)
    entropy = [limit for limit in limits if limit.check == "entropy"]
    assert len(entropy) == 1
    assert entropy[0].high is not None
    assert 0.29 * 1.25 < entropy[0].high < 0.29 * 1.25 * 2
    agreement = {limit.what: limit.low for limit in limits if limit.check == "fold agreement"}
    assert agreement["femur"] == LEAST_FOLD_DICE > agreement["femoral_cartilage"]  # type: ignore[operator]
    assert not [limit for limit in sureness_limits([], LABELS) if limit.check == "entropy"]
    reference = QualityReference("x", "", 20, LABELS, (), tuple(limits))
    flags = find_flags({"entropy": {"femur": 0.9}, "fold agreement": {"femur": 0.5}}, reference)
    assert {flag.check for flag in flags} == {"entropy", "fold agreement"}


def test_a_label_that_promises_less_than_held_out_cases_is_flagged() -> None:
    held_out: list[Features] = [{"soft Dice": {"femoral_cartilage": 0.8 + 0.004 * k}} for k in range(20)]
    limits = [limit for limit in sureness_limits(held_out, LABELS) if limit.check == "soft Dice"]
    assert [(limit.what, limit.high) for limit in limits] == [("femoral_cartilage", None)]
    assert limits[0].low == pytest.approx(0.8 - 0.5 * 0.076 - RULES["soft Dice"].slack)
    reference = QualityReference("x", "", 20, LABELS, (), tuple(limits))
    assert not find_flags({"soft Dice": {"femoral_cartilage": 0.75}}, reference)
    (flag,) = find_flags({"soft Dice": {"femoral_cartilage": 0.7}}, reference)
    assert "promise for femoral_cartilage: 0.7" in flag.text


def test_few_cases_give_wide_limits() -> None:
    cases: list[Features] = [{"volume": {"femur": ml}} for ml in (100.0, 110.0)]
    two, many = limits_of("volume", cases)[0], limits_of("volume", cases * 10)[0]
    assert two.low < many.low < 100 / 1.15  # type: ignore[operator]
    assert two.high > many.high > 110 * 1.15  # type: ignore[operator]


def test_a_label_that_some_lack_may_be_missing() -> None:
    cases: list[Features] = [{"volume": {"femur": 1.0, "tibia": 2.0}}, {"volume": {"femur": 1.0}}]
    assert make_reference(cases, LABELS, "x", "").always_there == ("femur",)


def test_the_reference_survives_json(reference: QualityReference) -> None:
    assert from_plain(QualityReference, to_plain(reference)) == reference


def test_the_worst_come_first(reference: QualityReference) -> None:
    volume, labels = block_knee(20)
    flags = find_flags(measure_features(Volume(-volume.array, volume.geometry), labels, LABELS), reference)
    assert doubt(()) == 0
    assert doubt((), others=2) == 2
    assert doubt(flags, others=1) == pytest.approx(1 + sum(max(1, f.excess) for f in flags), abs=1e-3)
    assert review_order({"a": 0, "b": 2.5, "c": 7}) == ["c", "b"]
