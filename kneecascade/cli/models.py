"""kc_models: lists the models that come with kneecascade and those trained here; packs one."""

from __future__ import annotations

import argparse
from pathlib import Path

from kneecascade.cli.run import add_common_arguments, run


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = _parser().parse_args(argv)
    return run(lambda: _work(arguments), arguments.debug)


def _work(arguments: argparse.Namespace) -> None:
    from kneecascade.pipeline.models import show_models
    from kneecascade.workspace import find_workspace

    if arguments.pack is None:
        show_models(find_workspace(arguments.workspace))
        return
    from kneecascade.files import read_json
    from kneecascade.pipeline.pack_model import pack_model

    card = read_json(arguments.card) if arguments.card else {}
    pack_model(arguments.pack, arguments.fold, arguments.output or Path(arguments.pack.name), card)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_models",
        description="Lists the models that come with kneecascade and those trained here.",
    )
    add = parser.add_argument
    add("--pack", type=Path, metavar="MODEL", help="write a small copy of a trained model: one fold, float16")
    add("-f", "--fold", type=int, default=0, metavar="N", help="which fold to pack (0)")
    add("-o", "--output", type=Path, metavar="FOLDER", help="the copy; its last part becomes its name")
    add("--card", type=Path, metavar="JSON", help="what the copy says of itself: licence, limits, anything")
    add_common_arguments(parser)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
