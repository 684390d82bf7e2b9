"""kneecascade.inference.side_shape: a knee told from its mirror image by its shape."""

from __future__ import annotations

import numpy as np
import pytest

from kneecascade.core.case import LabelVolume
from kneecascade.core.geometry import Geometry
from kneecascade.core.labels import Labels
from kneecascade.evaluation.quality_features import measure_features
from kneecascade.evaluation.quality_limits import QualityReference, make_reference
from kneecascade.inference.side_shape import mirrored_names, shape_speaks_for

LABELS = Labels(("background", "bone", "medial_plate", "lateral_plate", "cap"), (0, 1, 4, 2, 3))
SHAPE = (24, 20, 30)


def right_knee(seed: int = 0, symmetric: bool = False) -> np.ndarray:
    """Returns a canonical right knee: the medial plate at greater x and, as in people, longer."""
    a, b = np.random.default_rng(seed).integers(-1, 2, 2)
    knee = np.zeros(SHAPE, np.int16)
    knee[4:14, 5:15, 4:26] = 1
    knee[14:17, (6 if symmetric else 3) + a : 15, 16:25] = 4
    knee[14:17, 6 + a : 15, 5:14] = 2
    knee[8:14, 2:5, 13 : 17 if symmetric else 15 + b] = 3
    if not symmetric:
        knee[8:14, 2:5, 8:13] = 3
    return knee


def swapped(knee: np.ndarray) -> np.ndarray:
    """Returns what a network that knows right knees alone makes of a knee taken for the other side."""
    return np.array([0, 1, 4, 3, 2])[knee]


def features(canonical: np.ndarray, mirrored: bool = False):
    return measure_features(
        None, LabelVolume(canonical.astype(np.int16), Geometry(SHAPE, (1.0, 1.0, 1.0))), LABELS, mirrored
    )


@pytest.fixture(scope="module")
def reference() -> QualityReference:
    return make_reference([features(right_knee(k)) for k in range(5)], LABELS, "Dataset001_A", "h", "right")


def test_a_right_knee_and_a_left_one(reference: QualityReference) -> None:
    knee = right_knee(9)
    as_right, as_left = features(knee), features(swapped(knee), mirrored=True)
    assert shape_speaks_for(as_right, as_left, reference) == pytest.approx(1.0, abs=0.35)
    assert shape_speaks_for(as_left, as_right, reference) == pytest.approx(-1.0, abs=0.35)
    left = knee[..., ::-1]
    as_right, as_left = features(swapped(left)), features(left, mirrored=True)
    assert shape_speaks_for(as_right, as_left, reference) == pytest.approx(-1.0, abs=0.35)


def test_symmetric_knees_tell_nothing() -> None:
    knees = [features(right_knee(symmetric=True))] * 2
    symmetric = make_reference(knees, LABELS, "Dataset001_A", "h", "right")
    knee = right_knee(symmetric=True)
    other = features(swapped(knee), mirrored=True)
    assert abs(shape_speaks_for(features(knee), other, symmetric)) < 0.2


def test_what_one_answer_lacks_is_left_out(reference: QualityReference) -> None:
    knee = right_knee(3)
    lost = np.where(knee == 3, 0, knee)
    told = shape_speaks_for(features(knee), features(swapped(lost), mirrored=True), reference)
    assert told == shape_speaks_for(features(lost), features(swapped(lost), mirrored=True), reference)
    assert told > 0
    assert shape_speaks_for({}, features(knee), reference) == 0.0


def test_names_in_the_mirror_image() -> None:
    assert mirrored_names(("femur", "medial_tibial_cartilage", "lateral_tibial_cartilage")) == {
        "femur": "femur",
        "medial_tibial_cartilage": "lateral_tibial_cartilage",
        "lateral_tibial_cartilage": "medial_tibial_cartilage",
    }
    assert mirrored_names(("mTC", "lTC", "MFC", "LFC", "medial_meniscus", "mcl")) == {
        "mTC": "lTC",
        "lTC": "mTC",
        "MFC": "LFC",
        "LFC": "MFC",
    }
