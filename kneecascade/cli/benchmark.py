"""kc_benchmark: measures against published numbers, one subcommand a question."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kneecascade.cli.arguments import count
from kneecascade.cli.benchmark_accuracy import ACCURACY, add_accuracy, run_accuracy
from kneecascade.cli.benchmark_reproduce import REPRODUCE, add_reproduce, run_reproduce
from kneecascade.cli.run import add_common_arguments, run


@dataclass(frozen=True)
class Subcommand:
    """One word after kc_benchmark.

    Attributes:
        help: one line.
        add_arguments: adds its own flags.
        work: does it; returns the exit code, None for 0.
    """

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    work: Callable[[argparse.Namespace], int | None]


def main(argv: list[str] | None = None) -> int:
    """Runs a subcommand and returns its exit code."""
    arguments = _parser().parse_args(argv)
    return run(lambda: SUBCOMMANDS[arguments.subcommand].work(arguments), arguments.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_benchmark", description="Measures kneecascade beside published numbers."
    )
    words = parser.add_subparsers(dest="subcommand", required=True, metavar="WHAT")
    for word, subcommand in SUBCOMMANDS.items():
        below = words.add_parser(word, help=subcommand.help, description=subcommand.help)
        subcommand.add_arguments(below)
        add_common_arguments(below)
    return parser


def _add_speed(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-o", "--output", type=Path, default=Path("kc_speed"), metavar="FOLDER", help="default: kc_speed")
    add("--quick", action="store_true", help="fewer repeats, tiles and steps: to see that it works")
    add("--skip-peer", action="store_true", help="measure kneecascade alone")
    add("--peer", type=Path, metavar="PYTHON", help="of an environment with nnU-Net v2 (default: make one)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    add("--page", type=Path, metavar="MD", help="a page whose marked section gets the table, and its picture")
    add("--show", action="store_true", help="measure nothing: page and picture from the last run")


def _speed(arguments: argparse.Namespace) -> None:
    from kneecascade.benchmark.speed import SpeedSettings
    from kneecascade.benchmark.speed_run import benchmark_speed, show_speed

    if arguments.show:
        return show_speed(arguments.output, arguments.page)
    chosen = {name: getattr(arguments, name) for name in ("quick", "skip_peer", "peer", "device")}
    benchmark_speed(arguments.output, SpeedSettings(**chosen), arguments.page)


def _add_memory(parser: argparse.ArgumentParser) -> None:
    _add_output(parser, "kc_memory.json")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to train")


def _memory(arguments: argparse.Namespace) -> None:
    from kneecascade.benchmark.memory import benchmark_memory

    benchmark_memory(arguments.output, arguments.device)


def _add_output(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("-o", "--output", type=Path, default=Path(name), help=f"default: {name}")


def _add_filters(parser: argparse.ArgumentParser) -> None:
    _add_output(parser, "kc_filters.json")
    parser.add_argument("--knees", type=count, default=3, metavar="N", help="phantoms, default 3")


def _filters(arguments: argparse.Namespace) -> None:
    from kneecascade.benchmark.filters import benchmark_filters

    benchmark_filters(arguments.output, arguments.knees)


SUBCOMMANDS: dict[str, Subcommand] = {
    "accuracy": Subcommand(ACCURACY, add_accuracy, run_accuracy),
    "reproduce": Subcommand(REPRODUCE, add_reproduce, run_reproduce),
    "filters": Subcommand("what filters do to noise, edges, shading", _add_filters, _filters),
    "memory": Subcommand("the planner's memory estimate beside measured peaks", _add_memory, _memory),
    "speed": Subcommand("time and memory beside nnU-Net v2, in one run", _add_speed, _speed),
}


if __name__ == "__main__":
    raise SystemExit(main())
