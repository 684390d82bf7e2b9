"""kneecascade.phantom.halves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kneecascade.cli.phantom import main
from kneecascade.core.labels import Labels
from kneecascade.errors import ImageError
from kneecascade.imaging.files import read_labels
from kneecascade.imaging.orientation import canonical_axes, to_canonical
from kneecascade.phantom.anatomy import NAMES
from kneecascade.phantom.halves import halved_names, split_tibial_cartilage
from kneecascade.phantom.sample import tiny_knee
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.sides import side_of_labels


def test_halves_lie_on_their_sides_whatever_the_grid() -> None:
    labels = tiny_knee().labels
    names = halved_names(NAMES)
    assert names[4] == "medial_tibial_cartilage"
    assert names[-1] == "lateral_tibial_cartilage"
    for side in ("left", "right"):
        split = split_tibial_cartilage(labels, side, len(NAMES))
        turned = to_canonical(split.array, *canonical_axes(split.geometry))
        assert side_of_labels(turned, Labels(names, tuple(range(len(names))))) == side
        merged = np.where(split.array == len(NAMES), 4, split.array)
        assert np.array_equal(merged, labels.array)
        counts = np.bincount(split.array.ravel(), minlength=len(names))
        assert 0.5 < counts[4] / counts[-1] < 2
    with pytest.raises(ImageError, match="side is not known"):
        split_tibial_cartilage(labels, "unknown", 8)


def test_the_flag_makes_a_data_set_that_tells_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kneecascade.pipeline import phantom

    monkeypatch.setitem(phantom.SIZES, "small", ((40, 40, 32), (2.8, 2.8, 2.8)))
    folder = tmp_path / "Dataset001_Halves"
    assert main(["-o", str(folder), "-n", "2", "--halves", "--workers", "1"]) == 0
    dataset = read_dataset(folder)
    assert dataset.labels.names == halved_names(NAMES)
    for case in dataset.training:
        assert case.label is not None
        labels = read_labels(case.label)
        turned = to_canonical(labels.array, *canonical_axes(labels.geometry))
        assert side_of_labels(turned, dataset.labels) == case.side
    assert [case.side for case in dataset.training] == ["right", "left"]
