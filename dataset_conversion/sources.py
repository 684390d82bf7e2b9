"""All sources by their word on the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kneecascade.dataset_conversion.folders import FolderOptions, find_folders
from kneecascade.dataset_conversion.found import Found
from kneecascade.dataset_conversion.iwoai2019 import find_iwoai2019
from kneecascade.dataset_conversion.msd import find_msd
from kneecascade.dataset_conversion.oai_zib import find_oai_zib
from kneecascade.dataset_conversion.oaizib_cm import find_oaizib_cm
from kneecascade.dataset_conversion.ski10 import find_ski10
from kneecascade.dataset_conversion.skm_tea import find_skm_tea
from kneecascade.dataset_conversion.writer import ConvertSettings, write_dataset
from kneecascade.errors import DatasetError


@dataclass(frozen=True)
class SourceOptions:
    """What some sources must be told.

    Attributes:
        images: of oai_zib, where the OAI's images lie; None for the source's folder.
        folders: of the layout folders.
    """

    images: Path | None = None
    folders: FolderOptions = field(default_factory=FolderOptions)


def find_source(key: str, source: Path, options: SourceOptions) -> Found:
    """Finds the cases of a source; opens no image.

    Raises:
        DatasetError: there is no such folder, or it is not as its makers publish it.
        MissingExtraError: a package that the layout needs is not installed.
    """
    if not source.is_dir():
        raise DatasetError(f"{source}: no such folder; check --source")
    match key:
        case "msd":
            return find_msd(source)
        case "oai_zib":
            return find_oai_zib(source, options.images)
        case "oaizib_cm":
            return find_oaizib_cm(source)
        case "ski10":
            return find_ski10(source)
        case "iwoai2019":
            return find_iwoai2019(source)
        case "skm_tea":
            return find_skm_tea(source)
        case "folders":
            return find_folders(source, options.folders)
        case _:
            raise DatasetError(f"{key}: no such source")


def convert(
    key: str,
    source: Path,
    raw: Path,
    identifier: int,
    settings: ConvertSettings | None = None,
    options: SourceOptions | None = None,
) -> Path:
    """Finds a source and writes it in the raw layout.

    Args:
        key: the source's word, such as "oaizib_cm".
        source: its folder.
        raw: the workspace's raw folder.
        identifier: the number of the new data set, 1 to 999.
        settings: of the run; None for the defaults.
        options: what the source must be told; None for nothing.

    Returns:
        The new folder.

    Raises:
        KneecascadeError: see `find_source` and `writer.write_dataset`.
    """
    found = find_source(key, source, options or SourceOptions())
    return write_dataset(found, raw, identifier, settings or ConvertSettings())
