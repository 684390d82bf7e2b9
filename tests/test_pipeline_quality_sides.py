"""kneecascade.pipeline.quality_sides, and all that asks it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from knees import block_knee

from kneecascade.cli.quality import main
from kneecascade.core.case import Case, LabelVolume, Side, Volume
from kneecascade.core.dataset import Dataset
from kneecascade.core.labels import Labels
from kneecascade.core.record import to_plain
from kneecascade.evaluation.quality_file import FILE, read_reference
from kneecascade.evaluation.quality_limits import QualityReference
from kneecascade.files import write_json
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.pipeline.quality import Judge
from kneecascade.pipeline.quality_reference import learn_reference
from kneecascade.pipeline.quality_sides import SideSource, features_of, known_sides, side_to_learn

PLAIN = Labels(("background", "femur", "femoral_cartilage", "tibia", "tibial_cartilage"), (0, 1, 2, 5, 7))
HALVES = ("medial_tibial_cartilage", "lateral_tibial_cartilage")
SIDED = Labels((*PLAIN.names[:4], *HALVES), (0, 1, 2, 5, 7, 8))


def knee(seed: int, sided: bool, side: Side = "right") -> tuple[Volume, LabelVolume]:
    """Returns a knee with a tibia that tells the side, its cartilage in halves where labels are sided."""
    volume, labels = block_knee(seed)
    array, grey = labels.array.copy(), volume.array.copy()
    array[:8, :, 16:] = np.where(array[:8, :, 16:] == 5, 0, array[:8, :, 16:])
    if sided:  # x runs towards the body's left, where a right knee has its medial half
        array[..., :17] = np.where(array[..., :17] == 7, 8, array[..., :17])
    if side == "left":
        array, grey = array[..., ::-1].copy(), grey[..., ::-1].copy()
    return Volume(grey, volume.geometry), LabelVolume(array, labels.geometry)


def dataset(folder: Path, sides: list[Side], sided: bool, told: bool = True) -> Dataset:
    cases = []
    for seed, side in enumerate(sides):
        volume, labels = knee(seed, sided, side)
        image, label = folder / "images" / f"k{seed}_0000.mha", folder / "labels" / f"k{seed}.mha"
        write_channel(volume.array[0], volume.geometry, image)
        write_labels(labels, label)
        cases.append(Case(f"k{seed}", (image,), label, side if told else "unknown"))
    names = SIDED if sided else PLAIN
    return Dataset(1, "Dataset001_Sides", folder, ("MR",), names, ".mha", tuple(cases), ())


def flags(reference: QualityReference, sided: bool, side: Side, said: Side) -> list[str]:
    found: list[str] = Judge(reference).record(*knee(40, sided, side), None, (), said)["flags"]
    return found


def test_a_left_knee_is_measured_as_its_mirror_image_exactly() -> None:
    for sided, said in ((True, "left"), (True, "unknown"), (False, "left")):
        right = features_of(*knee(3, sided), SIDED if sided else PLAIN, "right", "right")
        left = features_of(*knee(3, sided, "left"), SIDED if sided else PLAIN, "right", said)  # type: ignore[arg-type]
        assert left == right


@pytest.mark.parametrize("training", [["right"] * 12, ["right", "left"] * 6])
def test_sound_left_knees_of_sided_labels_have_no_flag(tmp_path: Path, training: list[Side]) -> None:
    reference = learn_reference(dataset(tmp_path, training, True), "abc", tmp_path / "m", canonical="right")
    assert reference.side == "right"
    for side in ("right", "left"):
        assert flags(reference, True, side, side) == []  # type: ignore[arg-type]
        assert flags(reference, True, side, "unknown") == []  # type: ignore[arg-type]
    # which way round says the case, not the labels: here they contradict it
    assert any("mirrored to a right knee" in text for text in flags(reference, True, "right", "left"))
    assert flags(reference, True, "left", "right") != []


def test_of_unsided_labels_the_side_has_to_be_known(tmp_path: Path) -> None:
    reference = learn_reference(dataset(tmp_path, ["right"] * 12, False), "abc", tmp_path / "m")
    assert reference.side == "right"
    assert read_reference(tmp_path / "m") == reference
    assert flags(reference, False, "left", "left") == []
    assert any(text.startswith("shape of tibia") for text in flags(reference, False, "left", "unknown"))
    assert any(text.startswith("shape of tibia") for text in flags(reference, False, "left", "right"))


def test_what_no_one_side_was_learned_of_is_measured_as_it_is(tmp_path: Path) -> None:
    both = dataset(tmp_path / "a", ["right", "left"], False)
    unknown = dataset(tmp_path / "b", ["right", "right"], False, told=False)
    assert side_to_learn(both, "none") == side_to_learn(unknown, "none") == "none"
    assert side_to_learn(unknown, "left") == "left"
    reference = learn_reference(both, "abc", tmp_path / "m")
    for side in ("right", "left"):
        assert flags(reference, False, side, side) == flags(reference, False, side, "unknown") == []  # type: ignore[arg-type]


def test_limits_of_another_side_are_learned_again(tmp_path: Path) -> None:
    raw = dataset(tmp_path, ["left"] * 3, True)
    assert learn_reference(raw, "abc", tmp_path / "m", canonical="left").side == "left"
    assert learn_reference(raw, "abc", tmp_path / "m", canonical="right").side == "right"


def test_borders_are_told_in_the_patients_own_sides(tmp_path: Path) -> None:
    raw = dataset(tmp_path, ["right"] * 12, False)
    reference = learn_reference(raw, "abc", tmp_path / "m")
    volume, labels = knee(40, False, "left")
    array = labels.array.copy()
    array[20:35, 8:20, 0] = 1  # x starts at the patient's right
    found = Judge(reference).record(volume, LabelVolume(array, labels.geometry), None, (), "left")
    assert [f["what"] for f in found["quality"]["flags"] if f["check"] == "border"] == ["femur at the right"]
    assert any(text.startswith("area of femur at the right side") for text in found["flags"])


def test_the_command_asks_the_table_then_the_prediction(tmp_path: Path) -> None:
    reference = learn_reference(dataset(tmp_path / "train", ["right"] * 12, False), "abc", tmp_path / "m")
    write_json(tmp_path / "m" / FILE, to_plain(reference))
    raw = dataset(tmp_path / "new", ["left", "right"], False)
    labels, images = raw.folder / "labels", raw.folder / "images"

    def doubtful(*more: str) -> list[str]:
        assert main(["-p", str(labels), "-i", str(images), "-m", str(tmp_path / "m"), *more]) == 0
        found: list[str] = json.loads((labels / "quality_review.json").read_text())["review"]
        return found

    assert doubtful() == ["k0"]
    assert doubtful("--side", "left") == ["k1"]
    write_json(labels / "predictions.json", {"cases": {"k0": {"side": "left"}, "k1": {"side": "unknown"}}})
    assert doubtful() == []
    table = "case,subject,side\nk0,a,right\nk1,b,left\n"
    (raw.folder / "subjects.csv").write_text(table)
    assert set(doubtful()) == {"k0", "k1"}
    (tmp_path / "other.csv").write_text(table.replace("k0,a,right", "k0,a,left").replace("b,left", "b,"))
    assert doubtful("--subjects", str(tmp_path / "other.csv")) == []
    assert known_sides(labels, images, ["k0"], SideSource("unknown")) == {"k0": "unknown"}
    assert main(["--trial", "-p", str(labels), "-i", str(images), "-m", str(tmp_path / "m")]) == 0
    ways = json.loads((labels / "quality_trial.json").read_text())["ways"]
    assert ways["sound"]["by_check"]["lean"] == 2
    assert main(["--trial", "-p", str(labels), "-i", str(images), "-m", str(tmp_path / "m"),
                 "--subjects", str(tmp_path / "other.csv")]) == 0  # fmt: skip
    ways = json.loads((labels / "quality_trial.json").read_text())["ways"]
    assert ways["sound"]["flagged"] == 0
    assert ways["labels mirrored"]["by_check"]["lean"] == 2
