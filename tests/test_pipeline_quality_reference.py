from __future__ import annotations

import json
from pathlib import Path

import pytest
from knees import LABELS, block_knee

from kneecascade.core.case import Case
from kneecascade.core.dataset import Dataset
from kneecascade.core.record import to_plain
from kneecascade.evaluation.quality_file import FILE, read_reference
from kneecascade.evaluation.quality_limits import RULES_VERSION
from kneecascade.files import write_json
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.pipeline import quality_reference
from kneecascade.pipeline.quality_reference import learn_reference, with_sureness


@pytest.fixture
def raw(tmp_path: Path) -> Dataset:
    cases = []
    for seed in range(4):
        volume, labels = block_knee(seed)
        image, label = tmp_path / f"image{seed}.mha", tmp_path / f"label{seed}.mha"
        write_channel(volume.array[0], volume.geometry, image)
        write_labels(labels, label)
        cases.append(Case(f"case{seed}", (image,), label))
    return Dataset(1, "Dataset001_Blocks", tmp_path, ("MR",), LABELS, ".mha", tuple(cases), ())


def test_limits_are_learned_once(raw: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = learn_reference(raw, "abc", tmp_path / "model")
    assert found.cases == 4
    assert found.always_there == LABELS.foreground
    assert read_reference(tmp_path / "model") == found
    monkeypatch.setattr(quality_reference, "map_in_processes", None)  # would fail if called again
    assert learn_reference(raw, "abc", tmp_path / "model") == found
    with pytest.raises(TypeError):
        learn_reference(raw, "other data", tmp_path / "model")


def test_of_many_cases_some_are_measured(
    raw: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality_reference, "MOST_CASES", 2)
    assert learn_reference(raw, "abc", tmp_path / "model").cases == 2


def test_no_reference_or_another_version(tmp_path: Path) -> None:
    assert read_reference(tmp_path) is None
    (tmp_path / FILE).write_text('{"limits": []}')
    assert read_reference(tmp_path) is None


def test_limits_of_older_rules_are_learned_again(raw: Dataset, tmp_path: Path) -> None:
    found = to_plain(learn_reference(raw, "abc", tmp_path))
    assert found.pop("rules") == RULES_VERSION
    write_json(tmp_path / FILE, found)  # as the first rules left it
    assert read_reference(tmp_path) is None
    assert learn_reference(raw, "abc", tmp_path).rules == RULES_VERSION
    assert read_reference(tmp_path) is not None


def test_entropy_of_held_out_cases_makes_a_limit(raw: Dataset, tmp_path: Path) -> None:
    reference = learn_reference(raw, "abc", tmp_path / "model")
    fold, old = tmp_path / "fold_0", tmp_path / "fold_1"
    cases = {"a": {"sureness": {"entropy": {"femur": 0.1}}}, "b": {"sureness": {"entropy": {"femur": 0.2}}}}
    for folder, summary in ((fold, {"cases": cases}), (old, {"cases": {"c": {}}})):
        (folder / "validation").mkdir(parents=True)
        (folder / "validation" / "summary.json").write_text(json.dumps(summary))
    limits = {(limit.check, limit.what): limit for limit in with_sureness(reference, [fold, old]).limits}
    assert limits["entropy", "femur"].high > 0.2  # type: ignore[operator]
    assert ("entropy", "tibia") not in limits
    assert ("fold agreement", "tibia") in limits
    assert not [check for check, _ in limits if check == "soft Dice"]  # an older validation tells none


def test_limits_that_a_packed_model_brings_along_stay(raw: Dataset, tmp_path: Path) -> None:
    reference = learn_reference(raw, "abc", tmp_path / "model")
    fold = tmp_path / "fold_0" / "validation"
    fold.mkdir(parents=True)
    told = {"entropy": {"femur": 0.1}, "soft_dice": {"femur": 0.9}}
    (fold / "summary.json").write_text(json.dumps({"cases": {"a": {"sureness": told}}}))
    packed = with_sureness(reference, [fold.parent])
    assert {"entropy", "soft Dice", "fold agreement"} <= {limit.check for limit in packed.limits}
    assert with_sureness(packed, [tmp_path / "nothing"]) == packed
    assert with_sureness(packed, [fold.parent]) == packed
