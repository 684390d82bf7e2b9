"""kc_convert_dataset: a public data set's own layout to the raw layout."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kneecascade.cli.arguments import count
from kneecascade.cli.run import add_common_arguments, run

SOURCES = ("oai_zib", "oaizib_cm", "ski10", "iwoai2019", "skm_tea", "msd", "folders")


def main(argv: list[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    arguments = _parser().parse_args(argv)
    return run(lambda: _work(arguments), arguments.debug)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kc_convert_dataset", description=__doc__.partition(": ")[2])
    parser.add_argument("layout", choices=SOURCES, metavar="SOURCE", help=", ".join(SOURCES))
    add = parser.add_argument
    add("--source", type=Path, required=True, metavar="FOLDER", help="the data set as its makers publish it")
    add("-d", "--dataset", type=int, required=True, metavar="N", help="number of the new one, 1 to 999")
    add("--dry-run", action="store_true", help="only tell what would be written")
    add("--link", action="store_true", help="link files instead of copying them, where they stay as they are")
    add("--merge-menisci", action="store_true", help="write both menisci as one label")
    add("--skip-broken", action="store_true", help="leave out cases that cannot be converted")
    add("--no-split", action="store_true", help="write no splits.json with the source's own folds")
    add("--workers", type=count, default=2, help="cases worked on at once (default: %(default)s)")
    add("--images", type=Path, metavar="FOLDER", help="oai_zib: where the OAI's images lie")
    _add_folders(parser)
    add_common_arguments(parser)
    return parser


def _add_folders(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("for the source folders, where --source holds the images").add_argument
    add("--labels", type=Path, metavar="FOLDER", help="the label files")
    add("--label-names", type=Path, metavar="FILE", help="table with value and name, or a dataset.json")
    pattern = "default: {case}.nii.gz"
    add("--image-pattern", default="{case}.nii.gz", metavar="TEXT", help=pattern)
    add("--label-pattern", default="{case}.nii.gz", metavar="TEXT", help=pattern)
    add("--subjects", type=Path, metavar="FILE", help="table with case, subject, side, site, grade, visit")
    add("--name", default="Folders", help="of the new data set (default: %(default)s)")
    add("--licence", default="", metavar="TEXT", help="of images and labels")


def _work(arguments: argparse.Namespace) -> None:
    from kneecascade.console import say
    from kneecascade.dataset_conversion.folders import FolderOptions
    from kneecascade.dataset_conversion.sources import SourceOptions, convert
    from kneecascade.dataset_conversion.writer import ConvertSettings
    from kneecascade.workspace import find_workspace

    settings = ConvertSettings(
        merge_menisci=arguments.merge_menisci,
        link=arguments.link,
        dry_run=arguments.dry_run,
        skip_broken=arguments.skip_broken,
        official_split=not arguments.no_split,
        workers=arguments.workers,
    )
    names = ("labels", "label_names", "image_pattern", "label_pattern", "name", "licence", "subjects")
    folders = FolderOptions(**{name: getattr(arguments, name) for name in names})
    options = SourceOptions(arguments.images, folders)
    raw = find_workspace(arguments.workspace).raw
    folder = convert(arguments.layout, arguments.source, raw, arguments.dataset, settings, options)
    if not arguments.dry_run:
        say(f"wrote {folder}")
        say(f"next: kc_plan_and_preprocess -d {arguments.dataset}")


if __name__ == "__main__":
    sys.exit(main())
