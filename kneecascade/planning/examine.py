"""Every case checked and measured in one reading of its files."""

from __future__ import annotations

from functools import partial

from kneecascade.core.case import Case
from kneecascade.core.dataset import Dataset
from kneecascade.core.fingerprint import CaseFingerprint, DatasetFingerprint
from kneecascade.core.labels import Labels
from kneecascade.planning.fingerprint import case_fingerprint, data_hash
from kneecascade.planning.integrity import Arrays, Problem, check_case, check_folder
from kneecascade.planning.processes import map_in_processes


def examine_dataset(
    dataset: Dataset, hashes: tuple[str, ...], workers: int = 1
) -> tuple[list[Problem], DatasetFingerprint | None]:
    """Checks all cases, measures those to train on.

    Args:
        dataset: any, sound or not.
        hashes: what `fingerprint.hash_cases` returned for its training cases.
        workers: processes.

    Returns:
        All problems, and the fingerprint; None where there is a problem.
    """
    examine = partial(_examine, labels=dataset.labels, channels=len(dataset.channel_names))
    cases = [*zip(dataset.training, hashes, strict=True), *((case, None) for case in dataset.test)]
    problems, measured = check_folder(dataset), []
    for found, numbers in map_in_processes(examine, cases, workers, "Checking and measuring"):
        problems.extend(found)
        measured += [] if numbers is None else [numbers]
    if problems:
        return problems, None
    return [], DatasetFingerprint(dataset.name, data_hash(dataset, hashes), tuple(measured))


def _examine(
    pair: tuple[Case, str | None], labels: Labels, channels: int
) -> tuple[list[Problem], CaseFingerprint | None]:
    """Returns the problems of a case, and its numbers where it has none and is there to train on."""
    case, files_hash = pair
    arrays = Arrays()
    problems = check_case(case, labels, channels, arrays)
    if problems or files_hash is None or arrays.labels is None:
        return problems, None
    return [], case_fingerprint(case, labels, files_hash, (arrays.volume(), arrays.labels))
