"""kneecascade.benchmark.memory, kneecascade.benchmark.memory_plans, kneecascade.training.peak."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from plans import tiny_plan

from kneecascade.benchmark import memory
from kneecascade.benchmark.memory import MemoryRow, benchmark_memory, in_own_process
from kneecascade.benchmark.memory_plans import SETS, ten_plans
from kneecascade.files import read_json
from kneecascade.planning.plan_file import check_plan
from kneecascade.training.peak import peak_resident_bytes


def test_ten_plans_within_their_budgets() -> None:
    plans = list(ten_plans())
    assert len({name for name, _ in plans}) == len(SETS) == 10
    for _, plan in plans:
        check_plan(plan)
        assert max(plan.coarse.estimated_memory_gb, plan.fine.estimated_memory_gb) <= plan.memory_gb
    assert len({plan.coarse for _, plan in plans} | {plan.fine for _, plan in plans}) >= 16


def test_a_step_is_measured_in_a_process_of_its_own() -> None:
    here = peak_resident_bytes()
    assert here > 50e6
    peak, where = in_own_process(tiny_plan().coarse, "cpu")
    assert 0.1 < peak < 2
    assert where.startswith("CPU")


def test_rows_and_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = replace(tiny_plan(), coarse=replace(tiny_plan().coarse, estimated_memory_gb=1.2))
    monkeypatch.setattr(memory, "ten_plans", lambda: [("tiny", plan)])
    monkeypatch.setattr(memory, "in_own_process", lambda *_: (1.0, "CPU"))
    rows = benchmark_memory(tmp_path / "memory.json")
    assert [row.error for row in rows] == pytest.approx([0.2, 0.0])
    assert rows[0] == MemoryRow("tiny", "coarse", (16, 16, 16), 2, 1.2, 1.0)
    assert read_json(tmp_path / "memory.json")["rows"][1]["stage"] == "fine"
    assert "+0 to +20 %" in capsys.readouterr().out
