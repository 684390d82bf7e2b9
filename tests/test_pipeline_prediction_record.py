"""Tests of pipeline.prediction_record."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import knee, save_grey_model, use_grey_networks

from kneecascade.core.case import Case
from kneecascade.core.settings import PredictSettings
from kneecascade.files import write_json
from kneecascade.inference.cascade import load_cascade
from kneecascade.pipeline.images import Job
from kneecascade.pipeline.prediction_record import (
    case_record,
    data_licence,
    finished_cases,
    image_hash,
    run_record,
)


def test_a_record_is_plain_and_finished_only_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_grey_networks(monkeypatch)
    model = save_grey_model(tmp_path / "model")
    cascade = load_cascade(model, device="cpu")
    head = run_record(model, cascade, PredictSettings(device="cpu"))
    image, out = tmp_path / "a.nii.gz", tmp_path / "out"
    image.write_bytes(b"voxels")
    job = Job(Case("a", (image,)), out / "a.nii.gz")
    record = case_record(cascade.predict(knee(0)[0]))
    assert record["region"]["in_tiles"] is False
    written = {"file": "elsewhere/a.nii.gz", "image_hash": image_hash(job), **record}
    assert finished_cases(out, head, [job]) == {}
    write_json(out / "predictions.json", {**head, "cases": {"a": written}})
    assert finished_cases(out, head, [job]) == {}
    job.output.write_bytes(b"labels")
    assert list(finished_cases(out, head, [job])) == ["a"]
    elsewhere = {**head, "device": "GPU", "model": {**head["model"], "folder": "moved"}}
    assert list(finished_cases(out, elsewhere, [job])) == ["a"]
    for part, value in (("model", {**head["model"], "weights_hash": "0"}), ("kneecascade", "0.0.1")):
        assert finished_cases(out, {**head, part: value}, [job]) == {}
    image.unlink()
    assert image_hash(job) == ""
    assert finished_cases(out, head, [job]) == {}


def test_the_licence_comes_from_the_folds(tmp_path: Path) -> None:
    folds = [tmp_path / name for name in ("a", "b", "c", "d")]
    for folder, licence in zip(folds, ("CC BY-NC 4.0", "CC BY-NC 4.0", "", None), strict=True):
        write_json(folder / "run.json", {"data_licence": licence} if licence is not None else {})
    assert data_licence(folds) == "CC BY-NC 4.0"
    assert data_licence([tmp_path / "none"]) == ""
