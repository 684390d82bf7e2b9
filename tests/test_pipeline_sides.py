"""kneecascade.pipeline.sides."""

from __future__ import annotations

from pathlib import Path

import pytest
from dicom_files import random_stack, series_tags, write_series

from kneecascade.core.case import Case, Side
from kneecascade.errors import DatasetError
from kneecascade.pipeline.images import Job, find_jobs
from kneecascade.pipeline.prediction_record import image_hash
from kneecascade.pipeline.sides import with_sides


def job(name: str, side: Side = "unknown") -> Job:
    return Job(Case(name, (), None, side), Path("out") / name)


def sides(jobs: list[Job]) -> list[Side]:
    return [one.case.side for one in jobs]


def test_the_user_goes_before_the_table_before_the_case(tmp_path: Path) -> None:
    images = tmp_path / "imagesTs"
    images.mkdir()
    jobs = [job("a"), job("b", "left"), job("c", "right")]
    assert sides(with_sides(jobs, images, "auto")) == ["unknown", "left", "right"]
    (tmp_path / "subjects.csv").write_text("case,subject,side\na,p,right\nb,p,\nc,q,left\n")
    assert sides(with_sides(jobs, images, "auto")) == ["right", "left", "left"]
    (images / "subjects.csv").write_text("case,subject,side\na,p,left\n")
    assert sides(with_sides(jobs, images, "auto")) == ["left", "left", "left"]
    assert sides(with_sides(jobs, images / "a_0000.nii.gz", "auto")) == ["left", "left", "left"]
    assert sides(with_sides(jobs, images, "right")) == ["right"] * 3
    assert sides(with_sides(jobs, images, "unknown")) == ["unknown"] * 3
    assert [one.output for one in with_sides(jobs, images, "right")] == [one.output for one in jobs]


def test_a_broken_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "subjects.csv").write_text("case,subject,side\na,p,up\n")
    with pytest.raises(DatasetError, match="side of a is 'up'"):
        with_sides([job("a")], tmp_path, "auto")


def test_another_side_is_another_prediction(tmp_path: Path) -> None:
    image = tmp_path / "a_0000.nii.gz"
    image.write_bytes(b"x")
    hashes = {
        image_hash(Job(Case("a", (image,), None, side), image)) for side in ("left", "right", "unknown")
    }
    assert len(hashes) == 3


@pytest.mark.parametrize(("tag", "side"), [("L", "left"), ("R", "right"), ("B", "unknown"), ("", "unknown")])
def test_dicom_tells_its_side(tmp_path: Path, tag: str, side: Side) -> None:
    write_series(tmp_path, random_stack(), series_tags(Laterality=tag))
    jobs = find_jobs(tmp_path, tmp_path / "out", 1, ".nii.gz")
    assert sides(with_sides(jobs, tmp_path, "auto")) == [side]
