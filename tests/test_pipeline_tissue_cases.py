"""Prepared cases with tissues in place of grey values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from plans import tiny_plan
from prepared import cube_case

from kneecascade.core.case import LabelVolume
from kneecascade.core.labels import Labels
from kneecascade.errors import SettingsError
from kneecascade.imaging.files import write_labels
from kneecascade.imaging.orientation import from_canonical
from kneecascade.phantom import tissue
from kneecascade.pipeline.tissue_cases import anatomy_table, tissue_cases

KNEE = ("background", "femur", "femoral_cartilage")


def test_labels_become_their_tissues_and_something_lies_around_them() -> None:
    case = cube_case(0)
    changed = tissue_cases([case], tiny_plan(labels=KNEE, targets=("femoral_cartilage",)), seed=1)[0]  # type: ignore[list-item]
    placed = np.asarray(changed.image)
    assert placed.shape == (1, *case.label.shape)
    assert placed.dtype == np.float16
    assert set(np.unique(placed[0][case.label == 2])) == {tissue.CARTILAGE}
    assert set(np.unique(placed[0][case.label == 1])) <= {tissue.MARROW, tissue.CORTEX}
    assert not set(np.unique(placed[0][case.label == 0])) & {tissue.CARTILAGE, tissue.MARROW, tissue.CORTEX}
    assert np.asarray(changed.coarse_image).shape == (1, *case.coarse_label.shape)
    again = tissue_cases([case], tiny_plan(labels=KNEE, targets=("femoral_cartilage",)), seed=1)[0]  # type: ignore[list-item]
    assert np.array_equal(again.image, changed.image)


def test_a_map_of_its_own_goes_before_what_is_placed(tmp_path: Path) -> None:
    case = cube_case(0)
    native = case.trace.native
    tissues = np.full(native.shape_zyx, tissue.TENDON, np.uint8)
    tissues[:2] = tissue.SKIN
    axes, flips = case.trace.axes_zyx, case.trace.flips_zyx
    stored = LabelVolume(np.ascontiguousarray(from_canonical(tissues, axes, flips)), case.trace.source)
    write_labels(stored, tmp_path / f"{case.name}.nii.gz")
    plan = tiny_plan(labels=KNEE, targets=("femoral_cartilage",))
    changed = tissue_cases([case], plan, seed=1, maps=tmp_path)[0]  # type: ignore[list-item]
    assert changed.image.shape == (1, *case.label.shape)
    assert changed.coarse_image.shape == (1, *case.coarse_label.shape)
    assert set(np.unique(changed.image[0, 0])) == {tissue.SKIN}
    assert set(np.unique(changed.image[0, -1])) == {tissue.TENDON}


def test_a_label_that_is_no_tissue() -> None:
    with pytest.raises(SettingsError, match="label tumour: no tissue"):
        anatomy_table(Labels(("background", "tumour"), (0, 1)))


def test_several_channels_cannot_be_painted() -> None:
    plan = tiny_plan(labels=KNEE, targets=("femoral_cartilage",), channels=("a", "b"))
    with pytest.raises(SettingsError, match="one channel"):
        tissue_cases([], plan, seed=0)
