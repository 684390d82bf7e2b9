"""Tests of pipeline.probabilities."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plans import tiny_geometry
from tiny_models import knee, save_grey_model, use_grey_networks

from kneecascade.core.geometry import Box
from kneecascade.core.record import from_plain
from kneecascade.core.trace import Trace
from kneecascade.imaging.orientation import to_canonical
from kneecascade.inference.cascade import load_cascade
from kneecascade.pipeline.probabilities import save_probabilities


def test_the_saved_numbers_make_the_same_labels_in_the_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_grey_networks(monkeypatch)
    cascade = load_cascade(save_grey_model(tmp_path / "model"), device="cpu")
    volume, _ = knee(1, tiny_geometry((36, 40, 44), (1.0, 1.0, 1.0), (0.0, 0.0, 90.0)))
    result = cascade.predict(volume, keep_probabilities=True)
    save_probabilities(result, cascade.plan, tmp_path / "out", "knee")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"knee.npz", "knee.json"}
    place = json.loads((tmp_path / "out" / "knee.json").read_text())
    with np.load(tmp_path / "out" / "knee.npz") as file:
        probabilities = file["probabilities"]
    assert probabilities.dtype == np.float16
    box, native = (from_plain(Box, place[key]) for key in ("box", "native_box"))
    assert probabilities.shape == (3, *box.shape_zyx)
    assert np.allclose(probabilities.sum(axis=0, dtype=np.float32), 1, atol=2e-3)
    trace = from_plain(Trace, place["trace"])
    assert trace == result.trace
    # both grids have 1 mm voxels here, so the boxes and their voxels are the same
    assert native == box
    labels = to_canonical(result.labels.array, trace.axes_zyx, trace.flips_zyx)[native.slices]
    assert np.mean(np.array(place["values"])[probabilities.argmax(axis=0)] == labels) > 0.999


def test_a_result_without_probabilities_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_grey_networks(monkeypatch)
    cascade = load_cascade(save_grey_model(tmp_path / "model"), device="cpu")
    result = cascade.predict(knee(1)[0])
    assert result.fine_probabilities is None
    with pytest.raises(ValueError, match="no probabilities"):
        save_probabilities(replace(result), cascade.plan, tmp_path, "knee")
