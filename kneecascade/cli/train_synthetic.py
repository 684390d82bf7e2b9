"""kc_train_synthetic: a cascade trained on anatomies painted with random contrasts, no image needed."""

from __future__ import annotations

import argparse
from pathlib import Path

from kneecascade.cli.arguments import count, duration, fold_list, positive, seed, share
from kneecascade.cli.run import add_common_arguments, run
from kneecascade.core.settings import TrainSettings

DEFAULT = TrainSettings()
SEQUENCES = ("DESS", "GRE", "PD", "PD-FS", "SPGR", "T1", "T2", "T2-FS")
"""Those of `training.contrasts`, which would load torch; a test holds them together."""


def main(argv: list[str] | None = None) -> int:
    """Parses the arguments, does the work, returns the exit code."""
    args = _parser().parse_args(argv)
    return run(lambda: _work(args), args.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_train_synthetic",
        description="Trains a cascade on anatomies painted with a new random contrast at every step.",
    )
    _add_anatomies(parser)
    add = parser.add_argument
    add("--folds", type=fold_list, default=(0,), metavar="FOLDS", help="0 (default), 0-4, 0,2 or all")
    add("--fine-width", type=int, metavar="N", help="width of the fine encoder (default: 32)")
    add("--sequences", nargs="+", default=(), choices=SEQUENCES, help="contrasts to paint (default: any)")
    add("--batch-size", type=count, help="patches a step (default: the plan's)")
    add("--memory-gb", type=positive, default=8.0, help="memory a training step may take (8)")
    add("--epochs", type=count, help="of each stage (default 250; unlimited with --time-limit)")
    add(
        "--iterations-per-epoch", type=count, default=DEFAULT.iterations_per_epoch, help="default %(default)s"
    )
    add("--time-limit", type=duration, help="for each fold with its validation: 90s, 40m, 2h, 1h30m")
    add(
        "--coarse-share",
        type=share,
        default=DEFAULT.coarse_time_share,
        help="of the time limit (%(default)s)",
    )
    add("--learning-rate", type=positive, default=DEFAULT.learning_rate, help="peak, default %(default)s")
    add("--pretrained", metavar="PATH", help="MedicalNet weights, or a trained model's folder")
    add("--seed", type=seed, default=DEFAULT.seed, help="of everything random, default %(default)s")
    add("--device", choices=("auto", "cpu", "cuda", "mps"), default=DEFAULT.device)
    add("--workers", type=count, help="processes (default: the processors, at most 4)")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--continue", dest="resume", action="store_true", help="go on after the last epoch")
    again.add_argument("--overwrite", action="store_true", help="start anew where a trained fold lies")
    add_common_arguments(parser)
    return parser


def _add_anatomies(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-d", "--dataset", type=int, default=900, metavar="N", help="number of the data set it makes (900)")
    add(
        "--anatomy",
        default="procedural",
        metavar="WHAT",
        help="procedural (default), or a folder of label maps",
    )
    add("-n", dest="count", type=count, default=40, help="procedural legs (40)")
    add("--test", dest="tests", type=int, default=0, help="knees set aside to test on (0)")
    add(
        "--spacing",
        type=float,
        nargs=3,
        metavar="MM",
        help="of procedural legs (0.75), or to bring label maps to: head-foot, front-back, right-left",
    )
    add("--no-mirror", action="store_true", help="add no mirrored copies of label maps")


def _work(args: argparse.Namespace) -> None:
    from kneecascade.pipeline.plan_and_preprocess import PlanSettings
    from kneecascade.pipeline.train_synthetic import Anatomies, train_synthetic
    from kneecascade.workspace import find_workspace

    anatomies = Anatomies(
        folder=None if args.anatomy == "procedural" else Path(args.anatomy),
        count=args.count,
        tests=args.tests,
        spacing_mm=tuple(args.spacing) if args.spacing else None,
        mirror=not args.no_mirror,
        seed=args.seed,
    )
    settings = TrainSettings(
        epochs=args.epochs,
        iterations_per_epoch=args.iterations_per_epoch,
        time_limit_s=args.time_limit,
        learning_rate=args.learning_rate,
        coarse_time_share=args.coarse_share,
        seed=args.seed,
        device=args.device,
        resume=args.resume,
        overwrite=args.overwrite,
        pretrained=args.pretrained,
        synthetic=True,
        sequences=tuple(args.sequences),
        batch_size=args.batch_size,
    )
    planning = PlanSettings(memory_gb=args.memory_gb, workers=args.workers, fine_width=args.fine_width)
    train_synthetic(find_workspace(args.workspace), args.dataset, args.folds, anatomies, planning, settings)


if __name__ == "__main__":
    raise SystemExit(main())
