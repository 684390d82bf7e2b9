"""kc_phantom: make a raw data set of simulated knees."""

from __future__ import annotations

import argparse
from pathlib import Path

from kneecascade.cli.arguments import seed
from kneecascade.cli.run import run

CONTRASTS = ("DESS", "PD", "PD-FS", "T1", "T2", "T2-FS")
"""Those of `phantom.looks`, which would load numpy and scipy; a test holds them together."""


def main(argv: list[str] | None = None) -> int:
    """Parses the arguments, does the work, returns the exit code."""
    args = _parser().parse_args(argv)
    return run(lambda: _work(args), args.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_phantom",
        description="Makes a raw data set of knees with simulated contrast: procedural knees with exact "
        "answers, or given label maps.",
    )
    parser.add_argument(
        "-o", dest="output", required=True, metavar="FOLDER", help="kc_workspace/raw/Dataset001_X"
    )
    parser.add_argument("-n", dest="count", type=int, default=20, help="procedural knees to train on (20)")
    parser.add_argument("--test", dest="tests", type=int, default=0, help="cases for imagesTs, labelsTs (0)")
    parser.add_argument("--size", choices=("small", "full"), default="small", help="grid of procedural knees")
    parser.add_argument("--seed", type=seed, default=0, help="of everything random (0)")
    _add_anatomy(parser)
    parser.add_argument(
        "--halves", action="store_true", help="tell the medial from the lateral tibial cartilage"
    )
    parser.add_argument("--contrast", choices=CONTRASTS, default="DESS", help="of the images (DESS)")
    parser.add_argument("--workers", type=int, help="processes (default: the processors, at most 4)")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _add_anatomy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--anatomy",
        metavar="FOLDER",
        help="render these label maps: NAME_VISIT.nii.gz, 1 femur, "
        "2 its cartilage, 3 tibia, 4 its cartilage, 5 patella, 6 its cartilage, 7-9 bone lesions",
    )
    parser.add_argument(
        "--spacing",
        type=float,
        nargs=3,
        metavar="MM",
        help="with --anatomy: spacing of the result, head-foot, front-back, right-left",
    )
    parser.add_argument(
        "--mirror", action="store_true", help="with --anatomy: adds a mirrored copy of each map"
    )
    parser.add_argument(
        "--borders",
        action="store_true",
        help="with --anatomy: write the borders that the images show as well, to bordersTr and bordersTs",
    )


def _work(args: argparse.Namespace) -> None:
    from kneecascade.errors import SettingsError
    from kneecascade.pipeline.phantom import make_phantoms
    from kneecascade.pipeline.phantom_recipe import Recipe

    if not args.anatomy and (args.spacing or args.mirror or args.borders):
        raise SettingsError("--spacing, --mirror and --borders need --anatomy FOLDER")
    recipe = Recipe(
        seed=args.seed,
        tests=args.tests,
        size=args.size,
        anatomy=Path(args.anatomy) if args.anatomy else None,
        mirror=args.mirror,
        spacing_mm=tuple(args.spacing) if args.spacing else None,
        halves=args.halves,
        contrast=args.contrast,
        borders=args.borders,
    )
    make_phantoms(Path(args.output), args.count, recipe, args.workers)


if __name__ == "__main__":
    raise SystemExit(main())
