"""kc_cross_validation: all folds together, rules on small pieces, the test set."""

from __future__ import annotations

import argparse

from kneecascade.cli.arguments import add_schedule_arguments, count, fold_list, schedule_of
from kneecascade.cli.run import MENDABLE, OK, add_common_arguments, run
from kneecascade.errors import SettingsError


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    args = _parser().parse_args(argv)
    return run(lambda: _work(args), args.debug)


def _work(args: argparse.Namespace) -> int:
    from kneecascade.core.settings import TrainSettings
    from kneecascade.pipeline.cross_validation import CrossValidationSettings, cross_validate
    from kneecascade.workspace import find_workspace

    if not args.train and (args.time_limit or args.epochs or args.batch_size):
        raise SettingsError("--time-limit, --epochs and --batch-size are for training; add --train")
    settings = CrossValidationSettings(
        folds=args.folds,
        train=TrainSettings(**schedule_of(args), resume=True) if args.train else None,
        test=args.test,
        again=args.again,
        device=args.device,
        workers=args.workers,
    )
    return MENDABLE if cross_validate(find_workspace(args.workspace), args.dataset, settings) else OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_cross_validation",
        description="Scores the held-out cases of all folds together; decides which pieces of labels stay.",
    )
    add = parser.add_argument
    add("dataset", help="1, 001 or Dataset001_Name")
    add("--folds", type=fold_list, metavar="FOLDS", help="0-4, 0,2 or all (default: all)")
    add("--test", action="store_true", help="then score the ensemble of the folds on the test set, once")
    add("--again", action="store_true", help="with --test: once more with the same weights, on record")
    add("--workers", type=count, metavar="N", help="processes (default: the processors, at most 4)")
    add("--train", action="store_true", help="train folds that are not trained; the following as of kc_train")
    add_schedule_arguments(parser)
    add_common_arguments(parser)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
