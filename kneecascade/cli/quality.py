"""kc_quality: says which segmentations are unlike sound ones, the worst first."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kneecascade.cli.arguments import count
from kneecascade.cli.run import MENDABLE, OK, add_common_arguments, run
from kneecascade.errors import InputError, SettingsError

if TYPE_CHECKING:
    from kneecascade.evaluation.quality_limits import QualityReference


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = _parser().parse_args(argv)
    work = _learn if arguments.learn else _judge
    return run(lambda: MENDABLE if work(arguments) else OK, arguments.debug)


def _learn(arguments: argparse.Namespace) -> int:
    from kneecascade.pipeline.quality_reference import learn_of_dataset
    from kneecascade.workspace import find_workspace

    if not arguments.dataset:
        raise SettingsError("--learn: name the data set with -d")
    learn_of_dataset(
        find_workspace(arguments.workspace), arguments.dataset, arguments.model, arguments.workers
    )
    return 0


def _judge(arguments: argparse.Namespace) -> int:
    from kneecascade.evaluation.quality_file import FILE, read_reference
    from kneecascade.pipeline.model import choose_model
    from kneecascade.pipeline.quality import judge_folder
    from kneecascade.pipeline.quality_sides import SideSource
    from kneecascade.workspace import find_workspace

    if arguments.predicted is None:
        raise SettingsError("-p: give the folder of segmentations")
    model = choose_model(find_workspace(arguments.workspace), arguments.dataset, arguments.model)
    reference = read_reference(model)
    if reference is None:
        raise InputError(f"{model / FILE}: missing or of another version; kc_quality --learn -d ID makes it")
    if arguments.trial or arguments.repredict:
        return _trial(arguments, model, reference)
    files = (arguments.predicted, arguments.images)
    source = SideSource(arguments.side, arguments.subjects)
    return judge_folder(*files, reference, arguments.output, arguments.workers, source)


def _trial(arguments: argparse.Namespace, model: Path, reference: QualityReference) -> int:
    from kneecascade.inference.cascade import load_cascade
    from kneecascade.pipeline.quality import load_judge
    from kneecascade.pipeline.quality_repredict import repredict_folder
    from kneecascade.pipeline.quality_sides import SideSource
    from kneecascade.pipeline.quality_trial import trial_of_folder

    if arguments.images is None:
        raise SettingsError("--trial, --repredict: give the images with -i")
    files = (arguments.predicted, arguments.images)
    source = SideSource(arguments.side, arguments.subjects)
    if arguments.repredict:
        cascade = load_cascade(model)
        judge = load_judge(model, cascade.folds)
        repredict_folder(cascade, judge, *files, arguments.output, source)
    else:
        trial_of_folder(*files, reference, arguments.output, arguments.workers, source)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_quality",
        description="Holds segmentations against the training cases: flags with a reason and a number.",
    )
    add = parser.add_argument
    add("-p", "--predicted", type=Path, metavar="FOLDER", help="segmentations, from kc_predict or anyone")
    add(
        "-i",
        "--images",
        type=Path,
        metavar="FOLDER",
        help="their images; without, grey values stay unchecked",
    )
    add("-d", "--dataset", metavar="ID", help="the model of this data set: 1, 001, Dataset001_Name")
    add("-m", "--model", type=Path, metavar="FOLDER", help="a model folder with quality.json in it")
    add("-o", "--output", type=Path, metavar="JSON", help="default: quality_review.json beside the labels")
    add(
        "--learn",
        action="store_true",
        help="measure the training cases of -d, for a model that has no limits",
    )
    add(
        "--side",
        choices=("auto", "left", "right", "unknown"),
        default="auto",
        help="of all knees (default: by subjects.csv, else as predicted, else medial and lateral labels)",
    )
    add("--subjects", type=Path, metavar="CSV", help="a subjects.csv (default: beside or above the folders)")
    add("--trial", action="store_true", help="spoil the cases in known ways and count what is newly noticed")
    add("--repredict", action="store_true", help="spoil images, segment them again, compare doubt with Dice")
    add("--workers", type=count, metavar="N", help="processes (default: the processors, at most 4)")
    add_common_arguments(parser)
    return parser
