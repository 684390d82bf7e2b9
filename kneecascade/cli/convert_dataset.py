"""kc_convert_dataset: a public data set's own layout to the raw layout."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kneecascade.cli.run import add_common_arguments, run


def main(argv: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    arguments = _parser().parse_args(argv)
    return run(lambda: _work(arguments), arguments.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kc_convert_dataset", description=__doc__.partition(": ")[2])
    parser.add_argument("layout", choices=("msd",), help="msd: a Medical Segmentation Decathlon task")
    parser.add_argument(
        "--source", type=Path, required=True, metavar="FOLDER", help="such as Task04_Hippocampus"
    )
    parser.add_argument(
        "-d", "--dataset", type=int, required=True, metavar="N", help="number of the new data set, 1 to 999"
    )
    add_common_arguments(parser)
    return parser


def _work(arguments: argparse.Namespace) -> None:
    from kneecascade.console import say
    from kneecascade.dataset_conversion.msd import convert_msd
    from kneecascade.workspace import find_workspace

    raw = find_workspace(arguments.workspace).raw
    folder = convert_msd(arguments.source, raw, arguments.dataset)
    say(f"wrote {folder}")
    say(f"next: kc_plan_and_preprocess -d {arguments.dataset}")


if __name__ == "__main__":
    sys.exit(main())
