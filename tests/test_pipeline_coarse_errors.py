import json

import numpy as np
import pytest
from plans import tiny_plan
from tiny_models import knee, save_grey_model, use_grey_networks

from kneecascade.core.case import Case
from kneecascade.core.coarse_errors import Piece
from kneecascade.errors import InputError
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.pipeline.coarse_errors import (
    case_errors,
    errors_file,
    measure_coarse_errors,
    read_coarse_errors,
)
from kneecascade.pipeline.plan_and_preprocess import prepare_case
from kneecascade.pipeline.selection import MARGIN, NOTHING, selection
from kneecascade.preprocessing.store import case_key, open_case

PLAN = tiny_plan()


def stored(folder, name="knee", seed=0, shift=(0, 0, 0)):
    volume, labels = knee(seed, shift=shift)
    image, label = folder / f"{name}_0000.nii.gz", folder / f"{name}.nii.gz"
    write_channel(volume.array[0], volume.geometry, image)
    write_labels(labels, label)
    case = Case(name, (image,), label)
    prepare_case((case, case_key(case, PLAN)), PLAN, folder / "store")
    return open_case(folder / "store", name)


def perfect(case):
    """Probabilities that are the reference."""
    return np.eye(3, dtype=np.float32)[case.coarse_label[:]].transpose(3, 0, 1, 2).copy()


def test_a_perfect_coarse_stage_needs_at_most_a_coarse_voxel(tmp_path):
    case = stored(tmp_path)
    errors = case_errors(case, "anna", perfect(case), PLAN)
    assert errors.subject == "anna"
    assert 0 <= errors.needed_mm <= 2
    assert (errors.lost, errors.spurious, errors.whole, errors.widened) == ((), (), False, 1.0)


def test_what_lies_beyond_the_box_is_measured_side_by_side(tmp_path):
    case = stored(tmp_path)
    before = case_errors(case, "", perfect(case), PLAN)
    cut = perfect(case)
    top = int(np.argwhere(cut[2].any(axis=(1, 2))).max())
    cut[2, top - 1 : top + 1] = 0  # two coarse planes of 2 mm at the upper end of z
    after = case_errors(case, "", cut, PLAN)
    assert after.beyond_mm[1][0] == pytest.approx(before.beyond_mm[1][0] + 4)
    assert after.beyond_mm[0] == before.beyond_mm[0]
    assert after.needed_mm == pytest.approx(max(max(side) for side in after.beyond_mm))
    assert after.kept.stop_zyx[0] == before.kept.stop_zyx[0] - 4


def test_lost_and_spurious_pieces_are_told_apart(tmp_path):
    case = stored(tmp_path)
    wrong = np.zeros_like(perfect(case))
    wrong[0] = 0.5
    wrong[2, 1:3, 1:3, 1:4] = 1  # nothing is right
    errors = case_errors(case, "", wrong, PLAN)
    assert errors.spurious == (Piece("cartilage", 12 * 8.0),)
    assert [piece.target for piece in errors.lost] == ["cartilage"]
    assert errors.lost[0].volume_mm3 > 1000
    assert errors.needed_mm > 12


def test_nothing_found_is_the_whole_image(tmp_path):
    case = stored(tmp_path)
    nothing = np.zeros_like(perfect(case))
    nothing[0] = 1
    errors = case_errors(case, "", nothing, PLAN)
    assert errors.whole
    assert errors.kept is None
    assert errors.needed_mm is None
    assert len(errors.lost) == 1


def test_a_fold_is_measured_written_and_read(tmp_path, monkeypatch):
    use_grey_networks(monkeypatch)
    fold = save_grey_model(tmp_path / "model") / "fold_0"
    assert read_coarse_errors(fold) is None
    assert selection(fold) == NOTHING
    cases = [stored(tmp_path, f"knee{k}", k, (0, k, 0)) for k in range(2)]
    errors = measure_coarse_errors(fold, PLAN, cases, {"knee0": "anna", "knee1": "anna"}, "cpu")
    assert errors.planned_margin_mm == errors.margin_mm == PLAN.region.margin_mm  # one subject
    assert [case.name for case in errors.cases] == ["knee0", "knee1"]
    assert {case.subject for case in errors.cases} == {"anna"}
    assert all(case.needed_mm <= 4 for case in errors.cases)
    assert read_coarse_errors(fold) == errors
    assert selection(fold) == MARGIN


def test_broken_errors_are_named(tmp_path):
    path = errors_file(tmp_path)
    path.parent.mkdir()
    path.write_text(json.dumps({"planned_margin_mm": "wide"}))
    with pytest.raises(InputError, match="planned_margin_mm: expected float"):
        read_coarse_errors(tmp_path)
