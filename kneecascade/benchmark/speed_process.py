"""Running a command with its wall-clock time and the peak memory of its whole process tree."""

from __future__ import annotations

import math
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneecascade.errors import KneecascadeError, MissingExtraError
from kneecascade.workspace import child_environment

INTERVAL_S = 0.2
GB = 1e9
LAST_LINES = 3


@dataclass(frozen=True)
class Run:
    """One command that ended well.

    Attributes:
        started: when it started, seconds since the epoch, as `time.time` tells them.
        seconds: wall-clock time from the start of its first process to the end of its last.
        peak_gb: the largest sum over its processes.
        cpu_s: processor time of all its processes; nan where the system does not tell.
    """

    started: float
    seconds: float
    peak_gb: float
    cpu_s: float


def run_measured(command: Sequence[str], log: Path, variables: Mapping[str, str] | None = None) -> Run:
    """Runs a command to its end; what it prints goes to `log`.

    The memory of a tree is the sum of its processes' proportional set sizes where the system tells
    them, so that shared pages count once, else of their resident sets; looked at five times a second.
    Each process' own peak, where the system keeps it, stands in for peaks between two looks.

    Args:
        command: the program and its arguments.
        log: appended to.
        variables: added to the environment.

    Raises:
        KneecascadeError: the command failed; the message has its last words.
        MissingExtraError: psutil is not installed.
    """
    psutil = _psutil()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        stream.write(f"\n$ {' '.join(command)}\n".encode())
        stream.flush()
        before, started, clock = _children_cpu_s(), time.time(), time.perf_counter()
        process = subprocess.Popen(
            command, stdout=stream, stderr=subprocess.STDOUT, env=child_environment(variables or {})
        )
        watch = _Watch(psutil, process.pid)
        try:
            code = process.wait()
        finally:
            seconds = time.perf_counter() - clock
            peak_bytes = watch.end()
    if code != 0:
        words = " / ".join(log.read_text("utf-8", "replace").strip().splitlines()[-LAST_LINES:])
        raise KneecascadeError(f"{Path(command[0]).name} ended with code {code}: {words}; see {log}")
    return Run(started, seconds, peak_bytes / GB, _children_cpu_s() - before)


class _Watch:
    """A thread that looks at a process and its descendants until told to end."""

    def __init__(self, psutil: Any, pid: int) -> None:
        self.psutil, self.peak_bytes = psutil, 0
        self.over = threading.Event()
        self.root = psutil.Process(pid)
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def end(self) -> int:
        self.over.set()
        self.thread.join()
        return self.peak_bytes

    def _watch(self) -> None:
        while not self.over.wait(INTERVAL_S):
            try:
                tree = [self.root, *self.root.children(recursive=True)]
            except self.psutil.Error:
                continue
            now = sum(self._bytes(process) for process in tree)
            alone = max((_own_peak(process.pid) for process in tree), default=0)
            self.peak_bytes = max(self.peak_bytes, now, alone)

    def _bytes(self, process: Any) -> int:
        try:
            found = process.memory_full_info()
            return int(getattr(found, "pss", found.rss))
        except self.psutil.Error:  # it ended, or is not ours to look at
            return 0


def _own_peak(pid: int) -> int:
    """Returns the most that a process alone has held so far; 0 where the system does not tell."""
    try:
        rows = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next((int(row.split()[1]) << 10 for row in rows if row.startswith("VmHWM:")), 0)
    except OSError:
        return 0


def _children_cpu_s() -> float:
    """Returns the processor time of all ended descendants so far."""
    try:
        import resource
    except ImportError:  # Windows
        return math.nan
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _psutil() -> Any:
    try:
        import psutil
    except ImportError as error:
        raise MissingExtraError(
            "measuring memory needs psutil: pip install kneecascade[benchmark]"
        ) from error
    return psutil
