"""How every command ends: one line for an error, an exit code, no traceback without --debug."""

from __future__ import annotations

import argparse
import errno
from collections.abc import Callable

from kneecascade.console import console
from kneecascade.errors import KneecascadeError

MISHAPS = {
    errno.ENOSPC: "no space is left there; make room and run again",
    errno.EDQUOT: "your quota there is used up; make room and run again",
    errno.EACCES: "not permitted; check who may read and write there",
    errno.EPERM: "not permitted; check who may read and write there",
    errno.EROFS: "can only be read there; choose another place",
    errno.ENOTDIR: "a file is in the way of a folder; move it",
    errno.EEXIST: "a file is in the way of a folder; move it",
    errno.EISDIR: "a folder is in the way of a file; move it",
    errno.ENAMETOOLONG: "the name is too long for this file system",
}
"""What the user can mend about files and disks."""

OK, FAILED, MENDABLE, INTERRUPTED = 0, 1, 2, 130


def run(work: Callable[[], int | None], debug: bool = False) -> int:
    """Runs the work of a command and turns what goes wrong into one line and an exit code.

    Args:
        work: does everything and returns the exit code; None stands for 0.
        debug: let exceptions through, with their traceback.

    Returns:
        0 when all went well or the work's own code, 2 for what the user can mend
        (`KneecascadeError`, a full disk, missing permission), 130 after Ctrl-C, 1 for anything else.
    """
    try:
        return work() or OK
    except KeyboardInterrupt:
        _tell("interrupted")
        return INTERRUPTED
    except KneecascadeError as error:
        if debug:
            raise
        _tell(str(error))
        return MENDABLE
    except OSError as error:
        if debug:
            raise
        _tell(_mishap(error))
        return MENDABLE if error.errno in MISHAPS else FAILED
    except Exception as error:
        if debug:
            raise
        _tell(f"{type(error).__name__}: {error} (run again with --debug to see where)")
        return FAILED


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that every command has: --workspace and --debug."""
    parser.add_argument(
        "--workspace",
        metavar="FOLDER",
        help="holds raw, preprocessed and results (default: KC_WORKSPACE, else ./kc_workspace)",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _mishap(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    known = MISHAPS.get(error.errno or 0)
    if known:
        return f"{where}{known}"
    return f"{type(error).__name__}: {error} (run again with --debug to see where)"


def _tell(message: str) -> None:
    line = " ".join(message.split())
    console(stderr=True).print(f"error: {line}", style="bold red", markup=False)
