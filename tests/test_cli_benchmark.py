"""kc_benchmark: kneecascade.cli.benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from kneecascade.benchmark.published import PROTOCOLS
from kneecascade.benchmark.reproduce import ReproduceSettings, reproduce
from kneecascade.cli.benchmark import SUBCOMMANDS, main
from kneecascade.cli.benchmark_reproduce import SOURCES
from kneecascade.dataset_conversion.catalogue import CATALOGUE
from kneecascade.errors import InputError
from kneecascade.workspace import Workspace


def test_what_is_offered_is_known() -> None:
    assert "reproduce" in SUBCOMMANDS
    assert set(SOURCES) == set(PROTOCOLS)
    assert set(SOURCES) <= set(CATALOGUE)


@pytest.mark.parametrize("key", SOURCES)
def test_without_the_data_it_says_how_to_get_them(
    key: str, workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", key, "--workspace", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert CATALOGUE[key].access in err
    with pytest.raises(InputError, match="missing: no such folder"):
        reproduce(workspace, key, ReproduceSettings(tmp_path / "missing"))
