"""kc_evaluate: scores predictions against references."""

from __future__ import annotations

import argparse
from pathlib import Path

from kneecascade.cli.run import MENDABLE, OK, add_common_arguments, run


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = _parser().parse_args(argv)

    def work() -> int:
        from kneecascade.pipeline.evaluate import evaluate_folders

        failed = evaluate_folders(
            arguments.reference, arguments.predicted, arguments.output, arguments.labels
        )
        return MENDABLE if failed else OK

    return run(work, arguments.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_evaluate",
        description="Dice of every case and label: 0 where one of both is empty, left out where both are.",
    )
    add = parser.add_argument
    add("-r", "--reference", type=Path, required=True, metavar="FOLDER", help="reference segmentations")
    add("-p", "--predicted", type=Path, required=True, metavar="FOLDER", help="predictions, same names")
    add("-o", "--output", type=Path, metavar="JSON", help="default: scores.json in the predictions' folder")
    add("--labels", type=Path, metavar="JSON", help="a dataset.json with label names; found where usual")
    add_common_arguments(parser)
    return parser
