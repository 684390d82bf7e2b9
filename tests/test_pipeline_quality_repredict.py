from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_models import knee, save_grey_model, use_grey_networks

from kneecascade.errors import InputError
from kneecascade.imaging.files import write_channel, write_labels
from kneecascade.inference.cascade import load_cascade
from kneecascade.pipeline.quality import Judge
from kneecascade.pipeline.quality_repredict import SOUND, WAYS, Answer, order_correlation, repredict_folder


def test_images_are_spoiled_and_segmented_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_grey_networks(monkeypatch)
    cascade = load_cascade(save_grey_model(tmp_path / "model"), device="cpu")
    volume, labels = knee(0)
    write_labels(labels, tmp_path / "labels" / "a.mha")
    write_channel(volume.array[0], volume.geometry, tmp_path / "images" / "a.mha")
    answers = repredict_folder(cascade, Judge(None), tmp_path / "labels", tmp_path / "images")
    by_way = {answer.way: answer for answer in answers}
    assert set(by_way) == {SOUND, *WAYS}
    assert by_way[SOUND].dice > 0.98
    assert by_way[SOUND].doubt == 0
    assert by_way["upside down (image and labels)"].dice > 0.98
    assert by_way["inverted"].dice < 0.5
    written = json.loads((tmp_path / "labels" / "quality_repredict.json").read_text())
    assert len(written["answers"]) == len(answers)
    (tmp_path / "images" / "a.mha").unlink()
    with pytest.raises(InputError, match="no image for a"):
        repredict_folder(cascade, Judge(None), tmp_path / "labels", tmp_path / "images")


def test_order() -> None:
    answers = [Answer(str(k), SOUND, 1 - 0.1 * k, float(k), ()) for k in range(5)]
    assert order_correlation(answers) == -1
    assert order_correlation(answers[:1]) is None
