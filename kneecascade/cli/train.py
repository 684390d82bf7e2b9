"""kc_train: train folds of the cascade, coarse stage, fine stage, held-out scores."""

from __future__ import annotations

import argparse

from kneecascade.cli.arguments import add_schedule_arguments, count, fold_list, schedule_of, share
from kneecascade.cli.run import add_common_arguments, run
from kneecascade.core.settings import TrainSettings

DEFAULT = TrainSettings()
ROUNDS = 3
"""Rounds at most where a target is given."""


def main(argv: list[str] | None = None) -> int:
    """Parses the arguments, does the work, returns the exit code."""
    args = _parser().parse_args(argv)
    return run(lambda: _work(args), args.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_train",
        description="Trains folds of the cascade: coarse, then fine, then held-out cases through both.",
    )
    parser.add_argument("dataset", help="1, 001 or Dataset001_Name")
    parser.add_argument("folds", type=fold_list, help="0, 0-4, 0,2 or all; no fold needs another")
    add_schedule_arguments(parser)
    add = parser.add_argument
    add("--stage", choices=("both", "coarse", "fine"), default="both", help="default %(default)s")
    add(
        "--pretrained",
        metavar="PATH",
        help="MedicalNet's resnet_18_23dataset.pth, or a trained model's folder",
    )
    add("--workers", type=count, default=DEFAULT.workers, help="readers where data do not fit in memory")
    add("--patience", type=count, metavar="E", help="end a stage after E epochs without a better one")
    add("--ema", action="store_true", help="save a moving average of the weights")
    add("--target-dice", type=share, metavar="D", help="further rounds until the cascade reaches this Dice")
    add("--max-rounds", type=count, metavar="N", help=f"with --target-dice (default {ROUNDS})")
    add("--no-volume-calibration", action="store_true", help="leave the targets' mean volume as trained")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--continue", dest="resume", action="store_true", help="go on after the last epoch")
    again.add_argument("--overwrite", action="store_true", help="start anew where a trained fold lies")
    add_common_arguments(parser)
    return parser


def _work(args: argparse.Namespace) -> None:
    from kneecascade.pipeline.train import train_folds
    from kneecascade.workspace import find_workspace

    settings = TrainSettings(
        **schedule_of(args),
        stages=("coarse", "fine") if args.stage == "both" else (args.stage,),
        resume=args.resume,
        overwrite=args.overwrite,
        pretrained=args.pretrained,
        workers=args.workers,
        patience=args.patience,
        ema=args.ema,
        calibrate_volumes=not args.no_volume_calibration,
        target_dice=args.target_dice,
        max_rounds=args.max_rounds or (ROUNDS if args.target_dice else 1),
    )
    train_folds(find_workspace(args.workspace), args.dataset, args.folds, settings)


if __name__ == "__main__":
    raise SystemExit(main())
