"""Work on many cases at once, in processes or threads; the first error ends it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from kneecascade.allocator import tune_allocator
from kneecascade.console import tracked
from kneecascade.errors import KneecascadeError
from kneecascade.workspace import one_thread_each

T = TypeVar("T")
R = TypeVar("R")

WORTH_PROCESSES = 6  # fewer items are done before other processes have started
MOST_WORKERS = 4  # each worker holds a whole case in memory, about 1 GB for a knee


def default_workers() -> int:
    """Returns the number of usable processors, at most four."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity
        usable = os.cpu_count() or 1
    return max(1, min(MOST_WORKERS, usable))


def workers_for(items: int, wanted: int | None = None) -> int:
    """Returns how many processes to use: those wanted, else the default; one for few items.

    Args:
        items: how many there are, each a second or so of work.
        wanted: what the user asked for; None leaves the choice.
    """
    if wanted is not None:
        return wanted
    return default_workers() if items >= WORTH_PROCESSES else 1


def map_in_processes(
    function: Callable[[T], R], items: Sequence[T], workers: int, description: str
) -> list[R]:
    """Applies `function` to every item in spawned processes, with a progress bar.

    Args:
        function: a module-level function (or a partial of one), so that it can be pickled.
        items: what to work on; an empty list gives an empty list.
        workers: processes; 1 works in this process.
        description: the name of the progress bar.

    Returns:
        The results in the order of the items.

    Raises:
        KneecascadeError: a worker was killed. Any error of `function` comes through as it is,
            as soon as it happens; the other workers are ended.
    """
    workers = min(workers, len(items))
    if workers <= 1:
        tune_allocator()
        return list(tracked((function(item) for item in items), description, len(items)))
    found: dict[int, R] = {}
    for index, result in tracked(_unordered(function, items, workers), description, len(items)):
        found[index] = result
    return [found[index] for index in range(len(items))]


def map_in_threads(function: Callable[[T], R], items: Sequence[T], workers: int, description: str) -> list[R]:
    """Applies `function` to every item in threads: for reading files, which starts at once.

    Returns:
        The results in the order of the items. Any error of `function` comes through as it is.
    """
    pool = ThreadPoolExecutor(max(1, workers))
    try:
        return list(tracked(pool.map(function, items), description, len(items)))
    finally:
        pool.shutdown(cancel_futures=True)


_kept: ProcessPoolExecutor | None = None
"""What `workers_kept` keeps."""


@contextmanager
def workers_kept(workers: int, items: int, first: Callable[[], object] | None = None) -> Iterator[None]:
    """Keeps one set of processes for every `map_in_processes` inside, instead of starting a set for each.

    Args:
        workers: processes; with 1 nothing is kept.
        items: the most that any of the calls will have.
        first: called in each process at once, so that all are there, with its module loaded, when they are
            needed; None starts them when they are.
    """
    global _kept
    count = min(workers, items)
    if count <= 1 or _kept:
        yield
        return
    try:
        with _pool(count) as _kept:
            if first:
                for _ in range(count):
                    _kept.submit(first)
            yield
    finally:
        _kept = None


def _unordered(function: Callable[[T], R], items: Sequence[T], workers: int) -> Iterator[tuple[int, R]]:
    with nullcontext(_kept) if _kept else _pool(workers) as pool:
        futures: dict[Future[R], int] = {pool.submit(function, x): k for k, x in enumerate(items)}
        for future in as_completed(futures):
            yield futures[future], future.result()


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    # spawn, not fork: forked children inherit the locks of running threads and can hang
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    with one_thread_each():
        pool = ProcessPoolExecutor(workers, context, initializer=_start_worker)
        try:
            yield pool
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            if isinstance(error, BrokenProcessPool):
                message = "a worker process was killed, perhaps for want of memory; try --workers 1"
                raise KneecascadeError(message) from error
            raise
        pool.shutdown()


def _start_worker() -> None:
    tune_allocator()
    # Ctrl-C reaches the whole process group; the parent alone answers it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
