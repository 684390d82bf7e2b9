"""SKM-TEA: qDESS knees, two echoes in HDF5, masks in NIfTI, splits in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from kneecascade.core.geometry import Float3, Geometry
from kneecascade.dataset_conversion.catalogue import CATALOGUE
from kneecascade.dataset_conversion.found import Examination, Found, SourceCase
from kneecascade.dataset_conversion.labels import from_one_hot
from kneecascade.dataset_conversion.reading import grid, read_hdf5
from kneecascade.errors import DatasetError
from kneecascade.files import read_json
from kneecascade.imaging.files import read_labels
from kneecascade.imaging.orientation import canonical_axes, canonical_geometry, to_canonical

LABELS = {
    1: "patellar_cartilage",
    2: "femoral_cartilage",
    3: "medial_tibial_cartilage",
    4: "lateral_tibial_cartilage",
    5: "medial_meniscus",
    6: "lateral_meniscus",
}
SPLITS = ("train", "val", "test")
MASKS = "segmentation_masks/dicom-track"
"""The masks of the raw-data track belong to other images, reconstructed by the authors."""


def find_skm_tea(source: Path) -> Found:
    """Finds the scans that the annotations list; training and validation become one official fold.

    Args:
        source: holds image_files, segmentation_masks/dicom-track, annotations/v1.0.0.

    Raises:
        DatasetError: annotations are missing or unusable.
    """
    folder = _annotations(source)
    cases, folds = [], {"train": [], "val": []}  # type: ignore[var-annotated]
    for split in SPLITS:
        for entry in _entries(folder / f"{split}.json"):
            cases.append(_case(source, entry, "Ts" if split == "test" else "Tr"))
            if split != "test":
                folds[split].append(cases[-1].name)
    if not all(folds.values()):
        raise DatasetError(f"{folder}: train.json and val.json must list scans")
    about = {"reference": "Desai et al. 2021, SKM-TEA", "description": "root-sum-of-squares of both echoes"}
    return Found(
        "skm_tea", "SKMTEA", ("qDESS",), LABELS, cases, CATALOGUE["skm_tea"].licence,
        tuple(LABELS.values()), [folds], about=about,
    )  # fmt: skip


def read_skm_tea(image: Path, mask: Path, axes: Sequence[str], spacing_mm: Float3) -> Examination:
    """Reads a scan into canonical axes: foot to head, front to back, right to left.

    The two echoes become their root-sum-of-squares. The mask comes from the NIfTI file where there is one,
    turned by its header, and must then equal the masks in the HDF5 file, where they are; else from those.

    Args:
        image: HDF5 with echo1, echo2 and perhaps seg, axes as in `axes`.
        mask: NIfTI file of the labels; it need not exist.
        axes: such as ("SI", "AP", "RL").
        spacing_mm: along these axes.

    Raises:
        DatasetError: a key is missing, shapes differ, or the two masks contradict each other.
        ImageError: the NIfTI file cannot be read.
        MissingExtraError: h5py is not installed.
    """
    first, second, one_hot = read_hdf5(image, "echo1", "echo2", "seg")
    if first is None or second is None or first.shape != second.shape or first.ndim != 3:
        raise DatasetError(f"{image}: needs echo1 and echo2, 3D and of one shape")
    own = grid(first.shape, spacing_mm, axes)
    turns = canonical_axes(own)
    echoes = to_canonical(root_sum_of_squares(first, second), *turns)
    inside: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    if one_hot is not None:
        values, notes = from_one_hot(one_hot, str(image))
        inside = to_canonical(values, *turns)
    if mask.is_file():
        return _with_mask(echoes, inside, mask, image, notes)
    if inside is None:
        raise DatasetError(f"{mask}: no such file, and {image.name} has no masks in it")
    return Examination((echoes,), canonical_geometry(own), inside, notes=notes)


def _with_mask(
    echoes: np.ndarray, inside: np.ndarray | None, mask: Path, image: Path, notes: tuple[str, ...]
) -> Examination:
    """Returns the echoes with the mask of a NIfTI file, turned to it where the masks inside say so."""
    labels, geometry = _turned_mask(mask)
    if labels.shape != echoes.shape:
        raise DatasetError(f"{mask}: {labels.shape} voxels in canonical axes, the echoes have {echoes.shape}")
    if inside is None:
        return Examination((echoes,), geometry, labels, notes=notes)
    flips = flips_between(inside, labels)
    if flips is None:
        raise DatasetError(f"{mask}: is not the mask in {image.name}, however it is flipped")
    if any(flips):
        echoes = np.flip(echoes, _flipped(flips))
        notes = (*notes, f"axes of {image.name} do not run as annotated; turned to fit the mask")
    return Examination((echoes,), geometry, labels, notes=notes)


def root_sum_of_squares(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Joins two echoes; whole numbers stay whole (rounded, uint16), fractions become float32."""
    joined = np.sqrt(first.astype(np.float32) ** 2 + second.astype(np.float32) ** 2)
    if np.issubdtype(first.dtype, np.integer) and joined.max(initial=0) <= 65535:
        return np.rint(joined).astype(np.uint16)
    return joined


def flips_between(array: np.ndarray, other: np.ndarray) -> tuple[bool, bool, bool] | None:
    """Returns which axes of an array must be flipped to make it equal to another; None if nothing does."""
    if array.shape != other.shape:
        return None
    for flips in product((False, True), repeat=3):
        if np.array_equal(np.flip(array, _flipped(flips)), other):
            return flips  # type: ignore[return-value]
    return None


def _flipped(flips: Sequence[bool]) -> tuple[int, ...]:
    return tuple(axis for axis, flip in enumerate(flips) if flip)


def _turned_mask(mask: Path) -> tuple[np.ndarray, Geometry]:
    volume = read_labels(mask)
    return to_canonical(volume.array, *canonical_axes(volume.geometry)), canonical_geometry(volume.geometry)


def _annotations(source: Path) -> Path:
    versions = sorted((source / "annotations").glob("v*/train.json"))
    if not versions:
        raise DatasetError(f"{source}: no annotations/v1.0.0/train.json; is it SKM-TEA?")
    preferred = source / "annotations" / "v1.0.0"
    return preferred if (preferred / "train.json").is_file() else versions[-1].parent


def _entries(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    content = read_json(file)
    entries = content.get("images") if isinstance(content, dict) else None
    needed = ("scan_id", "orientation", "voxel_spacing")
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise DatasetError(f"{file}: has no list of images")
    for entry in entries:
        absent = [key for key in needed if key not in entry]
        if absent or len(entry["orientation"]) != 3 or len(entry["voxel_spacing"]) != 3:
            raise DatasetError(f"{file}: an image lacks {absent[0] if absent else 'three axes'}")
    return entries


def _case(source: Path, entry: dict[str, Any], part: str) -> SourceCase:
    name = str(entry["scan_id"])
    image = source / "image_files" / str(entry.get("file_name", f"{name}.h5"))
    mask = source / MASKS / f"{name}.nii.gz"
    a, b, c = (float(mm) for mm in entry["voxel_spacing"])
    person = entry.get("subject_id")
    return SourceCase(
        name=name,
        subject=f"skmtea_{int(person):04d}" if isinstance(person, int) and person >= 0 else name,
        files=(image, mask) if mask.is_file() else (image,),
        read=partial(read_skm_tea, image, mask, tuple(entry["orientation"]), (a, b, c)),
        part="Ts" if part == "Ts" else "Tr",
        visit=str(entry.get("timepoint", "")),
    )
