"""A public data set from its makers' folder to our scores beside published ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kneecascade.benchmark.grouped_scores import Scored, means, printed_groups, score_cases
from kneecascade.benchmark.published import PROTOCOLS, Protocol
from kneecascade.benchmark.reproduce_table import result_record, show_result
from kneecascade.console import say, warn
from kneecascade.core.dataset import Dataset
from kneecascade.core.settings import PredictSettings, TrainSettings
from kneecascade.dataset_conversion.catalogue import CATALOGUE, Source
from kneecascade.dataset_conversion.sources import SourceOptions, convert
from kneecascade.dataset_conversion.writer import RECORD, ConvertSettings
from kneecascade.errors import DatasetError, InputError
from kneecascade.files import read_json, write_json
from kneecascade.pipeline.plan_and_preprocess import PlanSettings, plan_and_preprocess
from kneecascade.pipeline.predict import predict_images
from kneecascade.pipeline.train import train_folds
from kneecascade.planning.dataset_folder import read_dataset
from kneecascade.planning.folds import read_splits
from kneecascade.planning.processes import default_workers
from kneecascade.workspace import SPLITS, Workspace

NUMBERS = {"oai_zib": 501, "oaizib_cm": 502, "ski10": 503, "iwoai2019": 504, "skm_tea": 505, "msd": 506}
RESULT = "reproduce.json"


@dataclass(frozen=True)
class ReproduceSettings:
    """One run of kc_benchmark reproduce.

    Attributes:
        source: the data set as its makers publish it; None where it was converted already.
        images: of oai_zib, where the OAI's images lie.
        identifier: number of the converted data set; None for a number a source.
        folds: to train; None for all, as the protocols want it.
        link: link files instead of copying them where they stay as they are.
        plan: how to plan.
        train: how to train; a training that was ended goes on.
    """

    source: Path | None = None
    images: Path | None = None
    identifier: int | None = None
    folds: tuple[int, ...] | None = None
    link: bool = False
    plan: PlanSettings = field(default_factory=PlanSettings)
    train: TrainSettings = field(default_factory=TrainSettings)


def reproduce(workspace: Workspace, key: str, settings: ReproduceSettings | None = None) -> Path:
    """Converts, plans, trains, predicts and scores under the published protocol; what is done is kept.

    Args:
        workspace: where things lie.
        key: the source's word, such as "oaizib_cm".
        settings: None for the defaults.

    Returns:
        The file with the scores.

    Raises:
        InputError: the data are not there; the message says how to get them.
        KneecascadeError: a step cannot be done.
    """
    settings, protocol = settings or ReproduceSettings(), PROTOCOLS[key]
    say(f"{CATALOGUE[key].title}: {protocol.description}")
    folder = _converted(workspace, key, protocol, settings)
    _step(2, "check, measure, plan, prepare")
    plan_and_preprocess(workspace, folder.name, settings.plan)
    _step(3, "train")
    raw = read_dataset(folder)
    names = [case.name for case in raw.training]
    splits = read_splits(workspace.preprocessed / folder.name / SPLITS, names)
    numbers = tuple(range(len(splits))) if settings.folds is None else settings.folds
    train_folds(workspace, folder.name, numbers, replace(settings.train, resume=True))
    model = workspace.results / folder.name
    if protocol.kind == "test":
        _step(4, "predict the official test set")
        cases = _test_cases(raw, model, numbers, settings.train)
    else:
        _step(4, "gather the held-out cases of every fold")
        cases = _held_out(raw, model, [(k, splits[k]["val"]) for k in numbers])
    _step(5, "score")
    file = model / RESULT
    _score(raw, cases, key, file, len(numbers) == len(splits))
    return file


def _converted(workspace: Workspace, key: str, protocol: Protocol, settings: ReproduceSettings) -> Path:
    """Returns the data set in the raw layout; converts it where it is not there yet."""
    number = settings.identifier or NUMBERS[key]
    _step(1, "convert")
    for folder in sorted(workspace.raw.glob(f"Dataset{number:03d}_*")):
        record = read_json(folder / RECORD) if (folder / RECORD).is_file() else {}
        if record.get("source") != key:
            raise DatasetError(f"{folder}: was not converted from {key}; choose another number with -d")
        if protocol.kind == "folds" and (folder / SPLITS).is_file():
            raise DatasetError(
                f"{folder / SPLITS}: holds other folds than {protocol.description}; delete it, or choose "
                "another number with -d"
            )
        say(f"{folder} is there already")
        return folder
    _require_data(CATALOGUE[key], protocol, settings.source)
    assert settings.source is not None
    own_folds = ConvertSettings(link=settings.link, official_split=protocol.kind == "test")
    options = SourceOptions(settings.images)
    return convert(key, settings.source, workspace.raw, number, own_folds, options)


def _require_data(known: Source, protocol: Protocol, source: Path | None) -> None:
    if source is None or not source.is_dir():
        where = "" if source is None else f"{source}: no such folder; "
        raise InputError(
            f"{where}{known.title} is needed for {protocol.description}; get it ({known.access}), then give "
            f"its folder with --source: {known.layout}"
        )


def _test_cases(raw: Dataset, model: Path, folds: Sequence[int], train: TrainSettings) -> list[Scored]:
    output = model / "test_predictions"
    settings = PredictSettings(device=train.device, resume=True)
    predict_images(model, raw.folder / "imagesTs", output, folds, settings)
    labelled = [case for case in raw.test if case.label is not None]
    unlabelled = len(raw.test) - len(labelled)
    if unlabelled:
        say(f"{unlabelled} of the test images have no reference; they are predicted, not scored")
    return [Scored(c.name, c.label, output / f"{c.name}{raw.file_ending}") for c in labelled if c.label]


def _held_out(raw: Dataset, model: Path, folds: Sequence[tuple[int, Sequence[str]]]) -> list[Scored]:
    labels = {case.name: case.label for case in raw.training}
    cases = []
    selected: dict[str, None] = {}
    for number, names in folds:
        folder = model / f"fold_{number}" / "validation"
        selected[str(read_json(folder / "summary.json").get("selection", ""))] = None
        for name in names:
            label = labels[name]
            if label is not None:
                cases.append(Scored(name, label, folder / f"{name}{raw.file_ending}"))
    say(f"held-out cases: {'; '.join(selected)}")
    return cases


def _score(raw: Dataset, cases: Sequence[Scored], key: str, file: Path, all_folds: bool) -> None:
    if not cases:
        raise DatasetError(f"{raw.folder}: no case with a reference to score")
    protocol = PROTOCOLS[key]
    groups = printed_groups(raw.labels, protocol.groups)
    scored = score_cases(cases, groups, default_workers())
    for name, result in scored.items():
        if isinstance(result, str):
            warn(f"{name}: not scored: {result}")
    ours = means(scored, groups)
    write_json(file, result_record(key, protocol, ours, scored, all_folds, raw.licence))
    there = sum(not isinstance(result, str) for result in scored.values())
    show_result(CATALOGUE[key].title, protocol, ours, there, all_folds)
    say(f"every case is in {file}")


def _step(number: int, what: str) -> None:
    say(f"\n[{number}/5] {what}")
