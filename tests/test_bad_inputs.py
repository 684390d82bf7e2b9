"""Every bad input ends in one clear line and exit code 2, with nothing lost or half-written."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from importlib import import_module
from pathlib import Path

import bad_inputs
import pytest
from bad_inputs import ALL, Bad
from bad_site import Site, build_site
from test_cli_help import COMMANDS

from kneecascade.cli.run import run as end

WITHOUT_WORKSPACE = {"kc_phantom", "kc_demo"}


@pytest.fixture(scope="session")
def sound_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Everything as it should be; tests spoil copies of it."""
    return build_site(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def site(sound_site: Site, tmp_path: Path) -> Site:
    """A copy to spoil."""
    shutil.copytree(sound_site.root, tmp_path / "site")
    return Site(tmp_path / "site")


def contents(root: Path) -> dict[str, str]:
    """Returns a hash of every file below a folder."""
    files = (p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.md5(p.read_bytes()).hexdigest() for p in files}


def run(command: str, arguments: list[str], site: Site) -> int:
    """Runs a command in this process; returns its exit code."""
    if command not in WITHOUT_WORKSPACE:
        arguments = [*arguments, "--workspace", str(site.workspace)]
    try:
        return int(import_module(COMMANDS[command]).main(arguments))
    except SystemExit as end:  # argparse
        return int(end.code or 0)


def test_there_are_many() -> None:
    assert len(ALL) >= 40
    assert len({(bad.command, bad.what) for bad in ALL}) == len(ALL)
    assert {"kc_plan_and_preprocess", "kc_train", "kc_predict", "kc_evaluate"} <= {bad.command for bad in ALL}


@pytest.mark.parametrize("bad", ALL, ids=lambda bad: f"{bad.command}: {bad.what}".replace(" ", "-"))
def test_a_bad_input(bad: Bad, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(argument) for argument in bad.spoil(site)]
    if bad.command == "kc_evaluate" and not arguments:
        arguments = ["-r", str(site.raw / "labelsTr"), "-p", str(site.out)]
    before = contents(site.root)
    code = run(bad.command, arguments, site)
    shown = capsys.readouterr()
    lines = [line for line in shown.err.splitlines() if re.search(r"error:|warning:", line)]
    told = " ".join(f"{shown.out} {shown.err}".split())
    assert code == 2, told
    assert "Traceback" not in told
    assert lines, told
    assert re.search(".*".join(map(re.escape, bad.says)), told), told
    after = contents(site.root)
    lost = {name for name, mark in before.items() if after.get(name) != mark}
    assert not lost
    assert set(after) - set(before) <= set(bad.new) | {"workspace/preprocessed/Dataset001_Tiny/splits.json"}
    assert set(bad.new) - {"out/scores.csv"} <= set(after)


def test_the_page_is_made_from_the_table(repository: Path) -> None:
    assert (repository / "documentation/troubleshooting.md").read_text("utf-8") == bad_inputs.page()


def test_a_full_disk(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(site.out / "predictions.json"))

    monkeypatch.setattr("kneecascade.files.os.replace", full)
    assert run("kc_predict", ["-i", str(site.images), "-o", str(site.out)], site) == 2
    told = capsys.readouterr().err
    assert "predictions.json: no space is left there" in " ".join(told.split())
    assert not [p for p in site.out.rglob("*") if p.name.startswith(".writing")]


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may write anywhere")
def test_a_folder_that_must_not_be_written(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.root.chmod(0o555)
    try:
        assert run("kc_predict", ["-i", str(site.images), "-o", str(site.out)], site) == 2
    finally:
        site.root.chmod(0o755)
    assert "not permitted" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["EACCES", "EROFS", "EDQUOT"])
def test_mishaps_of_the_disk_are_told_in_a_line(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        raise OSError(getattr(errno, number), "strange words", "/some/file")

    assert end(work) == 2
    assert capsys.readouterr().err.startswith("error: /some/file: ")


def test_a_mishap_nobody_can_mend_is_a_failure() -> None:
    def work() -> int:
        raise OSError(errno.EIO, "Input/output error")

    assert end(work) == 1
