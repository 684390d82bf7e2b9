"""kc_dicom: lists the DICOM series of a folder and converts them to NIfTI."""

from __future__ import annotations

import argparse
from pathlib import Path

from kneecascade.cli.run import MENDABLE, OK, add_common_arguments, run


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = _parser().parse_args(argv)

    def work() -> int:
        from kneecascade.pipeline.dicom import dicom_folder

        broken = dicom_folder(
            arguments.folder, arguments.output, arguments.series, arguments.echo, arguments.json
        )
        return MENDABLE if broken else OK

    return run(work, arguments.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_dicom",
        description="Lists the DICOM series of a folder tree; with -o, writes a NIfTI file a volume.",
    )
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="as it comes from scanner or archive; or one file")
    add("-o", "--output", type=Path, metavar="OUT", help="folder for the NIfTI files")
    add("--series", metavar="TEXT", help="only series of this number, UID or part of the description")
    add("--echo", metavar="ECHO", help="a number, rss (root-sum-of-squares) or mean (default: each)")
    add("--json", action="store_true", help="print JSON in place of the table")
    add_common_arguments(parser)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
