from __future__ import annotations

import json
from pathlib import Path

import pytest
from knees import LABELS, block_knee

from kneecascade.cli.quality import main
from kneecascade.core.record import to_plain
from kneecascade.evaluation.quality_features import measure_features
from kneecascade.evaluation.quality_file import FILE
from kneecascade.evaluation.quality_limits import make_reference
from kneecascade.files import write_json
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.pipeline.quality_trial import WAYS


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    cases = [measure_features(*block_knee(seed), LABELS) for seed in range(12)]
    write_json(tmp_path / "model" / FILE, to_plain(make_reference(cases, LABELS, "Dataset001_B", "0")))
    for seed in (20, 21):
        volume, labels = block_knee(seed)
        write_labels(labels, tmp_path / "labels" / f"k{seed}.mha")
        write_channel(volume.array[0], volume.geometry, tmp_path / "images" / f"k{seed}_0000.mha")
    return {"-p": str(tmp_path / "labels"), "-i": str(tmp_path / "images"), "-m": str(tmp_path / "model")}


def _run(folders: dict[str, str], *more: str) -> int:
    return main([word for pair in folders.items() for word in pair] + list(more))


def test_sound_cases_are_spoiled_and_counted(
    folders: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(folders, "--trial") == 0
    found = json.loads((Path(folders["-p"]) / "quality_trial.json").read_text())
    assert set(found["ways"]) == {"sound", *WAYS}
    assert found["ways"]["sound"] == {"cases": 2, "flagged": 0, "by_check": {}}
    assert found["ways"]["missing structure"]["by_check"]["missing"] == 2
    assert found["ways"]["cartilages swapped"]["flagged"] == 2
    assert found["ways"]["noise of 30 %"]["by_check"]["noise"] == 2
    assert "2 of 2" in capsys.readouterr().out


def test_a_case_without_image_is_refused(folders: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    (Path(folders["-i"]) / "k21_0000.mha").unlink()
    assert _run(folders, "--trial") == 2
    assert "no image for k21" in capsys.readouterr().err
    del folders["-i"]
    assert _run(folders, "--trial") == 2
