"""Searches a folder tree for DICOM images, whatever the files are called."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID, MediaStorageDirectoryStorage, SegmentationStorage

from kneecascade.console import tracked
from kneecascade.dicom.frame import Frame
from kneecascade.dicom.header import WANTED, frames_of
from kneecascade.dicom.sniff import files_in, has_preamble, is_dicom
from kneecascade.errors import InputError

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar", ".dcm.gz")


@dataclass(frozen=True)
class Found:
    """What a folder holds.

    Attributes:
        frames: every 2D image.
        unreadable: DICOM files whose header is broken.
        without_image: number of DICOM files that hold no image: reports, segmentations.
    """

    frames: list[Frame]
    unreadable: list[str]
    without_image: int


def scan(root: Path) -> Found:
    """Reads the headers of all DICOM files of a folder tree, or of one file; of a DICOMDIR, of its folder.

    Files that are no DICOM and DICOMDIR are passed over.

    Raises:
        InputError: there is no such folder, or no DICOM image in it.
    """
    if not root.exists():
        raise InputError(f"{root}: no such file or folder")
    if root.is_file() and root.name.upper() == "DICOMDIR":
        root = root.parent
    files = [path for path in files_in(root) if is_dicom(path)]
    frames: list[Frame] = []
    unreadable: list[str] = []
    without_image = 0
    with quiet_pydicom():
        for path in tracked(files, "reading headers", len(files)):
            name = path.name if path == root else path.relative_to(root).as_posix()
            try:
                found = _read(path, name)
            except Exception:  # pydicom raises whatever broken bytes lead to
                if has_preamble(path):
                    unreadable.append(name)
                continue
            frames += found or []
            without_image += found == []
    if not frames and not unreadable:
        packed = next((path.name for path in files_in(root) if path.name.lower().endswith(ARCHIVES)), None)
        hint = f"; unpack {packed} first" if packed else ""
        raise InputError(f"{root}: no DICOM images in it{hint}")
    return Found(frames, unreadable, without_image)


def frames_in(files: Iterable[Path]) -> list[Frame]:
    """Returns the frames of given files.

    Raises:
        InputError: one of them is no DICOM image.
    """
    frames: list[Frame] = []
    with quiet_pydicom():
        for path in files:
            try:
                frames += _read(path, path.name) or []
            except Exception as error:  # pydicom raises whatever broken bytes lead to
                raise InputError(f"{path}: cannot be read as DICOM") from error
    return frames


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Lets pydicom read values that break the standard, as scanners write them, without a word."""
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        yield


def read_header(path: Path, tags: list[str] | None = None) -> Dataset:
    """Reads a header without its pixels; `tags` are the only elements wanted."""
    return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags, force=True)


def _read(path: Path, name: str) -> list[Frame] | None:
    """Returns frames; None of a DICOMDIR or something else that is no image of a patient."""
    dataset = read_header(path, [*WANTED])
    kind = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
    if kind is None or kind == MediaStorageDirectoryStorage:
        return None
    frames = [] if kind == SegmentationStorage else frames_of(dataset, path, name)
    if not frames and "Image Storage" in UID(kind).name:
        raise ValueError("an image without a size")
    return frames
