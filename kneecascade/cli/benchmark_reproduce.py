"""kc_benchmark reproduce: a public data set under its published protocol."""

from __future__ import annotations

import argparse
from pathlib import Path

from kneecascade.cli.arguments import add_schedule_arguments, count, fold_list, positive, schedule_of

REPRODUCE = "a public data set under its published protocol, ours beside published rows"
SOURCES = ("oai_zib", "oaizib_cm", "ski10", "iwoai2019", "skm_tea", "msd")


def add_reproduce(parser: argparse.ArgumentParser) -> None:
    """Adds its flags."""
    add = parser.add_argument
    add("source_kind", choices=SOURCES, metavar="SOURCE", help=", ".join(SOURCES))
    add("--source", type=Path, metavar="FOLDER", help="the data set as its makers publish it")
    add("--images", type=Path, metavar="FOLDER", help="oai_zib: where the OAI's images lie")
    add("-d", "--dataset", type=int, metavar="N", help="number of the converted data set (default: 501 on)")
    add("--link", action="store_true", help="link files instead of copying them where they stay as they are")
    add("--folds", type=fold_list, help="0, 0-4, 0,2 or all (default; else no published row is shown)")
    add("--memory-gb", type=positive, default=8.0, help="memory a training step may take (default 8)")
    add("--fine-width", type=count, help="MedicalNet width (default 32)")
    add_schedule_arguments(parser)


def run_reproduce(arguments: argparse.Namespace) -> None:
    """Does it."""
    from kneecascade.benchmark.reproduce import ReproduceSettings, reproduce
    from kneecascade.core.settings import TrainSettings
    from kneecascade.pipeline.plan_and_preprocess import PlanSettings
    from kneecascade.workspace import find_workspace

    settings = ReproduceSettings(
        source=arguments.source,
        images=arguments.images,
        identifier=arguments.dataset,
        folds=arguments.folds,
        link=arguments.link,
        plan=PlanSettings(memory_gb=arguments.memory_gb, fine_width=arguments.fine_width),
        train=TrainSettings(**schedule_of(arguments)),
    )
    reproduce(find_workspace(arguments.workspace), arguments.source_kind, settings)
