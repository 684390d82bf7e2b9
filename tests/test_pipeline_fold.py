"""Most of `pipeline.fold` is seen through `train_folds`, in test_pipeline_train."""

import pytest
from raw_folder import write_raw

from kneecascade.errors import SettingsError
from kneecascade.pipeline.fold import choose_folds
from kneecascade.planning.dataset_folder import read_dataset


def test_folds_know_their_cases(tmp_path):
    raw = read_dataset(write_raw(tmp_path / "Dataset001_Tiny"))
    splits = [{"train": ["case0", "case1"], "val": ["case2"]}, {"train": ["case2"], "val": ["case0"]}]
    first, second = choose_folds(raw, splits, None, tmp_path / "results")
    assert first.training == ("case0", "case1")
    assert [case.name for case in first.held_out] == ["case2"]
    assert second.folder == tmp_path / "results" / "fold_1"
    assert choose_folds(raw, splits, (1,), tmp_path / "results") == [second]
    with pytest.raises(SettingsError, match="fold 2: there are folds 0 to 1"):
        choose_folds(raw, splits, (2,), tmp_path)
