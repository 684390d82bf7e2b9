"""nnU-Net v2 in an environment of its own, beside the same version of torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from kneecascade.console import say
from kneecascade.errors import KneecascadeError

NNUNET = "nnunetv2==2.8.1"


def peer_python(folder: Path) -> Path:
    """Returns the interpreter of an environment with nnU-Net, made if it is not there yet.

    torch comes first, in this environment's version and from where pip is set to look, and is then held
    by a constraints file: nnU-Net wants timm, that torchvision, and that else another torch, one for
    CUDA of several gigabytes.

    Raises:
        KneecascadeError: something could not be installed; the message names the log.
    """
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done, log = folder / "installed.txt", folder / "install.log"
    if done.is_file():
        return python
    say(f"installing {NNUNET} into {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    torch = f"torch=={version('torch').split('+')[0]}"
    constraints = folder / "constraints.txt"
    constraints.write_text(torch + "\n", encoding="utf-8")
    pip = [str(python), "-m", "pip", "install"]
    _run([sys.executable, "-m", "venv", str(folder)], log)
    _run([*pip, torch], log)
    before = _torch_of(python, log)
    _run([*pip, "--constraint", str(constraints), NNUNET], log)
    if _torch_of(python, log) != before:
        raise KneecascadeError(f"{folder}: installing {NNUNET} replaced torch {before}; see {log}")
    done.write_text(f"{NNUNET}, torch {before}\n", encoding="utf-8")
    return python


def _torch_of(python: Path, log: Path) -> str:
    return _run([str(python), "-c", "from importlib.metadata import version as v; print(v('torch'))"], log)


def _run(command: Sequence[str], log: Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    with log.open("a", encoding="utf-8") as stream:
        stream.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}\n")
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise KneecascadeError(f"{' '.join(command[1:5])} ... failed: {' '.join(words)}; see {log}")
    return done.stdout.strip()
