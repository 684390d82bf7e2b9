"""kc_evaluate: scores predictions against references, or tells the precision of repeated scans."""

from __future__ import annotations

import argparse
from pathlib import Path

from kneecascade.cli.arguments import count, positive, seed
from kneecascade.cli.run import MENDABLE, OK, add_common_arguments, run
from kneecascade.errors import SettingsError


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = _parser().parse_args(argv)
    work = _precision if arguments.precision else _evaluate
    return run(lambda: MENDABLE if work(arguments) else OK, arguments.debug)


def _evaluate(arguments: argparse.Namespace) -> int:
    from kneecascade.evaluation.bootstrap import Resampling
    from kneecascade.pipeline.evaluate import EvaluateSettings, evaluate_folders

    if arguments.reference is None:
        raise SettingsError("-r: give the folder of references; only --precision needs none")
    if arguments.images and not arguments.pictures:
        raise SettingsError("--images: only --pictures needs them; add it")
    settings = EvaluateSettings(
        labels_file=arguments.labels,
        tolerances_mm=tuple(arguments.tolerance),
        cartilage=_names(arguments.cartilage),
        roi=arguments.roi,
        subjects=arguments.subjects,
        groups=_names(arguments.group),
        against=arguments.against,
        pictures=arguments.pictures,
        images=arguments.images,
        resampling=Resampling(seed=arguments.seed),
        workers=arguments.workers,
    )
    return evaluate_folders(arguments.reference, arguments.predicted, arguments.output, settings)


def _precision(arguments: argparse.Namespace) -> int:
    from kneecascade.pipeline.precision import PrecisionSettings, precision_of_folder

    settings = PrecisionSettings(
        arguments.labels, _names(arguments.cartilage), arguments.subjects, arguments.workers
    )
    return precision_of_folder(arguments.predicted, arguments.output, settings)


def _names(given: list[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_evaluate",
        description="Overlap, surface distances in mm, volume and thickness of every case and label.",
    )
    add = parser.add_argument
    add("-r", "--reference", type=Path, metavar="FOLDER", help="reference segmentations")
    add("-p", "--predicted", type=Path, required=True, metavar="FOLDER", help="predictions, same names")
    add("-o", "--output", type=Path, metavar="JSON", help="default: scores.json in the predictions' folder")
    add("--labels", type=Path, metavar="JSON", help="a dataset.json with label names; found where usual")
    add(
        "--tolerance",
        type=positive,
        nargs="+",
        default=[0.5, 1.0],
        metavar="MM",
        help="tolerances of the surface Dice (default: 0.5 1)",
    )
    add("--cartilage", nargs="+", metavar="LABEL", help="labels that are sheets (default: by their name)")
    add("--roi", type=Path, metavar="FOLDER", help="masks, same names: cartilage is measured inside alone")
    add("--subjects", type=Path, metavar="CSV", help="default: subjects.csv beside the references' folder")
    add("--group", nargs="+", metavar="COLUMN", help="of subjects.csv (default: grade side site)")
    add("--against", type=Path, metavar="FOLDER", help="another method's predictions, compared in pairs")
    add("--pictures", action="store_true", help="box plots, Bland-Altman plots, the worst five cases")
    add("--images", type=Path, metavar="FOLDER", help="images for the worst cases' pictures")
    add("--precision", action="store_true", help="instead: from repeated scans, needs no references")
    add("--seed", type=seed, default=0, help="of the bootstrap (default: 0)")
    add("--workers", type=count, metavar="N", help="processes (default: the processors, at most 4)")
    add_common_arguments(parser)
    return parser
