"""kc_report: one HTML file that shows a cohort of results."""

from __future__ import annotations

import argparse
from pathlib import Path

from kneecascade.cli.arguments import count
from kneecascade.cli.run import MENDABLE, OK, add_common_arguments, run


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = _parser().parse_args(argv)

    def work() -> int:
        from kneecascade.pipeline.report import ReportSettings, write_report

        settings = ReportSettings(
            images=arguments.images,
            biomarkers=arguments.biomarkers,
            with_3d=not arguments.no_3d,
            frames=arguments.frames,
        )
        return MENDABLE if write_report(arguments.results, arguments.output, settings) else OK

    return run(work, arguments.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_report",
        description="Writes one HTML file that opens offline: a table of all cases and a page a knee.",
    )
    add = parser.add_argument
    add("results", type=Path, metavar="RESULTS", help="a folder that kc_predict wrote")
    add("-o", "--output", type=Path, metavar="FILE", help="the HTML file (default: RESULTS/report.html)")
    add("--images", type=Path, metavar="FOLDER", help="where the images lie now (default: as predicted)")
    add("--biomarkers", type=Path, metavar="FOLDER", help="of kc_biomarkers (default: RESULTS/biomarkers)")
    add("--frames", type=count, default=40, metavar="N", help="slices a plane (default: 40)")
    add("--no-3d", action="store_true", help="leave the 3D view out: smaller, needs no plotly")
    add_common_arguments(parser)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
