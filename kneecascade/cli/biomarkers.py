"""kc_biomarkers: volumes, thickness and shape of cartilage from labels."""

from __future__ import annotations

import argparse
from pathlib import Path

from kneecascade.cli.run import MENDABLE, OK, add_common_arguments, run


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = _parser().parse_args(argv)

    def work() -> int:
        from kneecascade.pipeline.biomarkers import BiomarkerSettings, measure_folder

        settings = BiomarkerSettings(
            labels=tuple(arguments.labels),
            preset=arguments.preset,
            side=arguments.side,
            subjects=arguments.subjects,
            pictures=not arguments.no_pictures,
            meshes=not arguments.no_meshes,
            resume=arguments.resume,
            longitudinal=arguments.longitudinal,
        )
        return MENDABLE if measure_folder(arguments.input, arguments.output, settings) else OK

    return run(work, arguments.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_biomarkers",
        description="Cartilage and bone from label files: volume, areas, thickness, curvature, by region.",
    )
    add = parser.add_argument
    add("-i", "--input", type=Path, required=True, metavar="LABELS", help="a folder of label files, or one")
    add("-o", "--output", type=Path, required=True, metavar="FOLDER", help="a folder a case, and one table")
    names = parser.add_mutually_exclusive_group()
    names.add_argument(
        "--labels",
        nargs="+",
        default=(),
        metavar="NAME=VALUE",
        help="femur=1 femoral_cartilage=2 ...; a name may be given several times (default: dataset.json)",
    )
    names.add_argument(
        "--preset",
        choices=("oai", "oaizib_cm", "ski10", "iwoai", "skm_tea"),
        help="labels of a known data set",
    )
    add(
        "--side",
        choices=("auto", "left", "right", "unknown"),
        default="auto",
        help="of every knee; auto: subjects.csv, else as predicted, else medial and lateral labels",
    )
    add("--subjects", type=Path, metavar="CSV", help="a subjects.csv (default: beside the labels)")
    add("--no-pictures", action="store_true", help="draw no maps")
    add("--no-meshes", action="store_true", help="write no surfaces")
    add("--continue", dest="resume", action="store_true", help="keep the cases that are done")
    add("--longitudinal", action="store_true", help="compare the visits of each knee in subjects.csv")
    add_common_arguments(parser)
    return parser
