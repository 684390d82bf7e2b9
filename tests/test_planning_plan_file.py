"""kneecascade.planning.plan_file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from plans import tiny_plan

from kneecascade.core.record import to_plain
from kneecascade.errors import PlanError
from kneecascade.planning.plan_file import check_plan, plan_hash, read_plan, write_plan


def test_written_and_read_again(tmp_path: Path) -> None:
    plan = tiny_plan()
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan
    assert plan_hash(read_plan(tmp_path / "plan.json")) == plan_hash(plan)
    assert plan_hash(tiny_plan(margin_mm=5.0)) != plan_hash(plan)


def edited(path: str, value: object) -> dict[str, Any]:
    data = to_plain(tiny_plan())
    *parents, last = path.split(".")
    place = data
    for name in parents:
        place = place[name]
    place[last] = value
    return data


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("targets", ["menisci"], "targets: must be among bone, cartilage"),
        ("targets", [], "targets: there must be a target"),
        ("targets", ["bone", "bone"], "targets: a label is there twice"),
        ("labels.values", [0, 1], r"labels\.values: 3 names need as many values"),
        ("labels.values", [0, 1, 1], r"labels\.values: two labels have the same value"),
        ("labels.names", ["bone", "background", "cartilage"], "labels: background, 0 must come first"),
        ("normalization", [], "normalization: needs 1, one a channel"),
        ("normalization", ["minmax"], r"normalization\[0\]: expected one of 'percentile_zscore'"),
        ("mirror_axes", [3], "mirror_axes: must be among 0, 1, 2"),
        ("memory_gb", "8", "memory_gb: expected float"),
        ("file_ending", "nii.gz", "file_ending: must start with a dot"),
        ("region.margin_mm", -1, r"region\.margin_mm: must be from 0"),
        ("region.min_volume_mm3", [1, 2], r"region\.min_volume_mm3: needs 1 values, one a target"),
        ("region.max_volume_mm3", [0], r"region\.max_volume_mm3: must not be below min_volume_mm3"),
        ("region.min_gap_mm", [1, 1, 1], r"region\.min_gap_mm: needs 6 values"),
        ("region.min_gap_mm", [1, 1, 1, 1, 1, -1], r"region\.min_gap_mm: must not be negative"),
        ("region.max_extent_mm", [0, 0, 0], r"region\.max_extent_mm: must not be below"),
        ("coarse.spacing_mm", [0, 1, 1], r"coarse\.spacing_mm: must be above 0"),
        ("coarse.spacing_mm", [0.5, 2, 2], r"coarse\.spacing_mm: must not be finer than fine"),
        ("coarse.spacing_mm", [float("nan"), 2, 2], r"coarse\.spacing_mm\[0\]: expected a finite number"),
        ("memory_gb", float("inf"), "memory_gb: expected a finite number, found inf"),
        ("memory_gb", 10**400, "memory_gb: expected a finite number, found 1000"),
        ("denoise", [{"kind": "box"}], r"denoise\[0\]\.kind: unknown kind 'box'"),
        ("denoise", ["n4"], r"denoise\[0\]: expected an object with a kind"),
        ("denoise", [{"kind": "n4", "levels": 0}], r"denoise\[0\]\.levels: must be from 1 to 8"),
        ("denoise", [{"kind": "median", "radius_voxels": 0}], r"denoise\[0\]\.radius_voxels: must be"),
        ("denoise", [{"kind": "curvature", "time_step": 0.2}], r"denoise\[0\]\.time_step: must be above 0"),
        ("denoise", [{"kind": "nlm", "strength": 0}], r"denoise\[0\]\.strength: must be above 0"),
        ("denoise_seconds", -1, "denoise_seconds: must not be negative"),
        ("normalization", ["histogram"], "histogram_landmarks: needs 1 lists, one a channel"),
        ("histogram_landmarks", [[1, 2]], r"histogram_landmarks\[0\]: needs 0 values, as normalization"),
        ("canonical_side", "up", "canonical_side: expected one of 'none', 'left', 'right'"),
        ("canonical_side", "left", "mirror_axes: must leave 2 out where canonical_side"),
        ("fine.patch_shape_zyx", [16, 16, 20], r"fine\.patch_shape_zyx: must be divisible .* \(8, 8, 8\)"),
        ("fine.patch_shape_zyx", [16, 16], r"fine\.patch_shape_zyx: expected 3 values, found 2"),
        ("fine.batch_size", 0, r"fine\.batch_size: must be above 0"),
        ("fine.thin_labels", ["menisci"], r"fine\.thin_labels: must be among"),
        ("fine.network.num_classes", 4, r"fine\.network\.num_classes: must be 3, as labels"),
        ("fine.network.in_channels", 2, r"fine\.network\.in_channels: must be 1"),
        ("fine.network.depth", 20, r"fine\.network\.depth: must be one of 10, 18"),
        ("fine.network.width", 0, r"fine\.network\.width: must be above 0"),
        ("fine.network.aspp_rates", [], r"fine\.network\.aspp_rates: there must be a branch"),
        ("fine.network.strides", [[2, 2, 2]] * 2, r"fine\.network\.strides: expected 3 values"),
        ("fine.network.strides", [[0, 2, 2]] * 3, r"fine\.network\.strides: each must be from 1 to 4"),
        ("coarse.network.blocks", [1, 1], r"coarse\.network\.blocks: needs 3 entries"),
        ("coarse.network.kernels", [[3, 3, 3], [3, 2, 3], [3, 3, 3]], r"kernels: must be odd"),
        ("coarse.network.strides", [[2, 2, 2]] * 3, r"coarse\.network\.strides\[0\]: must be \[1, 1, 1\]"),
        ("coarse.network", to_plain(tiny_plan().fine.network), r"coarse\.network\.kind: must be resunet"),
        ("colour", "red", "colour: unknown field"),
    ],
)
def test_a_broken_edit_is_refused_with_the_field_named(
    tmp_path: Path, field: str, value: object, message: str
) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(edited(field, value)))
    with pytest.raises(PlanError, match=message) as caught:
        read_plan(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)


def test_missing_files_and_fields(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"plan\.json: no such file"):
        read_plan(tmp_path / "plan.json")
    (tmp_path / "plan.json").write_text("{broken")
    with pytest.raises(PlanError, match="not valid JSON"):
        read_plan(tmp_path / "plan.json")
    data = to_plain(tiny_plan())
    del data["fine"]["spacing_mm"]
    (tmp_path / "plan.json").write_text(json.dumps(data))
    with pytest.raises(PlanError, match=r"fine\.spacing_mm: missing"):
        read_plan(tmp_path / "plan.json")


def test_a_sound_plan_passes() -> None:
    check_plan(tiny_plan())
