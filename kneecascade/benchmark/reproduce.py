"""A public data set from its makers' folder to our scores beside published ones."""

from __future__ import annotations

from pathlib import Path

from kneecascade.benchmark.published import PROTOCOLS
from kneecascade.dataset_conversion.catalogue import CATALOGUE
from kneecascade.errors import InputError
from kneecascade.workspace import Workspace


def reproduce(workspace: Workspace, key: str, source: Path | None) -> None:
    """Converts, plans, trains, predicts and scores under the published protocol.

    Raises:
        InputError: the data are not there; the message says how to get them.
    """
    known, protocol = CATALOGUE[key], PROTOCOLS[key]
    if source is None or not source.is_dir():
        where = "" if source is None else f"{source}: no such folder; "
        raise InputError(
            f"{where}{known.title} is needed for {protocol.description}; get it ({known.access}), then give "
            f"its folder with --source: {known.layout}"
        )
