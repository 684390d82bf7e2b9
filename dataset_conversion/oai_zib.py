"""OAI-ZIB: masks whose geometry is lost, laid on the OAI's own images."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial
from pathlib import Path

import numpy as np

from kneecascade.core.case import Side
from kneecascade.core.geometry import Geometry
from kneecascade.dataset_conversion.catalogue import CATALOGUE
from kneecascade.dataset_conversion.dicom_folder import read_dicom_folder
from kneecascade.dataset_conversion.found import Examination, Found, SourceCase
from kneecascade.dataset_conversion.overlap import Turn, ranked_turns, turned
from kneecascade.errors import DatasetError
from kneecascade.imaging.channels import read_channels
from kneecascade.imaging.components import plausible_components
from kneecascade.imaging.files import read_labels

LABELS = {1: "femur", 2: "femoral_cartilage", 3: "tibia", 4: "tibial_cartilage"}
BONES, CARTILAGES = (1, 3), (2, 4)
COUNT = 507
MASK = re.compile(r"(\d{7})\.segmentation_masks\.mhd")
ENDINGS = (".nii.gz", ".nii", ".mha", ".mhd", ".nrrd")
LEAST_CONTRAST, LEAST_LEAD = 0.5, 0.3
"""On simulated DESS over eight real knees the right way had a contrast of 2.9 to 4, the next at most 1.4."""
STRAY = ("9269383",)
"""Subjects with a cluster of voxels away from their knee."""
STRAY_SHARE = 0.01


def find_oai_zib(source: Path, images: Path | None = None) -> Found:
    """Finds the masks and, for each, its image among the OAI's.

    Args:
        source: holds segmentation_masks/9001104.segmentation_masks.mhd with its .raw ... and doc.
        images: holds the OAI's baseline images: DICOM folders as doc/oai_mri_paths.txt lists them, or files
            with the person's number in their names; None looks in `source`.

    Raises:
        DatasetError: there is no mask.
    """
    masks = {}
    for path in sorted(source.rglob("*.segmentation_masks.mhd")):
        match = MASK.fullmatch(path.name)
        # the archive's part for classification has the same names and other labels
        if match and "classification" not in path.relative_to(source).parts:
            masks[match[1]] = path
    if not masks:
        raise DatasetError(f"{source}: no masks like 9001104.segmentation_masks.mhd below it")
    places = _image_places(source, images or source, masks)
    cases = [_case(number, mask, places) for number, mask in masks.items()]
    notes = (f"{len(masks)} masks; the published data set has {COUNT}",) if len(masks) != COUNT else ()
    return Found(
        "oai_zib", "OAIZIB", ("DESS",), LABELS, cases, CATALOGUE["oai_zib"].licence, tuple(LABELS.values()),
        _two_folds(source, masks), about={"reference": "OAI-ZIB, doi:10.1016/j.media.2018.11.009"},
        notes=notes,
    )  # fmt: skip


def read_oai_zib(image: Path, mask: Path, number: str) -> Examination:
    """Reads an image and lays the mask on it: axes permuted and flipped until bone is darker than cartilage.

    The image's own grid is taken; that of the mask is not looked at.

    Args:
        image: one file, or a folder with one DICOM series.
        mask: the .mhd file.
        number: of the person.

    Raises:
        ImageError: a file cannot be read.
        DatasetError: no way fits the image's shape, or none stands out.
    """
    array, geometry, side = _image(image)
    labels = read_labels(mask).array
    turn = only_turn(ranked_turns(labels, array, BONES, CARTILAGES), str(mask))
    laid = np.ascontiguousarray(turned(labels, turn.axes, turn.flips))
    notes: tuple[str, ...] = ()
    if number in STRAY:
        laid, removed = without_stray(laid)
        notes = (f"{removed} voxels away from the knee were removed",)
    plain = image.name.endswith(".nii.gz")
    return Examination((image if plain else array,), geometry, laid, side=side, notes=notes)


def _image(image: Path) -> tuple[np.ndarray, Geometry, Side | None]:
    if image.is_dir():
        return read_dicom_folder(image)
    channels, geometry = read_channels(image)
    if len(channels) != 1:
        raise DatasetError(f"{image}: {len(channels)} channels instead of 1")
    return channels[0], geometry, None


def only_turn(turns: list[Turn], where: str) -> Turn:
    """Returns the way that stands out.

    Raises:
        DatasetError: there is none: bone is hardly darker than cartilage, or another way is nearly as good.
    """
    if not turns:
        raise DatasetError(f"{where}: its shape does not fit the image, whichever way it is turned")
    best, second = turns[0].contrast, turns[1].contrast if len(turns) > 1 else -np.inf
    if not best >= LEAST_CONTRAST or not best - second >= LEAST_LEAD:
        raise DatasetError(
            f"{where}: no way of laying it on the image makes bone clearly darker than cartilage (contrast "
            f"{best:.2f}, next {second:.2f}); is it this person's image?"
        )
    return turns[0]


def without_stray(labels: np.ndarray) -> tuple[np.ndarray, int]:
    """Returns labels without pieces of less than 1 % of all that is labelled, and the voxels removed."""
    inside = labels != 0
    kept = plausible_components(inside, max(1, int(STRAY_SHARE * inside.sum())))
    return np.where(kept, labels, 0).astype(labels.dtype), int(inside.sum() - (inside & kept).sum())


def _case(number: str, mask: Path, places: dict[str, Path]) -> SourceCase:
    image = places.get(number, mask.with_name(f"{number} (its OAI image; see --images)"))
    return SourceCase(
        name=f"oaizib_{number}",
        subject=number,
        files=(image, mask),
        read=partial(read_oai_zib, image, mask, number),
        visit="00m",
    )


def _image_places(source: Path, root: Path, numbers: Collection[str]) -> dict[str, Path]:
    """Returns the DICOM folder or image file of each person, as far as there is one."""
    places: dict[str, Path] = {}
    for listing in sorted(source.rglob("oai_mri_paths.txt")):
        if "classification" in listing.relative_to(source).parts:
            continue
        for line in listing.read_text("utf-8", errors="replace").splitlines():
            match = re.match(r"\s*(\d{7})\s*[:,]\s*(\S+)", line)
            parts = match[2].strip("/\\").replace("\\", "/").split("/") if match else []
            for top in (root, root / "00m") if match else ():
                if top.joinpath(*parts).is_dir():
                    places[line.strip()[:7]] = top.joinpath(*parts)
    if set(numbers) <= set(places):
        return places  # the OAI has millions of files; they are only walked through where it must be
    for path in sorted(root.rglob("*")):
        number = re.search(r"(?<!\d)(\d{7})(?!\d)", path.name)
        if number and path.name.endswith(ENDINGS) and "segmentation" not in path.name:
            places.setdefault(number[1], path)
    return places


def _two_folds(source: Path, masks: dict[str, Path]) -> list[dict[str, list[str]]] | None:
    """Returns the authors' two folds, from doc/2foldCrossValidation-List1.txt and List2."""
    lists = []
    for k in (1, 2):
        for file in sorted(source.rglob(f"2foldCrossValidation-List{k}.txt"))[:1]:
            numbers = re.findall(r"(?<!\d)\d{7}(?!\d)", file.read_text("utf-8", errors="replace"))
            lists.append([f"oaizib_{number}" for number in numbers if number in masks])
    if len(lists) != 2 or not all(lists) or len(set(lists[0] + lists[1])) != len(masks):
        return None
    return [{"train": lists[1 - k], "val": lists[k]} for k in (0, 1)]
