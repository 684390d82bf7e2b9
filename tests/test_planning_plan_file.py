"""kneecascade.planning.plan_file, kneecascade.planning.plan_bounds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from plans import tiny_plan

from kneecascade.core.filters import FILTERS
from kneecascade.core.record import to_plain
from kneecascade.errors import PlanError
from kneecascade.imaging.normalize import LANDMARKS
from kneecascade.planning.memory import estimate_training_gb
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
        ("mirror_axes", [3], r"mirror_axes\[0\]: must be from 0 to 2"),
        ("memory_gb", "8", "memory_gb: expected float"),
        ("file_ending", "nii.gz", "file_ending: must start with a dot"),
        ("file_ending", "./../x", "file_ending: must start with a dot"),
        ("region.margin_mm", -1, r"region\.margin_mm: must be from 0 to 999"),
        ("region.min_volume_mm3", [1, 2], r"region\.min_volume_mm3: needs 1 values, one a target"),
        ("region.max_volume_mm3", [0], r"region\.max_volume_mm3: must not be below min_volume_mm3"),
        ("region.min_gap_mm", [1, 1, 1], r"region\.min_gap_mm: needs 6 values"),
        ("region.min_gap_mm", [1, 1, 1, 1, 1, -1], r"region\.min_gap_mm\[5\]: must be from 0"),
        ("region.max_extent_mm", [0, 0, 0], r"region\.max_extent_mm: must not be below"),
        ("coarse.spacing_mm", [0, 1, 1], r"coarse\.spacing_mm\[0\]: must be from 0.01 to 999"),
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
        ("denoise_seconds", -1, "denoise_seconds: must be from 0"),
        ("normalization", ["histogram"], "histogram_landmarks: needs 1 lists, one a channel"),
        ("histogram_landmarks", [[1, 2]], r"histogram_landmarks\[0\]: needs 0 values, as normalization"),
        ("canonical_side", "up", "canonical_side: expected one of 'none', 'left', 'right'"),
        ("canonical_side", "left", "mirror_axes: must leave 2 out where canonical_side"),
        ("fine.patch_shape_zyx", [16, 16, 20], r"fine\.patch_shape_zyx: must be divisible .* \(8, 8, 8\)"),
        ("fine.patch_shape_zyx", [16, 16], r"fine\.patch_shape_zyx: expected 3 values, found 2"),
        ("fine.batch_size", 0, r"fine\.batch_size: must be from 1 to 1024"),
        ("fine.thin_labels", ["menisci"], r"fine\.thin_labels: must be among"),
        ("fine.network.num_classes", 4, r"fine\.network\.num_classes: must be 3, as labels"),
        ("fine.network.in_channels", 2, r"fine\.network\.in_channels: must be 1"),
        ("fine.network.depth", 20, r"fine\.network\.depth: must be one of 10, 18"),
        ("fine.network.width", 0, r"fine\.network\.width: must be from 1 to 1024"),
        ("fine.network.aspp_rates", [], r"fine\.network\.aspp_rates: there must be 1 to 16 branches"),
        ("fine.network.strides", [[2, 2, 2]] * 2, r"fine\.network\.strides: expected 3 values"),
        ("fine.network.strides", [[0, 2, 2]] * 3, r"fine\.network\.strides\[0\]\[0\]: must be from 1 to 4"),
        ("coarse.network.blocks", [1, 1], r"coarse\.network\.blocks: needs 3 entries"),
        ("coarse.network.kernels", [[3, 3, 3], [3, 2, 3], [3, 3, 3]], r"kernels: must be odd"),
        ("coarse.network.strides", [[2, 2, 2]] * 3, r"coarse\.network\.strides\[0\]: must be \[1, 1, 1\]"),
        ("coarse.network", to_plain(tiny_plan().fine.network), r"coarse\.network\.kind: must be resunet"),
        ("colour", "red", "colour: unknown field"),
        ("colors", [[1, 2, 3]], "colors: needs 3 colours, one a label, or none"),
        ("colors", [[0, 0, 0], [1, 2, 3], [1, 2, 300]], "colors: must be from 0 to 255"),
        ("colors", [[0, 0, 0], [1, 2, 3], [1, 2]], r"colors\[2\]: expected 3 values, found 2"),
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


RICH = replace(
    tiny_plan(channels=("a", "b"), mirror_axes=(0,), thin_labels=("bone",)),
    normalization=("histogram", "none"),
    histogram_landmarks=(tuple(float(k) for k in range(LANDMARKS)), ()),
    denoise=tuple(FILTERS.values()),
    canonical_side="right",
)
SOUND = json.loads(json.dumps(to_plain(RICH)))
HOSTILE: list[Any] = [
    None, True, -1, 0, 1, 2.5, 10**6, 10**400, 1e308, float("nan"), float("-inf"), "", "x", "\ud800", [],
    [[]], [1, 2, 3], {}, {"kind": "n4"}, {"kind": ["n4"]}, ["bone", "bone"],
]  # fmt: skip


def places(data: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yields the way to every value inside JSON, the top itself too."""
    yield way
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in pairs:
        yield from places(value, (*way, key))


def put(data: Any, way: tuple[Any, ...], value: Any) -> Any:
    """Returns a copy with another value at one place."""
    if not way:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[way[0]] = put(data[way[0]], way[1:], value)
    return copy


def survives(file: Path, text: str) -> None:
    """A plan is refused with a field named in one line, or it is as good as any other plan."""
    file.write_text(text, "utf-8", errors="surrogatepass")
    try:
        plan = read_plan(file)
    except PlanError as error:
        told = str(error).removeprefix(f"{file}: ")
        assert "\n" not in told
        roots = (*SOUND, "the top level", "not valid JSON")
        assert told.startswith(roots) or told.endswith(": unknown field"), told
        return
    write_plan(plan, file)
    assert read_plan(file) == plan
    check_plan(plan)
    assert len(plan_hash(plan)) == 16
    for stage in (plan.coarse, plan.fine):
        assert math.isfinite(estimate_training_gb(stage.network, stage.patch_shape_zyx, stage.batch_size))


def test_no_place_of_a_plan_takes_a_hostile_value(tmp_path: Path) -> None:
    ways = list(places(SOUND))
    assert len(ways) > 150
    for k, way in enumerate(ways):
        for value in HOSTILE[k % 2 :: 2]:  # half of them at each place keeps this quick
            survives(tmp_path / "plan.json", json.dumps(put(SOUND, way, value)))
        if way and isinstance(way[-1], str):
            inner = put(SOUND, way, None)
            holder = inner
            for key in way[:-1]:
                holder = holder[key]
            del holder[way[-1]]
            survives(tmp_path / "plan.json", json.dumps(inner))


@settings(max_examples=100, deadline=None)
@given(data=some.data())
def test_no_text_of_a_plan_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, data: some.DataObject
) -> None:
    file = tmp_path_factory.getbasetemp() / "plan.json"
    text = json.dumps(SOUND)
    start = data.draw(some.integers(0, len(text)))
    stop = data.draw(some.integers(start, min(len(text), start + 30)))
    survives(file, text[:start] + data.draw(some.text(max_size=12)) + text[stop:])


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5000, "\ud800", "", "null", "\x00", '{"a": 1' * 3000])
def test_what_is_no_plan_at_all(tmp_path: Path, text: str) -> None:
    survives(tmp_path / "plan.json", text)
    with pytest.raises(PlanError):
        read_plan(tmp_path / "plan.json")
