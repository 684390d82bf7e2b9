"""kneecascade.planning.processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from kneecascade.errors import ImageError, KneecascadeError
from kneecascade.planning import processes
from kneecascade.planning.processes import (
    default_workers,
    map_in_processes,
    map_in_threads,
    workers_for,
    workers_kept,
)


def job(task: str) -> tuple[str, int, str]:
    """Does what the task says; runs in a worker."""
    if task.startswith("fail"):
        raise ImageError("a.nii.gz: cannot be read")
    if task == "die":
        os._exit(3)
    if task.startswith("sleep"):
        time.sleep(20)
    return task, os.getpid(), os.environ.get("OMP_NUM_THREADS", "")


def test_results_keep_their_order_and_come_from_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    results = map_in_processes(job, ["a", "b", "c", "d"], 2, "Working")
    assert [task for task, _, _ in results] == ["a", "b", "c", "d"]
    assert all(pid != os.getpid() and threads == "1" for _, pid, threads in results)


def test_one_worker_is_this_process() -> None:
    assert map_in_processes(job, ["a"], 4, "Working")[0][1] == os.getpid()
    assert map_in_processes(job, [], 4, "Working") == []


def test_the_first_error_comes_through_at_once() -> None:
    start = time.perf_counter()
    with pytest.raises(ImageError, match=r"a\.nii\.gz: cannot be read"):
        map_in_processes(job, ["sleep", "fail", "sleep", "sleep"], 2, "Working")
    assert time.perf_counter() - start < 12


def test_a_killed_worker_is_told() -> None:
    with pytest.raises(KneecascadeError, match="a worker process was killed"):
        map_in_processes(job, ["die", "sleep"], 2, "Working")


def test_kept_workers_serve_every_call() -> None:
    with workers_kept(2, 4, os.getpid):
        first = {pid for _, pid, _ in map_in_processes(job, ["a", "b", "c", "d"], 2, "Working")}
        second = {pid for _, pid, _ in map_in_processes(job, ["e", "f", "g"], 2, "Working")}
        assert map_in_processes(job, ["a"], 2, "Working")[0][1] == os.getpid()
    assert os.getpid() not in first | second
    assert len(first | second) <= 2
    later = {pid for _, pid, _ in map_in_processes(job, ["a", "b"], 2, "Working")}
    assert not later & (first | second)


def test_an_error_ends_kept_workers() -> None:
    start = time.perf_counter()
    with pytest.raises(ImageError), workers_kept(2, 4):
        map_in_processes(job, ["sleep", "fail", "sleep"], 2, "Working")
    assert map_in_processes(job, ["a", "b"], 2, "Working")[1][0] == "b"
    assert time.perf_counter() - start < 12


def test_threads(tmp_path: Path) -> None:
    assert map_in_threads(str.upper, ["a", "b", "c"], 2, "Working") == ["A", "B", "C"]
    with pytest.raises(ImageError):
        map_in_threads(job, ["a", "fail"], 2, "Working")


def test_default_workers() -> None:
    assert 1 <= default_workers() <= 4


def test_few_items_are_worth_no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "default_workers", lambda: 3)
    assert [workers_for(items) for items in (0, 5, 6, 100)] == [1, 1, 3, 3]
    assert workers_for(2, 4) == 4
