"""kc_plan_and_preprocess: check a raw data set, plan the cascade, prepare the cases."""

from __future__ import annotations

import argparse

from kneecascade.cli.run import add_common_arguments, run


def main(argv: list[str] | None = None) -> int:
    """Parses the arguments, does the work, returns the exit code."""
    args = _parser().parse_args(argv)
    return run(lambda: _work(args), args.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_plan_and_preprocess",
        description="Checks a raw data set, measures it, plans the cascade, prepares the training cases.",
    )
    parser.add_argument(
        "-d", dest="datasets", nargs="+", required=True, metavar="DATASET", help="1, 001 or Dataset001_Name"
    )
    parser.add_argument(
        "--memory-gb",
        type=float,
        default=8.0,
        help="memory a training step may take (default 8; 2 or 3 for training on a CPU)",
    )
    parser.add_argument("--workers", type=int, help="processes (default: the processors, at most 4)")
    parser.add_argument("--plan-only", action="store_true", help="stop when plan.json is written")
    parser.add_argument("--replan", action="store_true", help="plan anew even if plan.json was edited")
    parser.add_argument("--fine-depth", type=int, help="MedicalNet depth: 10 (default) to 200")
    parser.add_argument("--fine-width", type=int, help="MedicalNet width (default 32; 64 as published)")
    parser.add_argument(
        "--denoise",
        default="none",
        metavar="FILTERS",
        help="none (default), median, curvature, nlm, n4, or a chain such as n4+curvature",
    )
    parser.add_argument(
        "--normalization",
        nargs="+",
        metavar="CHOICE",
        help="percentile_zscore (default), zscore, histogram, none: for all channels, or one each",
    )
    parser.add_argument(
        "--test-fraction", type=float, metavar="F", help="set this share of the subjects aside as a test set"
    )
    add_common_arguments(parser)
    return parser


def _work(args: argparse.Namespace) -> None:
    from kneecascade.errors import SettingsError
    from kneecascade.pipeline.plan_and_preprocess import PlanSettings, plan_and_preprocess
    from kneecascade.workspace import find_workspace

    if args.workers is not None and args.workers < 1:
        raise SettingsError(f"--workers {args.workers}: must be 1 or more")
    settings = PlanSettings(
        memory_gb=args.memory_gb,
        workers=args.workers,
        plan_only=args.plan_only,
        replan=args.replan,
        fine_depth=args.fine_depth,
        fine_width=args.fine_width,
        denoise=args.denoise,
        test_fraction=args.test_fraction,
        normalization=tuple(args.normalization) if args.normalization else None,
    )
    for dataset in args.datasets:
        plan_and_preprocess(find_workspace(args.workspace), dataset, settings)


if __name__ == "__main__":
    raise SystemExit(main())
