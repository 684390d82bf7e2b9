"""kneecascade.pipeline.report_measures."""

from __future__ import annotations

from pathlib import Path

from kneecascade.biomarkers.table import Row, write_rows
from kneecascade.pipeline.report_measures import read_measures

ORDER = (
    "map_femur",
    "map_femur_curvature",
    "map_femoral_cartilage_curvature",
    "map_tibia",
    "map_tibia_curvature",
    "map_tibial_cartilage_curvature",
    "map_patella",
    "map_patella_curvature",
    "map_patellar_cartilage_curvature",
)


def test_maps_are_the_cases_own_one_bone_after_the_other(tmp_path: Path) -> None:
    write_rows(tmp_path / "biomarkers.csv", [Row("map", "femur", "whole", "volume", 150.0, "ml", "counted")])
    for case in ("map", "other"):
        (tmp_path / case).mkdir()
        for name in ORDER:
            (tmp_path / case / f"{name}.png").write_bytes(case.encode())
    found = read_measures(tmp_path, must_exist=True)
    assert [one["name"] for one in found.maps("map")] == list(ORDER)
    assert len({one["image"] for one in found.maps("map")}) == 1
    assert found.maps("none") == []
    assert found.rows("map")[0]["value"] == 150.0
