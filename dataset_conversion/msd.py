"""Medical Segmentation Decathlon task folders to the raw layout of nnU-Net v2."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from kneecascade.console import tracked
from kneecascade.errors import DatasetError
from kneecascade.files import read_json, write_json
from kneecascade.imaging.channels import read_channels
from kneecascade.imaging.files import write_channel

ENDING = ".nii.gz"
ABOUT: tuple[str, ...] = ("name", "description", "reference", "licence")


def convert_msd(source: Path, raw: Path, identifier: int) -> Path:
    """Writes raw/Dataset<identifier>_<Name> from a folder such as Task04_Hippocampus.

    Voxel values, label values and the order of channels stay; 4D images become one file a channel.
    Everything is written under a temporary name first, so that a broken run leaves no data set behind.

    Args:
        source: holds dataset.json, imagesTr, labelsTr and, where there is a test set, imagesTs.
        raw: the workspace's raw folder.
        identifier: the number of the new data set, 1 to 999.

    Returns:
        The new folder.

    Raises:
        DatasetError: dataset.json is broken, files are missing, an image has another number of channels
            than dataset.json says, or the number is taken.
        ImageError: an image cannot be read.
    """
    description = _described(source)
    channels = _numbered(description, "modality", source)
    pairs = _existing(source, description)
    folder = raw / _folder_name(source, description, raw, identifier)
    partial = raw / f".writing_{folder.name}"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        for image, label in tracked(pairs, folder.name, len(pairs)):
            part = "Ts" if label is None else "Tr"
            _write_images(image, partial / f"images{part}", len(channels))
            if label is not None:
                _copy(label, partial / "labelsTr" / label.name)
        write_json(partial / "dataset.json", _converted(description, channels, source))
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _described(source: Path) -> dict[str, Any]:
    path = source / "dataset.json"
    if not path.is_file():
        raise DatasetError(
            f"{source}: no dataset.json; give the task's own folder, such as Task04_Hippocampus"
        )
    description = read_json(path)
    if not isinstance(description, dict) or not description.get("training"):
        raise DatasetError(f"{path}: lists no training cases")
    return description


def _numbered(description: dict[str, Any], entry: str, source: Path) -> dict[int, str]:
    """Returns {0: name, 1: name, ...} of "modality" or "labels", in order."""
    try:
        names = {int(key): str(name) for key, name in description[entry].items()}
    except (KeyError, ValueError, AttributeError) as error:
        raise DatasetError(f"{source / 'dataset.json'}: {entry!r} must map numbers to names") from error
    if 0 not in names or len(set(names.values())) != len(names):
        raise DatasetError(f"{source / 'dataset.json'}: {entry!r} needs a 0 and no name twice")
    return dict(sorted(names.items()))


def _existing(source: Path, description: dict[str, Any]) -> list[tuple[Path, Path | None]]:
    """Returns (image, label or None) of every listed case; all missing files are told at once."""
    try:
        pairs: list[tuple[Path, Path | None]] = [
            (source / case["image"], source / case["label"]) for case in description["training"]
        ]
        pairs += [(source / case, None) for case in description.get("test", ())]
    except (TypeError, KeyError) as error:
        raise DatasetError(f"{source / 'dataset.json'}: a case lacks its image or label") from error
    missing = [str(path) for pair in pairs for path in pair if path is not None and not path.is_file()]
    if missing:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise DatasetError(f"{source}: {len(missing)} listed files are missing: {shown}")
    foreign = [str(path) for pair in pairs for path in pair if path and not path.name.endswith(ENDING)]
    if foreign:
        raise DatasetError(f"{foreign[0]}: expected a {ENDING} file")
    return pairs


def _folder_name(source: Path, description: dict[str, Any], raw: Path, identifier: int) -> str:
    if not 1 <= identifier <= 999:
        raise DatasetError(f"data set number {identifier}: must be from 1 to 999")
    taken = sorted(path.name for path in raw.glob(f"Dataset{identifier:03d}_*"))
    if taken:
        raise DatasetError(f"{raw / taken[0]}: number {identifier} is taken; choose another with -d")
    name = re.sub(r"^Task\d+_", "", source.resolve().name) or str(description.get("name", ""))
    return f"Dataset{identifier:03d}_{re.sub(r'[^A-Za-z0-9]+', '', name) or 'Decathlon'}"


def _write_images(image: Path, folder: Path, count: int) -> None:
    channels, geometry = read_channels(image)
    if len(channels) != count:
        raise DatasetError(f"{image}: {len(channels)} channels, but dataset.json names {count}")
    name = image.name.removesuffix(ENDING)
    if count == 1:
        _copy(image, folder / f"{name}_0000{ENDING}")
        return
    for k, channel in enumerate(channels):
        write_channel(channel, geometry, folder / f"{name}_{k:04d}{ENDING}")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _converted(description: dict[str, Any], channels: dict[int, str], source: Path) -> dict[str, Any]:
    labels = _numbered(description, "labels", source)
    entries = {key: description[key] for key in ABOUT if key in description}
    entries["channel_names"] = {str(k): name for k, name in channels.items()}
    entries["labels"] = {"background": 0, **{name: value for value, name in labels.items() if value != 0}}
    entries["numTraining"] = len(description["training"])
    entries["file_ending"] = ENDING
    return entries
