"""kc_benchmark accuracy: variants of the cascade and nnU-Net at equal training time."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kneecascade.cli.arguments import count, duration
from kneecascade.errors import SettingsError

ACCURACY = "variants of the cascade and nnU-Net v2 at equal training time, scored on cases that chose nothing"


def add_accuracy(parser: argparse.ArgumentParser) -> None:
    """Adds its flags."""
    add = parser.add_argument
    add("-d", "--dataset", required=True, metavar="N", help="number or name of the data set, prepared")
    add("--budget", type=durations, default=(1200.0,), help="seconds of training: 20m, or several: 5m,20m")
    add("--variants", default="cascade", help="the first is compared with: cascade,unet,coarse_only,...")
    add("--peer", choices=("nnunet",), help="train it as well, with the same cases")
    add("--peer-python", type=Path, metavar="PYTHON", help="of an environment with it (default: make one)")
    add("--seeds", type=count, default=1, metavar="N", help="runs of each, seeds 0 to N-1; default 1")
    add(
        "--budget-in",
        choices=("wall", "processor"),
        default="wall",
        help="seconds of the wall clock (default), or computed by the process, on a busy machine",
    )
    add("--cases", choices=("test", "held-out"), default="test", help="held-out: of fold 0, to choose by")
    add(
        "--coarse",
        type=Path,
        metavar="FOLD",
        help="a trained fold whose coarse stage all share; the budget is the fine stage's then",
    )
    add("--tta", action="store_true", help="both tools average over mirrorings")
    add("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")
    add(
        "-o",
        "--output",
        type=Path,
        default=Path("kc_accuracy"),
        metavar="FOLDER",
        help="default: kc_accuracy",
    )
    add(
        "--page", type=Path, metavar="MD", help="a page whose marked section gets the tables, and the picture"
    )
    add("--show", action="store_true", help="run nothing: tables and picture from the runs that are there")


def durations(text: str) -> tuple[float, ...]:
    """Returns the seconds of "5m,20m".

    Raises:
        argparse.ArgumentTypeError: one is no duration.
    """
    return tuple(dict.fromkeys(duration(part) for part in text.split(",")))


def run_accuracy(arguments: argparse.Namespace) -> None:
    """Does it."""
    from kneecascade.benchmark.accuracy import AccuracySettings, benchmark_accuracy
    from kneecascade.benchmark.accuracy_report import report
    from kneecascade.benchmark.accuracy_variants import parse_variants
    from kneecascade.workspace import find_workspace

    if arguments.show:
        return report(arguments.output, arguments.page)
    variants = parse_variants(arguments.variants)
    if arguments.coarse and any(variant.way != "cascade" for variant in variants):
        raise SettingsError("--coarse: only variants of the whole cascade share a coarse stage")
    settings = AccuracySettings(
        dataset=arguments.dataset,
        variants=variants,
        budgets_s=arguments.budget,
        seeds=tuple(range(arguments.seeds)),
        clock=arguments.budget_in,
        scored=arguments.cases,
        coarse=arguments.coarse,
        peer=arguments.peer is not None,
        peer_python=arguments.peer_python,
        device=arguments.device,
        tta=arguments.tta,
        command=" ".join(["kc_benchmark", *sys.argv[1:]]),
    )
    benchmark_accuracy(find_workspace(arguments.workspace), arguments.output, settings, arguments.page)
