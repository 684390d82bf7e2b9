"""What the documentation promises to name is named, and its links lead somewhere."""

from __future__ import annotations

import argparse
import dataclasses
import re
from importlib import import_module
from pathlib import Path

import pytest
from source import ROOT

from kneecascade.core import filters, plan
from kneecascade.core.labels import Labels

PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "documentation").glob("*.md"), *ROOT.glob("dataset_conversion/*.md")]
)
COMMANDS = dict(
    re.findall(r'"(kc_\w+) = (kneecascade\.cli\.\w+):main"', (ROOT / "setup.py").read_text("utf-8"))
)
STEPS = tuple(type(chosen) for chosen in filters.FILTERS.values())
RECORDS = (
    plan.CascadePlan,
    plan.RegionPlan,
    plan.StagePlan,
    plan.ResUNetPlan,
    plan.MedicalNetPlan,
    Labels,
    *STEPS,
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_field_of_the_plan_has_its_line(record: type) -> None:
    lines = (ROOT / "documentation/plan_file.md").read_text("utf-8").splitlines()
    for field in dataclasses.fields(record):
        assert any(line.startswith(f"| `{field.name}`") for line in lines), field.name


def test_every_record_of_the_plan_is_looked_at() -> None:
    inside = {kind for kind in vars(plan).values() if dataclasses.is_dataclass(kind)}
    assert inside <= set(RECORDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_flag_is_documented(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flags: list[str] = []

    def collect(parser: argparse.ArgumentParser) -> None:
        for action in parser._actions:
            flags.extend(flag for flag in action.option_strings if flag[:2] == "--")
            if isinstance(action, argparse._SubParsersAction):
                for below in action.choices.values():
                    collect(below)

    def note(parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        collect(parser)
        raise SystemExit

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", note)
    with pytest.raises(SystemExit):
        import_module(COMMANDS[command]).main([])
    text = (ROOT / "documentation/commands.md").read_text("utf-8")
    section = text.split(f"## {command}\n")[1].split("\n## ")[0]
    general = text.split("\n## ")[0]
    for flag in set(flags) - {"--help"}:
        assert re.search(rf"{flag}\b", section + general), f"{command} {flag}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if not target.startswith(("http", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_do_not_know_one_machine(page: Path) -> None:
    assert not re.search(r"(^|[\s`(])/(work|root|tmp)/", page.read_text("utf-8"))
