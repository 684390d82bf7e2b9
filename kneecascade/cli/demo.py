"""kc_demo: the whole job on made-up knees."""

from __future__ import annotations

import argparse
from pathlib import Path

from kneecascade.cli.arguments import seed
from kneecascade.cli.run import run


def main(argv: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    arguments = _parser().parse_args(argv)
    return run(lambda: _work(arguments), arguments.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_demo",
        description="Makes phantom knees, plans, trains two folds, predicts unseen knees, scores them.",
    )
    add = parser.add_argument
    add("-o", "--output", type=Path, default=Path("demo"), metavar="FOLDER", help="default: ./demo")
    add("--minutes", type=float, default=5.0, help="of training, both folds together (default: %(default)g)")
    add("--seed", type=seed, default=0, help="of phantoms and training (default: %(default)s)")
    add("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")
    add("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _work(arguments: argparse.Namespace) -> None:
    from kneecascade.pipeline.demo import run_demo

    run_demo(arguments.output, arguments.minutes, arguments.seed, arguments.device)


if __name__ == "__main__":
    raise SystemExit(main())
