"""Every command: is installed, and helps without waking torch or anything else that takes time to load."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from source import ROOT

COMMANDS = dict(
    re.findall(r'"(kc_\w+) = (kneecascade\.cli\.\w+):main"', (ROOT / "setup.py").read_text("utf-8"))
)
HEAVY = ("torch", "numpy", "rich", "scipy", "SimpleITK", "matplotlib", "skimage", "batchgenerators")
MOST_MODULES = 160
"""About 115 are loaded, most of them argparse's; time itself is left to benchmarks."""
PROBE = """
import sys
from {module} import main
try:
    main(["--help"])
except SystemExit as end:
    loaded = [name for name in {heavy} if name in sys.modules]
    if len(sys.modules) > {most}:
        loaded.append(f"{{len(sys.modules)}} modules")
    sys.exit(f"--help imports {{loaded}}" if loaded else end.code)
sys.exit("--help did not end")
"""


def test_the_commands_are_known() -> None:
    assert {"kc_plan_and_preprocess", "kc_train", "kc_predict", "kc_evaluate", "kc_demo"} <= set(COMMANDS)


def test_every_command_file_is_a_command() -> None:
    files = {p.stem for p in (ROOT / "kneecascade/cli").glob("*.py")} - {
        "__init__",
        "run",
        "arguments",
        "benchmark_accuracy",
        "benchmark_reproduce",
    }
    assert files == {module.rpartition(".")[2] for module in COMMANDS.values()}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_light(command: str) -> None:
    probe = PROBE.format(module=COMMANDS[command], heavy=HEAVY, most=MOST_MODULES)
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: {command}")
